/* SPDX-License-Identifier: MIT */
/* A subscription of the high layer, and what it knows of the system. */
#pragma once

#include "base/filter.h"
#include "base/lock.h"
#include "base/queue.h"
#include "base/store.h"
#include "base/thread.h"
#include "iphlpapi/rows.h"

/* What is remembered of a row: the whole of it as it was last told. */
typedef struct nio_known {
    nio_record record;
    uint64_t row[]; /* nio_windows_row_size() bytes */
} nio_known;

typedef struct nio_subscription {
    unsigned kinds;
    nio_filter *filter;      /* owned */
    struct nio_queue *queue; /* borrowed: where changes are told */
    /* What the callbacks leave: keys of rows that changed. */
    nio_queue *inbox;   /* owned */
    nio_event readable; /* set while it holds anything */
    HANDLE handles[NIO_KINDS];
    nio_thread worker;

    /* any thread */
    nio_atomic stopped;
    nio_atomic lost; /* a key found no memory */
    nio_atomic messages;
    nio_atomic overflows;
    nio_atomic resyncs;

    /* the worker's alone; before it starts, the subscriber's */
    nio_store known[NIO_KINDS];
    uint32_t reading; /* number of the last reading of the tables */
    bool dirty;       /* what is known may be wrong: read the tables */
    bool owed;        /* an OVERFLOW was told, and no SYNCED since */
} nio_subscription;

/* ---- mirror.c: the worker's part */
void nio_row_cache_init(nio_subscription *self);
void nio_row_cache_done(nio_subscription *self);
/* Before the worker starts: learn all rows, and tell them if `snapshot`. */
NETIO_STATUS nio_row_cache_learn(nio_subscription *self, bool snapshot);
/* Something happened to the row with this key: tell the difference. */
void nio_row_cache_look(nio_subscription *self, const nio_change *change,
                        const void *key);
/* Read the tables again and tell the difference, between the marks OVERFLOW
 * and SYNCED. `dirty` stays where that was not possible now, and OVERFLOW is
 * not told again then. */
void nio_row_cache_repair(nio_subscription *self);
