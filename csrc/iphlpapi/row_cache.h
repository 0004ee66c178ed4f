/* SPDX-License-Identifier: MIT */
/* The rows of the system as the taker of a subscription's changes knows them,
 * and the changes that follow from re-reading them. Not locked: it belongs to
 * one thread at a time, except for the two counters. */
#pragma once

#include "base/filter.h"
#include "base/queue.h"
#include "base/store.h"
#include "contract/tower.h"
#include "iphlpapi/rows.h"

typedef struct nio_row_cache {
    unsigned kinds;           /* bits: 1u << NIO_ROUTE, ... */
    bool lifetimes;           /* a longer lifetime is a difference */
    const nio_filter *filter; /* borrowed; not NULL */
    nio_queue *queue;         /* borrowed: changes are put there */
    nio_store rows[NIO_KINDS];
    uint32_t generation; /* number of the last read of all tables */
    /* Bits, as in `kinds`: a row of such a table could not be read by its key,
     * so the table has to be read. Nothing was lost. */
    unsigned stale;
    /* The cache may be wrong: all tables have to be read. */
    bool dirty;
    /* The interface that a partial key last proved to mean. */
    NET_IFINDEX last_index;
    NET_LUID last_luid;
    bool overflow_open; /* an OVERFLOW was put, and no SYNCED since */

    /* any thread */
    nio_atomic overflows;
    nio_atomic resyncs;
} nio_row_cache;

/* An empty cache, which owns none of the arguments. */
void nio_row_cache_init(nio_row_cache *cache, const nio_request *request,
                        const nio_filter *filter, nio_queue *queue);
void nio_row_cache_done(nio_row_cache *cache);

/* A whole row, in the state last put into the queue. */
typedef struct nio_cached_row {
    nio_record record;
    uint64_t row[]; /* nio_windows_row_size() bytes */
} nio_cached_row;

/* What the changes of one difference have in common. */
typedef struct nio_change_template {
    uint64_t time_ns;
    uint8_t flags;
    bool silent; /* only fill the cache */
} nio_change_template;

/* The cached row with the key of `row`, or NULL. */
nio_cached_row *nio_row_cache_find(const nio_row_cache *cache, nio_kind kind,
                                   const void *row);
/* `row` is the present state. `cached` is the cached row of its key, or NULL.
 */
void nio_row_cache_put_present(nio_row_cache *cache, nio_kind kind,
                               nio_cached_row *cached, const void *row,
                               const nio_change_template *template);
void nio_row_cache_put_delete(nio_row_cache *cache, nio_kind kind,
                              nio_cached_row *cached,
                              const nio_change_template *template);
void nio_row_cache_put_mark(nio_row_cache *cache, uint8_t flag);
