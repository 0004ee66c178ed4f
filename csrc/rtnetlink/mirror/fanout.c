/* SPDX-License-Identifier: MIT */
/* Changed records to the queues: see fanout.h. */
#include "rtnetlink/mirror/fanout.h"

#include "rtnetlink/decode/rows.h"

#include <string.h>

static const uint16_t row_sizes[NIO_KINDS] = {
    [NIO_INTERFACE] = sizeof(MIB_IPINTERFACE_ROW),
    [NIO_ADDRESS] = sizeof(MIB_UNICASTIPADDRESS_ROW),
    [NIO_ROUTE] = sizeof(MIB_IPFORWARD_ROW2),
};

static void
count_kinds(nio_fanout *fanout)
{
    fanout->kinds = 0;
    fanout->has_names = false;
    fanout->lifetimes = false;
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        fanout->kinds |= s->kinds;
        fanout->has_names |= s->filter->name_count > 0;
        fanout->lifetimes |= s->lifetimes;
    }
}

void
nio_fanout_signal(nio_fanout *fanout)
{
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        nio_subscriber_signal(s);
    }
}

bool
nio_fanout_reserve(const nio_fanout *fanout)
{
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        if (!nio_subscriber_reserve(s)) {
            return false;
        }
    }
    return true;
}

void
nio_fanout_attach(nio_fanout *fanout, nio_subscriber *subscriber)
{
    subscriber->next = fanout->subscribers;
    fanout->subscribers = subscriber;
    count_kinds(fanout);
}

void
nio_fanout_detach(nio_fanout *fanout, nio_subscriber *subscriber)
{
    nio_subscriber **link = &fanout->subscribers;
    while (*link != NULL && *link != subscriber) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = subscriber->next;
    }
    count_kinds(fanout);
}

void
nio_fanout_mark_overflow(const nio_fanout *fanout)
{
    const nio_change mark = {.time_ns = fanout->time_ns,
                             .kind = NIO_CHANGE_MARK,
                             .flags = NIO_FLAG_OVERFLOW};
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        nio_subscriber_put(s, &mark, NULL);
        s->owes_synced = true;
    }
}

static nio_change
change_of(const nio_fanout *fanout, nio_kind kind, uint8_t type)
{
    nio_change change = {.time_ns = fanout->time_ns,
                         .size = row_sizes[kind],
                         .kind = (uint8_t)kind,
                         .type = type,
                         .flags = fanout->flags};
    return change;
}

static bool
all(const nio_subscriber *subscriber)
{
    (void)subscriber;
    return true;
}

static bool
reads_tables(const nio_subscriber *subscriber)
{
    return subscriber->reads_tables;
}

static bool
follows_lifetimes(const nio_subscriber *subscriber)
{
    return subscriber->lifetimes;
}

static void
put_to(const nio_fanout *fanout, bool (*wants)(const nio_subscriber *),
       nio_kind kind, uint8_t type, const void *row)
{
    nio_change change = change_of(fanout, kind, type);
    change.has_extra = nio_extra_of(kind, row) != NULL;
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        if (wants(s)) {
            nio_subscriber_put_filtered(s, &change, row);
        }
    }
}

static void
put_all(const nio_fanout *fanout, nio_kind kind, uint8_t type, const void *row)
{
    put_to(fanout, all, kind, type, row);
}

static void
put_route(const nio_fanout *fanout, bool (*wants)(const nio_subscriber *),
          uint8_t type, const nio_route *route)
{
    MIB_IPFORWARD_ROW2 row;
    if (fanout->kinds & (1u << NIO_ROUTE)) {
        nio_route_row(route, fanout->links, *fanout->now_s, &row);
        put_to(fanout, wants, NIO_ROUTE, type, &row);
    }
}

void
nio_fanout_route(const nio_fanout *fanout, uint8_t type,
                 const nio_route *route)
{
    put_route(fanout, all, type, route);
}

void
nio_fanout_uncovered_route(const nio_fanout *fanout, const nio_route *route)
{
    put_route(fanout, reads_tables, NIO_CHANGE_PARAMETER, route);
}

void
nio_fanout_renewed_route(const nio_fanout *fanout, const nio_route *route)
{
    put_route(fanout, follows_lifetimes, NIO_CHANGE_PARAMETER, route);
}

static void
put_address(const nio_fanout *fanout, bool (*wants)(const nio_subscriber *),
            uint8_t type, const nio_address *address)
{
    MIB_UNICASTIPADDRESS_ROW row;
    if (fanout->kinds & (1u << NIO_ADDRESS)) {
        nio_address_row(address, fanout->links, *fanout->now_s, &row);
        put_to(fanout, wants, NIO_ADDRESS, type, &row);
    }
}

void
nio_fanout_address(const nio_fanout *fanout, uint8_t type,
                   const nio_address *address)
{
    put_address(fanout, all, type, address);
}

void
nio_fanout_renewed_address(const nio_fanout *fanout,
                           const nio_address *address)
{
    put_address(fanout, follows_lifetimes, NIO_CHANGE_PARAMETER, address);
}

/* The kernel randomises the reachable time without a message. */
static bool
same_interface(const MIB_IPINTERFACE_ROW *a, const MIB_IPINTERFACE_ROW *b)
{
    MIB_IPINTERFACE_ROW copy = *a;
    copy.ReachableTime = b->ReachableTime;
    return memcmp(&copy, b, sizeof(copy)) == 0;
}

void
nio_fanout_link(const nio_fanout *fanout, const nio_link *before,
                const nio_link *after)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    if (!(fanout->kinds & (1u << NIO_INTERFACE))) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        MIB_IPINTERFACE_ROW old, new;
        bool was =
            before != NULL && nio_interface_row(before, families[i], &old);
        bool is = after != NULL && nio_interface_row(after, families[i], &new);
        if (!was && is) {
            put_all(fanout, NIO_INTERFACE, NIO_CHANGE_ADD, &new);
        } else if (was && !is) {
            put_all(fanout, NIO_INTERFACE, NIO_CHANGE_DELETE, &old);
        } else if (was && is && !same_interface(&old, &new)) {
            put_all(fanout, NIO_INTERFACE, NIO_CHANGE_PARAMETER, &new);
        }
    }
}
