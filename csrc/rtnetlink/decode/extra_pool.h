/* SPDX-License-Identifier: MIT */
/* The blocks (base/extra.h) that the records of a mirror refer to, each once:
 * records with the same items have the same block, so that pointers are
 * compared. Not locked: the pool belongs to the thread of its mirror; the
 * blocks outlive it, in rows. */
#pragma once

#include "base/extra.h"

typedef struct nio_extra_pool {
    nio_extra **buckets;   /* owned, and so is one reference of each block */
    uint32_t bucket_count; /* a power of two, or 0 */
    uint32_t count;
    uint64_t seed;
} nio_extra_pool;

void nio_extra_pool_init(nio_extra_pool *pool);
/* The blocks that rows still have stay. */
void nio_extra_pool_done(nio_extra_pool *pool);

/* The block of these items, with one more use; NULL for no items. False:
 * allocation failure. Items for which there is no room in a block (base's
 * NIO_EXTRA_MAX) never come here: nio_extra_append leaves them out. */
bool nio_extra_pool_get(nio_extra_pool *pool, const uint8_t *items,
                        size_t size, const nio_extra **ret_extra);
/* One more use of a block of the pool. Accepts NULL, returns `extra`. */
static inline const nio_extra *
nio_extra_pool_use(const nio_extra *extra)
{
    if (extra != NULL) {
        ((nio_extra *)extra)->uses++;
    }
    return extra;
}
/* The end of one use; the last one ends the pool's reference. */
void nio_extra_pool_end_use(nio_extra_pool *pool, const nio_extra *extra);
/* Likewise; accepts NULL, which most routes have. */
static inline void
nio_extra_pool_release(nio_extra_pool *pool, const nio_extra *extra)
{
    if (extra != NULL) {
        nio_extra_pool_end_use(pool, extra);
    }
}
