/* SPDX-License-Identifier: MIT */
/* All rows of the mirror for one new subscriber: see mirror.h. */
#include "rtnetlink/mirror/mirror.h"

#include "rtnetlink/decode/rows.h"

#include <sys/socket.h>

static nio_change
snapshot_change(const nio_mirror *mirror, nio_kind kind, size_t size)
{
    nio_change change = {.time_ns = mirror->fanout.time_ns,
                         .size = (uint16_t)size,
                         .kind = (uint8_t)kind,
                         .type = NIO_CHANGE_ADD,
                         .flags = NIO_FLAG_SNAPSHOT};
    return change;
}

static void
put_interfaces(nio_mirror *mirror, nio_subscriber *to)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    MIB_IPINTERFACE_ROW row;
    nio_change change = snapshot_change(mirror, NIO_INTERFACE, sizeof(row));
    uint32_t cursor = 0;
    nio_link *link;
    while ((link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        for (size_t i = 0; i < 2; i++) {
            if (nio_interface_row(link, families[i], &row)) {
                change.has_extra = row.Extra != NULL;
                nio_subscriber_put_filtered(to, &change, &row);
            }
        }
    }
}

static void
put_addresses(nio_mirror *mirror, nio_subscriber *to)
{
    MIB_UNICASTIPADDRESS_ROW row;
    const nio_change change =
        snapshot_change(mirror, NIO_ADDRESS, sizeof(row));
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        nio_address_row(address, &mirror->links, &row);
        nio_subscriber_put_filtered(to, &change, &row);
    }
}

static void
put_routes(nio_mirror *mirror, nio_subscriber *to)
{
    MIB_IPFORWARD_ROW2 row;
    nio_change change = snapshot_change(mirror, NIO_ROUTE, sizeof(row));
    uint32_t cursor = 0;
    nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (!route->is_held) {
            nio_route_row(route, &mirror->links, &row);
            change.has_extra = row.Extra != NULL;
            nio_subscriber_put_filtered(to, &change, &row);
        }
    }
}

void
nio_mirror_snapshot(nio_mirror *mirror, nio_subscriber *to)
{
    put_interfaces(mirror, to);
    put_addresses(mirror, to);
    if (to->kinds & (1u << NIO_ROUTE)) {
        put_routes(mirror, to);
    }
}
