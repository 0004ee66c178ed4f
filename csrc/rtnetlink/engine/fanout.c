/* SPDX-License-Identifier: MIT */
/* Rows to queues: see fanout.h. */
#include "rtnetlink/engine/fanout.h"

#include "rtnetlink/api/rows.h"

#include <string.h>

/* Changes put in a row before who waits for them is woken: some 0.3 ms. A
 * wake-up costs what 10 changes do, and the thread that is woken soon sleeps
 * again when it is woken for each. */
#define WAKE_EVERY 512u

/* Of one record come at most so many changes, and a mark before them; room is
 * made for more, so that it is asked for now and then only. */
#define AT_ONCE 5u
#define AHEAD 12u
_Static_assert(
    AHEAD * (sizeof(MIB_IPINTERFACE_ROW) + sizeof(nio_change) + 8) <=
            NIO_QUEUE_RESERVE_BYTES &&
        AHEAD * (sizeof(MIB_IPFORWARD_ROW2) + sizeof(nio_change) + 8) <=
            NIO_QUEUE_RESERVE_BYTES &&
        AHEAD * (sizeof(MIB_UNICASTIPADDRESS_ROW) + sizeof(nio_change) + 8) <=
            NIO_QUEUE_RESERVE_BYTES,
    "room for so many of any kind");

static const uint16_t row_sizes[NIO_KINDS] = {
    [NIO_INTERFACE] = sizeof(MIB_IPINTERFACE_ROW),
    [NIO_ADDRESS] = sizeof(MIB_UNICASTIPADDRESS_ROW),
    [NIO_ROUTE] = sizeof(MIB_IPFORWARD_ROW2),
};

static void
count_kinds(nio_fanout *fanout)
{
    fanout->kinds = 0;
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        fanout->kinds |= s->kinds;
    }
}

void
nio_subscriber_signal(nio_subscriber *subscriber)
{
    if (subscriber->untold > 0) {
        subscriber->untold = 0;
        nio_queue_signal(subscriber->queue);
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
        if (s->ahead < AT_ONCE) {
            if (!nio_queue_reserve(s->queue)) {
                return false;
            }
            s->ahead = AHEAD;
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
nio_subscriber_put_plain(nio_subscriber *subscriber, const nio_fanout *fanout,
                         uint8_t kind, uint8_t type, uint8_t flags,
                         const void *row, size_t size)
{
    nio_change change = {.time_ns = fanout->time_ns,
                         .size = (uint16_t)size,
                         .kind = kind,
                         .type = type,
                         .flags = flags};
    /* A put that finds no memory is counted by the queue, which marks the
     * gap itself. */
    subscriber->missed |=
        !nio_queue_put_quietly(subscriber->queue, &change, row);
    subscriber->ahead -= subscriber->ahead > 0;
    if (++subscriber->untold >= WAKE_EVERY) {
        nio_subscriber_signal(subscriber);
    }
}

void
nio_subscriber_put(nio_subscriber *subscriber, const nio_fanout *fanout,
                   nio_kind kind, uint8_t type, uint8_t flags, const void *row)
{
    if ((subscriber->kinds & (1u << kind)) &&
        nio_filter_accepts(subscriber->filter, kind, row)) {
        nio_subscriber_put_plain(subscriber, fanout, (uint8_t)kind, type,
                                 flags, row, row_sizes[kind]);
    }
}

void
nio_fanout_mark_overflow(const nio_fanout *fanout)
{
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        nio_subscriber_put_plain(s, fanout, NIO_CHANGE_MARK, 0,
                                 NIO_FLAG_OVERFLOW, NULL, 0);
        s->owes_synced = true;
    }
}

static void
put_all(const nio_fanout *fanout, nio_kind kind, uint8_t type, const void *row)
{
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        nio_subscriber_put(s, fanout, kind, type, fanout->flags, row);
    }
}

void
nio_fanout_route(const nio_fanout *fanout, uint8_t type,
                 const nio_route *route)
{
    MIB_IPFORWARD_ROW2 row;
    if (fanout->kinds & (1u << NIO_ROUTE)) {
        nio_route_row(route, fanout->links, &row);
        put_all(fanout, NIO_ROUTE, type, &row);
    }
}

void
nio_fanout_route_change(const nio_fanout *fanout, const nio_route *before,
                        const nio_route *after)
{
    MIB_IPFORWARD_ROW2 old, new;
    if (!(fanout->kinds & (1u << NIO_ROUTE))) {
        return;
    }
    nio_route_row(after, fanout->links, &new);
    if (before->protocol == after->protocol) {
        put_all(fanout, NIO_ROUTE, NIO_CHANGE_PARAMETER, &new);
        return; /* all else that a filter looks at is the identity */
    }
    nio_route_row(before, fanout->links, &old);
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        bool was = nio_filter_accepts(s->filter, NIO_ROUTE, &old);
        bool is = nio_filter_accepts(s->filter, NIO_ROUTE, &new);
        if (was && !is) {
            nio_subscriber_put(s, fanout, NIO_ROUTE, NIO_CHANGE_DELETE,
                               fanout->flags, &old);
        } else if (is) {
            nio_subscriber_put(s, fanout, NIO_ROUTE,
                               was ? NIO_CHANGE_PARAMETER : NIO_CHANGE_ADD,
                               fanout->flags, &new);
        }
    }
}

void
nio_fanout_address(const nio_fanout *fanout, uint8_t type,
                   const nio_address *address)
{
    MIB_UNICASTIPADDRESS_ROW row;
    if (fanout->kinds & (1u << NIO_ADDRESS)) {
        nio_address_row(address, fanout->links, &row);
        put_all(fanout, NIO_ADDRESS, type, &row);
    }
}

/* The kernel randomises the reachable time and says nothing of it. */
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
