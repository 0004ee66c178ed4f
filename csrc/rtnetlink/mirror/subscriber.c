/* SPDX-License-Identifier: MIT */
/* What a subscriber wants, and its queue: see subscriber.h. */
#include "rtnetlink/mirror/subscriber.h"

#include <linux/rtnetlink.h>

/* Changes that are put before the waiting thread is woken: some 0.3 ms of
 * work. A wake-up costs as much as 10 changes, and a thread that is woken for
 * each change soon sleeps again. */
#define SIGNAL_EVERY 512u

/* Puts that one message can cause per subscriber, and a mark before them. More
 * are reserved at once, so that the queue is not asked for each message. */
#define PUTS_PER_MESSAGE 5u
#define RESERVED_PUTS 12u
#define HAS_ROOM_FOR(row)                                                     \
    (RESERVED_PUTS * (sizeof(row) + sizeof(nio_change) + 8) <=                \
     NIO_QUEUE_RESERVE_BYTES)
_Static_assert(HAS_ROOM_FOR(MIB_IPINTERFACE_ROW) &&
                   HAS_ROOM_FOR(MIB_UNICASTIPADDRESS_ROW) &&
                   HAS_ROOM_FOR(MIB_IPFORWARD_ROW2),
               "a reservation holds RESERVED_PUTS changes of any kind");

bool
nio_kinds_need_routes(unsigned kinds)
{
    return (kinds & ((1u << NIO_ROUTE) | (1u << NIO_HINT))) != 0;
}

void
nio_subscriber_add_tables(const nio_subscriber *subscriber,
                          nio_table_set *tables)
{
    /* The connectivity hint is made from default routes: derived.c. */
    static const uint32_t defaults[] = {RT_TABLE_DEFAULT, RT_TABLE_MAIN};
    const nio_filter *filter = subscriber->filter;
    if (subscriber->kinds & (1u << NIO_HINT)) {
        nio_table_set_add(tables, defaults, 2);
    }
    if (!(subscriber->kinds & (1u << NIO_ROUTE))) {
        return;
    }
    if (filter->has_tables) {
        nio_table_set_add(tables, filter->tables, filter->table_count);
    } else {
        nio_table_set_add_all_others(tables);
    }
}

bool
nio_subscriber_reserve(nio_subscriber *subscriber)
{
    if (subscriber->reserved >= PUTS_PER_MESSAGE) {
        return true;
    }
    if (!nio_queue_reserve(subscriber->queue)) {
        return false;
    }
    subscriber->reserved = RESERVED_PUTS;
    return true;
}

void
nio_subscriber_put(nio_subscriber *subscriber, const nio_change *change,
                   const void *row)
{
    subscriber->put_failed |=
        !nio_queue_put_quietly(subscriber->queue, change, row);
    subscriber->reserved -= subscriber->reserved > 0;
    if (++subscriber->unsignalled >= SIGNAL_EVERY) {
        nio_subscriber_signal(subscriber);
    }
}

void
nio_subscriber_put_filtered(nio_subscriber *subscriber,
                            const nio_change *change, const void *row)
{
    if ((subscriber->kinds & (1u << change->kind)) &&
        nio_filter_accepts(subscriber->filter, (nio_kind)change->kind, row)) {
        nio_subscriber_put(subscriber, change, row);
    }
}

void
nio_subscriber_signal(nio_subscriber *subscriber)
{
    if (subscriber->unsignalled > 0) {
        subscriber->unsignalled = 0;
        if (nio_queue_signal(subscriber->queue) && subscriber->wake != NULL) {
            subscriber->wake(subscriber->wake_argument);
        }
    }
}
