/* SPDX-License-Identifier: MIT */
/* From one mirror to all subscribers: makes a row once for those who want it
 * and appends it to their queues. Not locked: the reader's alone; only the
 * queues behind it are shared. */
#pragma once

#include "base/filter.h"
#include "base/queue.h"
#include "contract/tower.h"
#include "rtnetlink/decode/record.h"
#include "base/store.h"

/* Kinds of changes that only a registration of the low layer has. */
enum { NIO_TEREDO = NIO_KINDS, NIO_HINT, NIO_STABLE, NIO_ALL_KINDS };

typedef struct nio_subscriber {
    struct nio_subscriber *next;
    unsigned kinds;     /* bits: 1u << NIO_ROUTE, ... */
    nio_filter *filter; /* owned */
    nio_queue *queue;   /* borrowed until it is detached */
    bool snapshot;      /* wants all rows first */
    bool initial;       /* wants MibInitialNotification first */
    bool owes_synced;   /* gets a SYNCED mark when the mirror is exact */
    bool pending;       /* stable table: not stable when last looked at */
    unsigned ahead;     /* puts that surely find memory */
    bool missed;        /* a put of its own did not */
    unsigned untold;    /* put, and nobody woken for it: below WAKE_EVERY */
    ADDRESS_FAMILY family;
} nio_subscriber;

typedef struct nio_fanout {
    nio_subscriber *subscribers;
    unsigned kinds;         /* that any subscriber wants */
    const nio_store *links; /* of the mirror: for LUIDs */
    uint64_t time_ns;       /* of the message that is being applied */
    uint8_t flags;          /* NIO_FLAG_SYNTHESIZED where no message says it */
} nio_fanout;

void nio_fanout_attach(nio_fanout *fanout, nio_subscriber *subscriber);
void nio_fanout_detach(nio_fanout *fanout, nio_subscriber *subscriber);

/* Is there memory to tell all of them of a few changes? Who asks first does
 * not change what it knows before it can tell it. */
bool nio_fanout_reserve(const nio_fanout *fanout);

/* A change of one record, to all who want it. */
void nio_fanout_route(const nio_fanout *fanout, uint8_t type,
                      const nio_route *route);
/* A known route changed. For whom only one of the two states passes the
 * filter, it came or went. */
void nio_fanout_route_change(const nio_fanout *fanout, const nio_route *before,
                             const nio_route *after);
void nio_fanout_address(const nio_fanout *fanout, uint8_t type,
                        const nio_address *address);
/* Compares both families' rows of the link before (NULL: it is new) and after
 * (NULL: it is gone), and tells what became of each. */
void nio_fanout_link(const nio_fanout *fanout, const nio_link *before,
                     const nio_link *after);

/* Wake who waits for what was put. The reader does so before it waits itself;
 * in between, who is slow to put is not slow to wake: see fanout.c. */
void nio_fanout_signal(nio_fanout *fanout);
void nio_subscriber_signal(nio_subscriber *subscriber);

/* A change to one subscriber, if its filter lets it pass. */
void nio_subscriber_put(nio_subscriber *subscriber, const nio_fanout *fanout,
                        nio_kind kind, uint8_t type, uint8_t flags,
                        const void *row);
/* What has no row of a MIB: a mark, a port, a hint, the initial call. */
void nio_subscriber_put_plain(nio_subscriber *subscriber,
                              const nio_fanout *fanout, uint8_t kind,
                              uint8_t type, uint8_t flags, const void *row,
                              size_t size);
/* To all: changes were lost; the repair follows, and a SYNCED mark after it.
 */
void nio_fanout_mark_overflow(const nio_fanout *fanout);
