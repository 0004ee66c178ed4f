/* SPDX-License-Identifier: MIT */
/* Rows of the mirror for one subscriber: all of them for a new one, those of
 * one link for one whose filter begins or ends to accept it. See mirror.h. */
#include "rtnetlink/mirror/mirror.h"

#include "rtnetlink/decode/rows.h"

#include <sys/socket.h>

typedef struct selection {
    const nio_mirror *mirror;
    nio_subscriber *to;
    uint32_t index; /* of the link; 0: all */
    uint8_t type;
    uint8_t flags;
} selection;

static bool
put(const selection *rows, nio_kind kind, size_t size, const void *row)
{
    const nio_fanout *fanout = &rows->mirror->fanout;
    nio_change change = {.time_ns = fanout->time_ns,
                         .size = (uint16_t)size,
                         .kind = (uint8_t)kind,
                         .type = rows->type,
                         .flags = rows->flags,
                         .has_extra = nio_extra_of(kind, row) != NULL};
    if (!nio_subscriber_reserve(rows->to)) {
        return false;
    }
    nio_subscriber_put_filtered(rows->to, &change, row);
    return true;
}

static bool
is_selected(const selection *rows, uint32_t index)
{
    return rows->index == 0 || rows->index == index;
}

static bool
put_interfaces(const selection *rows)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    MIB_IPINTERFACE_ROW row;
    uint32_t cursor = 0;
    nio_link *link;
    while ((link = nio_store_each(&rows->mirror->links, &cursor)) != NULL) {
        for (size_t i = 0; i < 2; i++) {
            if (is_selected(rows, link->index) &&
                nio_interface_row(link, families[i], &row) &&
                !put(rows, NIO_INTERFACE, sizeof(row), &row)) {
                return false;
            }
        }
    }
    return true;
}

static bool
put_addresses(const selection *rows)
{
    const nio_mirror *mirror = rows->mirror;
    MIB_UNICASTIPADDRESS_ROW row;
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (!is_selected(rows, address->index)) {
            continue;
        }
        nio_address_row(address, &mirror->links, mirror->decode.now_s, &row);
        if (!put(rows, NIO_ADDRESS, sizeof(row), &row)) {
            return false;
        }
    }
    return true;
}

static bool
put_routes(const selection *rows)
{
    const nio_mirror *mirror = rows->mirror;
    MIB_IPFORWARD_ROW2 row;
    uint32_t cursor = 0;
    nio_route *route;
    if (!(rows->to->kinds & (1u << NIO_ROUTE))) {
        return true;
    }
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->is_held || !is_selected(rows, route->oif)) {
            continue;
        }
        nio_route_row(route, &mirror->links, mirror->decode.now_s, &row);
        if (!put(rows, NIO_ROUTE, sizeof(row), &row)) {
            return false;
        }
    }
    return true;
}

bool
nio_mirror_snapshot(nio_mirror *mirror, nio_subscriber *to)
{
    const selection rows = {.mirror = mirror,
                            .to = to,
                            .type = NIO_CHANGE_ADD,
                            .flags = NIO_FLAG_SNAPSHOT};
    return put_interfaces(&rows) && put_addresses(&rows) && put_routes(&rows);
}

/* The message is about the link: it announces the interface's rows alone. */
bool
nio_mirror_put_rows_of(nio_mirror *mirror, nio_subscriber *to, uint32_t index,
                       uint8_t type)
{
    const selection link = {.mirror = mirror,
                            .to = to,
                            .index = index,
                            .type = type,
                            .flags = mirror->fanout.flags};
    selection others = link;
    others.flags |= NIO_FLAG_SYNTHESIZED;
    return type == NIO_CHANGE_DELETE
               ? put_routes(&others) && put_addresses(&others) &&
                     put_interfaces(&link)
               : put_interfaces(&link) && put_addresses(&others) &&
                     put_routes(&others);
}
