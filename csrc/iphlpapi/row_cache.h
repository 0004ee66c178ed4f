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
/* Reads all tables once, and puts each row as an ADD if `snapshot`. */
NETIO_STATUS nio_row_cache_load(nio_row_cache *cache, bool snapshot);
/* Re-reads the row with the key members of `key`, which `notified` says has
 * changed, and puts the difference; of a partial key all rows that it can
 * mean. `stale` is set where a row cannot be read. */
void nio_row_cache_update(nio_row_cache *cache, const nio_change *notified,
                          const void *key);
/* Re-reads the tables of these kinds and puts the difference, without a mark:
 * since the filter accepts other rows now, or since a table is stale. `dirty`
 * is set where that failed. */
void nio_row_cache_reread(nio_row_cache *cache, unsigned kinds);
/* Re-reads all tables and puts the difference, between the marks OVERFLOW and
 * SYNCED. `dirty` stays set where that failed; the next repair then puts no
 * second OVERFLOW. */
void nio_row_cache_repair(nio_row_cache *cache);
