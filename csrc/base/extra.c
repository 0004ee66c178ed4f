/* SPDX-License-Identifier: MIT */
/* The blocks of extra.h. */
#include "base/extra.h"

#include <stdlib.h>

typedef struct item {
    uint16_t tag;
    uint16_t size;
} item;

static size_t
padded(size_t size)
{
    return (size + 3) / 4 * 4;
}

/* The item at `at`, whose end goes to `ret_end`; false: it is not whole. */
static bool
read_item(const uint8_t *items, size_t size, size_t at, item *ret_item,
          size_t *ret_end)
{
    if (size - at < NIO_EXTRA_HEADER) {
        return false;
    }
    memcpy(ret_item, items + at, NIO_EXTRA_HEADER);
    *ret_end = at + NIO_EXTRA_HEADER + padded(ret_item->size);
    return *ret_end <= size;
}

bool
nio_extra_is_well_formed(const uint8_t *items, size_t size)
{
    size_t key_size = 0;
    item it;
    for (size_t at = 0, end; size <= NIO_EXTRA_MAX && at < size; at = end) {
        if (!read_item(items, size, at, &it, &end)) {
            return false;
        }
        key_size = it.tag <= NIO_EXTRA_LAST_OF_KEY ? end : key_size;
    }
    return size <= NIO_EXTRA_MAX && key_size <= NIO_EXTRA_KEY_MAX;
}

nio_extra *
nio_extra_new(const uint8_t *items, size_t size)
{
    item it;
    nio_extra *extra = nio_extra_is_well_formed(items, size)
                           ? calloc(1, sizeof(*extra) + size)
                           : NULL;
    if (extra == NULL) {
        return NULL;
    }
    nio_atomic_store(&extra->references, 1);
    extra->size = (uint32_t)size;
    for (size_t at = 0, end; read_item(items, size, at, &it, &end); at = end) {
        if (it.tag <= NIO_EXTRA_LAST_OF_KEY) {
            extra->key_size = (uint32_t)end;
        }
        extra->is_for_rows |= it.tag <= NIO_EXTRA_LAST_OF_KEY ||
                              it.tag > NIO_EXTRA_LAST_OF_RECORD;
    }
    memcpy(extra->items, items, size);
    return extra;
}

const nio_extra *
nio_extra_keep(const nio_extra *extra)
{
    if (extra != NULL) {
        (void)nio_atomic_add((nio_atomic *)&extra->references, 1);
    }
    return extra;
}

void
nio_extra_drop(const nio_extra *extra)
{
    if (extra != NULL &&
        nio_atomic_add((nio_atomic *)&extra->references, UINT64_MAX) == 1) {
        free((nio_extra *)extra);
    }
}

const uint8_t *
nio_extra_find(const nio_extra *extra, unsigned tag, size_t *ret_size)
{
    item it;
    for (size_t at = 0, end; extra != NULL && at < extra->size; at = end) {
        if (!read_item(extra->items, extra->size, at, &it, &end)) {
            break;
        }
        if (it.tag == tag) {
            *ret_size = it.size;
            return extra->items + at + NIO_EXTRA_HEADER;
        }
    }
    return NULL;
}

/* Bytes of the items up to `last_tag`, which is one of the key's. */
static size_t
key_bytes(const nio_extra *extra, unsigned last_tag)
{
    size_t at = 0, end;
    item it;
    while (extra != NULL && at < extra->key_size &&
           read_item(extra->items, extra->key_size, at, &it, &end) &&
           it.tag <= last_tag) {
        at = end;
    }
    return at;
}

bool
nio_extra_same_key(const nio_extra *a, const nio_extra *b, unsigned last_tag)
{
    const size_t size = key_bytes(a, last_tag);
    return size == key_bytes(b, last_tag) &&
           (size == 0 || memcmp(a->items, b->items, size) == 0);
}

size_t
nio_extra_append(uint8_t *items, size_t used, unsigned tag, const void *bytes,
                 size_t size)
{
    const item it = {(uint16_t)tag, (uint16_t)size};
    const size_t all = NIO_EXTRA_HEADER + padded(size);
    if (size > NIO_EXTRA_MAX || all > NIO_EXTRA_MAX - used) {
        return used;
    }
    memset(items + used, 0, all);
    memcpy(items + used, &it, NIO_EXTRA_HEADER);
    memcpy(items + used + NIO_EXTRA_HEADER, bytes, size);
    return used + all;
}
