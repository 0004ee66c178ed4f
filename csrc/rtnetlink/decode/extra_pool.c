/* SPDX-License-Identifier: MIT */
/* A hash table of blocks: see extra_pool.h. */
#include "rtnetlink/decode/extra_pool.h"

#include "base/seed.h"
#include "base/store.h"

#include <stdlib.h>

#define FIRST_BUCKETS 16u

void
nio_extra_pool_init(nio_extra_pool *pool)
{
    *pool = (nio_extra_pool){.seed = nio_seed()};
}

void
nio_extra_pool_done(nio_extra_pool *pool)
{
    for (uint32_t i = 0; i < pool->bucket_count; i++) {
        nio_extra *next;
        for (nio_extra *extra = pool->buckets[i]; extra != NULL;
             extra = next) {
            next = extra->next;
            nio_extra_drop(extra);
        }
    }
    free(pool->buckets);
    nio_extra_pool_init(pool);
}

static nio_extra **
bucket_of(const nio_extra_pool *pool, uint64_t hash)
{
    return &pool->buckets[hash & (pool->bucket_count - 1)];
}

/* Doubles the buckets. After an allocation failure the chains grow longer. */
static bool
grow(nio_extra_pool *pool)
{
    const uint32_t old_count = pool->bucket_count;
    nio_extra **old = pool->buckets;
    const uint32_t count = old_count == 0 ? FIRST_BUCKETS : old_count * 2;
    nio_extra **buckets = calloc(count, sizeof(nio_extra *));
    if (buckets == NULL) {
        return old_count != 0;
    }
    pool->buckets = buckets;
    pool->bucket_count = count;
    for (uint32_t i = 0; i < old_count; i++) {
        nio_extra *next;
        for (nio_extra *extra = old[i]; extra != NULL; extra = next) {
            nio_extra **bucket = bucket_of(pool, extra->hash);
            next = extra->next;
            extra->next = *bucket;
            *bucket = extra;
        }
    }
    free(old);
    return true;
}

bool
nio_extra_pool_get(nio_extra_pool *pool, const uint8_t *items, size_t size,
                   const nio_extra **ret_extra)
{
    const uint64_t hash = nio_hash(items, size, pool->seed);
    *ret_extra = NULL;
    if (size == 0) {
        return true;
    }
    if (pool->count >= pool->bucket_count && !grow(pool)) {
        return false;
    }
    nio_extra *extra = *bucket_of(pool, hash);
    while (extra != NULL && (extra->hash != hash || extra->size != size ||
                             memcmp(extra->items, items, size) != 0)) {
        extra = extra->next;
    }
    if (extra == NULL) {
        extra = nio_extra_new(items, size);
        if (extra == NULL) {
            return false;
        }
        extra->hash = hash;
        extra->next = *bucket_of(pool, hash);
        *bucket_of(pool, hash) = extra;
        pool->count++;
    }
    extra->uses++;
    *ret_extra = extra;
    return true;
}

void
nio_extra_pool_end_use(nio_extra_pool *pool, const nio_extra *extra)
{
    if (--((nio_extra *)extra)->uses > 0) {
        return;
    }
    nio_extra **link = bucket_of(pool, extra->hash);
    while (*link != extra) {
        link = &(*link)->next;
    }
    *link = extra->next;
    pool->count--;
    nio_extra_drop(extra);
}
