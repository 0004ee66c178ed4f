/* SPDX-License-Identifier: MIT */
/* One consumer of changes: what it wants, and the queue to which the changes
 * go. Not locked: the reader's alone; only the queue is shared. */
#pragma once

#include "base/filter.h"
#include "base/queue.h"
#include "contract/tower.h"
#include "rtnetlink/socket/table_set.h"

/* Kinds of changes, after those of contract/tower.h, that only a registration
 * of the low layer has. */
enum { NIO_TEREDO = NIO_KINDS, NIO_HINT, NIO_STABLE, NIO_ALL_KINDS };

typedef struct nio_subscriber {
    struct nio_subscriber *next;
    unsigned kinds;     /* bits: 1u << NIO_ROUTE, ... */
    nio_filter *filter; /* owned */
    nio_queue *queue;   /* borrowed until the detach */
    /* Called after the queue was signalled for the first time since it was
     * emptied; without a lock; or NULL. */
    void (*wake)(void *argument);
    void *wake_argument;
    bool snapshot;        /* wants all rows first */
    bool reads_tables;    /* reads tables of the system beside the queue */
    bool lifetimes;       /* a lifetime that was set anew is a change */
    bool initial;         /* wants MibInitialNotification first */
    bool owes_synced;     /* gets a SYNCED mark once the mirror is exact */
    unsigned reserved;    /* puts for which the queue has memory */
    bool put_failed;      /* a put failed for lack of memory */
    unsigned unsignalled; /* puts since the queue was last signalled */
    ADDRESS_FAMILY family;
    uint64_t stable_at; /* stable table: the number of address changes when it
                           was last reported, plus 1; 0: never */
} nio_subscriber;

/* Do changes of these kinds need the mirror to have routes? */
bool nio_kinds_need_routes(unsigned kinds);
/* Add the tables whose routes the subscriber needs. */
void nio_subscriber_add_tables(const nio_subscriber *subscriber,
                               nio_table_set *tables);

/* Make sure that the next few puts cannot fail: all changes that one message
 * can cause, and a mark before them. False: allocation failure. */
bool nio_subscriber_reserve(nio_subscriber *subscriber);

/* Put a change into the queue. If its allocation fails the queue counts the
 * loss and marks the gap itself; `put_failed` is then set. Signals the queue
 * at every 512th change. */
void nio_subscriber_put(nio_subscriber *subscriber, const nio_change *change,
                        const void *row);
/* Put a change of one of the nio_kind, if the subscriber wants this kind and
 * its filter accepts the row. */
void nio_subscriber_put_filtered(nio_subscriber *subscriber,
                                 const nio_change *change, const void *row);
/* Wake the thread that waits for what was put since the last signal. */
void nio_subscriber_signal(nio_subscriber *subscriber);
