/* SPDX-License-Identifier: MIT */
/* Re-reading single rows into the row cache. */
#pragma once

#include "iphlpapi/row_cache.h"

/* Re-reads the row with the key members of `key`, which `notified` says has
 * changed, and puts the difference; of a partial key all rows that it can
 * mean. `stale` is set where a row cannot be read. */
void nio_row_cache_update(nio_row_cache *cache, const nio_change *notified,
                          const void *key);
