/* SPDX-License-Identifier: MIT */
/* Reading whole tables into the row cache. */
#pragma once

#include "iphlpapi/row_cache.h"

/* Reads all tables once, and puts each row as an ADD if `snapshot`. */
NETIO_STATUS nio_row_cache_load(nio_row_cache *cache, bool snapshot);
/* True: the table of this kind has other rows than the cache, as far as the
 * filter accepts them. False also where it cannot be read. */
bool nio_row_cache_differs(const nio_row_cache *cache, nio_kind kind);
/* Re-reads the tables of these kinds and puts the difference, without a mark:
 * since the filter accepts other rows now, or since a table is stale. `dirty`
 * is set where that failed. */
void nio_row_cache_reread(nio_row_cache *cache, unsigned kinds);
/* Re-reads all tables and puts the difference, between the marks OVERFLOW and
 * SYNCED. `dirty` stays set where that failed; the next repair then puts no
 * second OVERFLOW. */
void nio_row_cache_repair(nio_row_cache *cache);
