/* SPDX-License-Identifier: MIT */
/* All rows of the mirror for one new subscriber: see mirror.h. */
#include "rtnetlink/mirror/mirror.h"

#include "rtnetlink/api/rows.h"

#include <sys/socket.h>

void
nio_mirror_snapshot(nio_mirror *mirror, nio_subscriber *to)
{
    const nio_fanout *fanout = &mirror->fanout;
    uint32_t cursor = 0;
    nio_link *link;
    while ((link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        for (int i = 0; i < 2; i++) {
            MIB_IPINTERFACE_ROW row;
            if (nio_interface_row(link, i == 0 ? AF_INET : AF_INET6, &row)) {
                nio_subscriber_put(to, fanout, NIO_INTERFACE, NIO_CHANGE_ADD,
                                   NIO_FLAG_SNAPSHOT, &row);
            }
        }
    }
    cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        MIB_UNICASTIPADDRESS_ROW row;
        nio_address_row(address, fanout->links, &row);
        nio_subscriber_put(to, fanout, NIO_ADDRESS, NIO_CHANGE_ADD,
                           NIO_FLAG_SNAPSHOT, &row);
    }
    cursor = 0;
    nio_route *route;
    while ((to->kinds & (1u << NIO_ROUTE)) &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        MIB_IPFORWARD_ROW2 row;
        nio_route_row(route, fanout->links, &row);
        nio_subscriber_put(to, fanout, NIO_ROUTE, NIO_CHANGE_ADD,
                           NIO_FLAG_SNAPSHOT, &row);
    }
}
