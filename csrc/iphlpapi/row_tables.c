/* SPDX-License-Identifier: MIT */
/* Reads whole tables into the row cache, and puts the differences. */
#include "iphlpapi/row_tables.h"

#include "base/lock.h"

static void
remove_unseen(nio_row_cache *cache, nio_kind kind,
              const nio_change_template *template)
{
    uint32_t cursor = 0;
    nio_cached_row *cached;

    while ((cached = nio_store_each(&cache->rows[kind], &cursor)) != NULL) {
        if (cached->record.generation != cache->generation) {
            nio_row_cache_put_delete(cache, kind, cached, template);
        }
    }
}

/* Reads one table and puts its difference from the cache. */
static NETIO_STATUS
read_kind(nio_row_cache *cache, nio_kind kind,
          const nio_change_template *template)
{
    PVOID memory;
    const void *rows;
    size_t count;
    NETIO_STATUS status = nio_read_table(
        nio_system(), kind, cache->filter->family, &memory, &rows, &count);

    if (status != NO_ERROR) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        const void *row =
            (const uint8_t *)rows + i * nio_windows_row_size(kind);
        nio_row_cache_put_present(
            cache, kind, nio_row_cache_find(cache, kind, row), row, template);
    }
    if (memory != NULL) {
        nio_system()->FreeMibTable(memory);
    }
    remove_unseen(cache, kind, template);
    return NO_ERROR;
}

bool
nio_row_cache_differs(const nio_row_cache *cache, nio_kind kind)
{
    const size_t size = nio_windows_row_size(kind);
    PVOID memory;
    const void *rows;
    size_t count, known = 0;
    bool differs = false;

    if (nio_read_table(nio_system(), kind, cache->filter->family, &memory,
                       &rows, &count) != NO_ERROR) {
        return false;
    }
    for (size_t i = 0; i < count && !differs; i++) {
        const void *row = (const uint8_t *)rows + i * size;
        const nio_cached_row *cached = nio_row_cache_find(cache, kind, row);
        known += cached != NULL;
        differs =
            nio_filter_accepts(cache->filter, kind, row)
                ? cached == NULL || !nio_rows_equal(kind, cached->row, row)
                : cached != NULL;
    }
    if (memory != NULL) {
        nio_system()->FreeMibTable(memory);
    }
    return differs || known != cache->rows[kind].count;
}

static NETIO_STATUS
read_kinds(nio_row_cache *cache, unsigned kinds,
           const nio_change_template *template)
{
    NETIO_STATUS status = NO_ERROR;

    cache->generation++;
    cache->generation += cache->generation == 0; /* 0 marks a free record */
    /* Interfaces first, so that a taker knows the interface of each route. */
    for (int kind = 0; kind < NIO_KINDS && status == NO_ERROR; kind++) {
        if ((kinds & (1u << kind)) != 0) {
            status = read_kind(cache, (nio_kind)kind, template);
        }
    }
    return status;
}

NETIO_STATUS
nio_row_cache_load(nio_row_cache *cache, bool snapshot)
{
    const nio_change_template template = {.time_ns = nio_realtime_ns(),
                                          .flags = NIO_FLAG_SNAPSHOT,
                                          .silent = !snapshot};
    NETIO_STATUS status = read_kinds(cache, cache->kinds, &template);

    if (status == NO_ERROR && cache->dirty) {
        status = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status == NO_ERROR && snapshot) {
        nio_row_cache_put_mark(cache, NIO_FLAG_SYNCED);
    }
    return status;
}

void
nio_row_cache_reread(nio_row_cache *cache, unsigned kinds)
{
    const nio_change_template template = {.time_ns = nio_realtime_ns(),
                                          .flags = NIO_FLAG_SYNTHESIZED};

    (void)nio_atomic_add(&cache->resyncs, 1);
    cache->stale &= ~kinds;
    if (read_kinds(cache, kinds, &template) != NO_ERROR) {
        cache->dirty = true;
    }
}

void
nio_row_cache_repair(nio_row_cache *cache)
{
    const nio_change_template template = {.time_ns = nio_realtime_ns(),
                                          .flags = NIO_FLAG_SYNTHESIZED};

    (void)nio_atomic_add(&cache->resyncs, 1);
    cache->dirty = false;
    cache->stale = 0;
    if (!cache->overflow_open) {
        (void)nio_atomic_add(&cache->overflows, 1);
        nio_row_cache_put_mark(cache, NIO_FLAG_OVERFLOW);
        cache->overflow_open = true;
    }
    if (read_kinds(cache, cache->kinds, &template) != NO_ERROR) {
        cache->dirty = true;
    }
    if (!cache->dirty) {
        nio_row_cache_put_mark(cache, NIO_FLAG_SYNCED);
    }
    cache->overflow_open = cache->dirty;
}
