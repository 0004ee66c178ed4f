/* SPDX-License-Identifier: MIT */
/* Re-reads single rows: those that a notification means. */
#include "iphlpapi/row_updates.h"

#include "iphlpapi/partial_key.h"

/* Re-reads the row of one key. */
static void
update_one(nio_row_cache *cache, nio_kind kind, uint8_t type, const void *key,
           const nio_change_template *template)
{
    nio_any_row row;
    nio_cached_row *cached = nio_row_cache_find(cache, kind, key);

    /* A row with this key may exist again by now, but it is another row. */
    if (cached != NULL && type == NIO_CHANGE_DELETE) {
        nio_row_cache_put_delete(cache, kind, cached, template);
        cached = nio_row_cache_find(cache, kind, key);
    }
    switch (nio_reread_row(kind, key, &row)) {
    case NO_ERROR:
        /* Found again by the key of the row itself: the callback may have
         * identified the interface by its index alone. */
        cached = nio_row_cache_find(cache, kind, &row);
        nio_row_cache_put_present(cache, kind, cached, &row, template);
        break;
    case ERROR_NOT_FOUND:
    case ERROR_FILE_NOT_FOUND: /* nor does its interface exist */
        if (cached != NULL) {
            nio_row_cache_put_delete(cache, kind, cached, template);
        }
        break;
    default: /* the key is odd, or its family has gone, ...: the table tells */
        cache->stale |= 1u << kind;
    }
}

/* Replaces the partial key by that of the one cached row that it can mean.
 * Returns how many it can mean; after the first it is no longer changed. */
static size_t
resolve(nio_row_cache *cache, nio_kind kind, nio_any_row *key)
{
    const nio_any_row given = *key;
    uint32_t cursor = 0;
    size_t count = 0;
    const nio_cached_row *cached;

    /* The rows of an adapter that has gone follow each other: so only the
     * first of them is searched for among all. */
    nio_key_complete(kind, key, cache->last_index, cache->last_luid);
    if (nio_row_cache_find(cache, kind, key) != NULL) {
        return 1;
    }
    *key = given;
    while ((cached = nio_store_each(&cache->rows[kind], &cursor)) != NULL) {
        if (nio_key_could_be_of(kind, &given, cached->row) && count++ == 0) {
            nio_copy_key(kind, cached->row, key);
            cache->last_index = nio_row_index(kind, cached->row);
            cache->last_luid = nio_row_luid(kind, cached->row);
        }
    }
    return count;
}

/* Re-reads each cached row that the partial key can mean. None is taken for
 * deleted before it was looked for. */
static void
update_each(nio_row_cache *cache, nio_kind kind, const nio_any_row *key,
            const nio_change_template *template)
{
    uint32_t cursor = 0;
    const nio_cached_row *cached;

    while ((cached = nio_store_each(&cache->rows[kind], &cursor)) != NULL) {
        if (nio_key_could_be_of(kind, key, cached->row)) {
            update_one(cache, kind, NIO_CHANGE_PARAMETER, cached->row,
                       template);
        }
    }
}

void
nio_row_cache_update(nio_row_cache *cache, const nio_change *notified,
                     const void *key)
{
    const nio_kind kind = (nio_kind)notified->kind;
    const nio_change_template template = {.time_ns = notified->time_ns};
    nio_any_row given, meant;
    size_t count = 0;

    if (nio_key_is_partial(kind, key)) {
        nio_copy_key(kind, key, &given);
        meant = given;
        count = resolve(cache, kind, &meant);
        if (count == 1) {
            update_one(cache, kind, notified->type, &meant, &template);
        } else if (count > 1) {
            update_each(cache, kind, &given, &template);
        }
    }
    /* What is not a deletion can be of a row that is not known yet. */
    if (count == 0 || notified->type != NIO_CHANGE_DELETE) {
        update_one(cache, kind, notified->type, key, &template);
    }
}
