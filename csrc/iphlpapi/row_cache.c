/* SPDX-License-Identifier: MIT */
/* The row cache: each row for which the system reports a change is re-read,
 * and the difference is put into the queue. Windows gives a key only, also
 * where nothing changed, and may report a row again that was read at the
 * start. And a deleted row can no longer be read. */
#include "iphlpapi/row_cache.h"

#include "base/lock.h"

#include <string.h>

/* ---- the store */
/* Space for one cached row of any kind. */
typedef union cached_row_space {
    nio_cached_row cached;
    uint64_t bytes[(sizeof(nio_cached_row) + sizeof(nio_any_row)) / 8 + 1];
} cached_row_space;

static uint64_t
hash_of(nio_kind kind, const void *record, uint64_t seed)
{
    uint8_t key[NIO_KEY_SIZE] = {0};
    size_t size =
        nio_row_key(kind, ((const nio_cached_row *)record)->row, key);
    return nio_hash(key, (size + 3) / 4 * 4, seed);
}

static uint64_t
hash_interface(const void *record, uint64_t seed)
{
    return hash_of(NIO_INTERFACE, record, seed);
}

static uint64_t
hash_address(const void *record, uint64_t seed)
{
    return hash_of(NIO_ADDRESS, record, seed);
}

static uint64_t
hash_route(const void *record, uint64_t seed)
{
    return hash_of(NIO_ROUTE, record, seed);
}

void
nio_row_cache_init(nio_row_cache *cache, const nio_request *request,
                   const nio_filter *filter, nio_queue *queue)
{
    static uint64_t (*const hashes[NIO_KINDS])(const void *, uint64_t) = {
        [NIO_INTERFACE] = hash_interface,
        [NIO_ADDRESS] = hash_address,
        [NIO_ROUTE] = hash_route,
    };

    *cache = (nio_row_cache){.kinds = request->kinds,
                             .lifetimes = request->lifetimes,
                             .filter = filter,
                             .queue = queue,
                             .generation = 1};
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        nio_store_init(&cache->rows[kind],
                       sizeof(nio_cached_row) +
                           nio_windows_row_size((nio_kind)kind),
                       hashes[kind]);
    }
}

void
nio_row_cache_done(nio_row_cache *cache)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        nio_store_done(&cache->rows[kind]);
    }
}

static bool
has_key(nio_kind kind, const nio_cached_row *cached, const uint8_t *key,
        size_t size)
{
    uint8_t other[NIO_KEY_SIZE];
    return nio_row_key(kind, cached->row, other) == size &&
           memcmp(other, key, size) == 0;
}

nio_cached_row *
nio_row_cache_find(const nio_row_cache *cache, nio_kind kind, const void *row)
{
    const nio_store *store = &cache->rows[kind];
    cached_row_space wanted;
    uint8_t key[NIO_KEY_SIZE];
    size_t size = nio_row_key(kind, row, key);

    memcpy(wanted.cached.row, row, nio_windows_row_size(kind));
    nio_cached_row *cached = nio_store_first(store, &wanted.cached);
    while (cached != NULL && !has_key(kind, cached, key, size)) {
        cached = nio_store_next(store, cached);
    }
    return cached;
}

/* ---- putting differences */
/* False on allocation failure: the cache must not contain this state then. */
static bool
emit(nio_row_cache *cache, nio_kind kind, uint8_t type, const void *row,
     const nio_change_template *template)
{
    nio_change change = {.time_ns = template->time_ns,
                         .size = (uint16_t)nio_windows_row_size(kind),
                         .kind = (uint8_t)kind,
                         .type = type,
                         .flags = template->flags};
    if (template->silent || nio_queue_put(cache->queue, &change, row)) {
        return true;
    }
    cache->dirty = true; /* the queue counts the loss, and puts the mark */
    return false;
}

void
nio_row_cache_put_mark(nio_row_cache *cache, uint8_t flag)
{
    nio_change mark = {
        .time_ns = nio_realtime_ns(), .kind = NIO_CHANGE_MARK, .flags = flag};
    cache->dirty |= !nio_queue_put(cache->queue, &mark, NULL);
}

void
nio_row_cache_put_delete(nio_row_cache *cache, nio_kind kind,
                         nio_cached_row *cached,
                         const nio_change_template *template)
{
    if (emit(cache, kind, NIO_CHANGE_DELETE, cached->row, template)) {
        nio_store_remove(&cache->rows[kind], cached);
    }
}

static void
emit_add(nio_row_cache *cache, nio_kind kind, const void *row,
         const nio_change_template *template)
{
    cached_row_space space = {
        .cached = {.record = {.generation = cache->generation}}};

    memcpy(space.cached.row, row, nio_windows_row_size(kind));
    nio_cached_row *cached = nio_store_add(&cache->rows[kind], &space.cached);
    if (cached == NULL) {
        cache->dirty = true;
    } else if (!emit(cache, kind, NIO_CHANGE_ADD, row, template)) {
        nio_store_remove(&cache->rows[kind], cached);
    }
}

void
nio_row_cache_put_present(nio_row_cache *cache, nio_kind kind,
                          nio_cached_row *cached, const void *row,
                          const nio_change_template *template)
{
    if (!nio_filter_accepts(cache->filter, kind, row)) {
        if (cached != NULL) {
            nio_row_cache_put_delete(cache, kind, cached, template);
        }
        return;
    }
    if (cached == NULL) {
        emit_add(cache, kind, row, template);
        return;
    }
    cached->record.generation = cache->generation;
    bool equal =
        nio_rows_equal(kind, cached->row, row) &&
        !(cache->lifetimes && nio_row_renewed(kind, cached->row, row));
    if (equal || emit(cache, kind, NIO_CHANGE_PARAMETER, row, template)) {
        /* Even if equal: a later DELETE then has the latest lifetimes. */
        memcpy(cached->row, row, nio_windows_row_size(kind));
    }
}
