/* SPDX-License-Identifier: MIT */
/* The row cache: each row for which the system reports a change is re-read,
 * and the difference is put into the queue. Windows gives a key only, also
 * where nothing changed, and may report a row again that was read at the
 * start. And a deleted row can no longer be read. */
#include "iphlpapi/row_cache.h"

#include "base/lock.h"
#include "iphlpapi/partial_key.h"

#include <string.h>

/* ---- the store: whole rows, in the state last put into the queue */
typedef struct cached_row {
    nio_record record;
    uint64_t row[]; /* nio_windows_row_size() bytes */
} cached_row;

/* Space for one cached row of any kind. */
typedef union cached_row_space {
    cached_row cached;
    uint64_t bytes[(sizeof(cached_row) + sizeof(nio_any_row)) / 8 + 1];
} cached_row_space;

static uint64_t
hash_of(nio_kind kind, const void *record, uint64_t seed)
{
    uint8_t key[NIO_KEY_SIZE] = {0};
    size_t size = nio_row_key(kind, ((const cached_row *)record)->row, key);
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
                       sizeof(cached_row) +
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
has_key(nio_kind kind, const cached_row *cached, const uint8_t *key,
        size_t size)
{
    uint8_t other[NIO_KEY_SIZE];
    return nio_row_key(kind, cached->row, other) == size &&
           memcmp(other, key, size) == 0;
}

/* The cached row with the key of `row`, or NULL. */
static cached_row *
find(const nio_store *store, nio_kind kind, const void *row)
{
    cached_row_space wanted;
    uint8_t key[NIO_KEY_SIZE];
    size_t size = nio_row_key(kind, row, key);

    memcpy(wanted.cached.row, row, nio_windows_row_size(kind));
    cached_row *cached = nio_store_first(store, &wanted.cached);
    while (cached != NULL && !has_key(kind, cached, key, size)) {
        cached = nio_store_next(store, cached);
    }
    return cached;
}

/* ---- putting differences */
/* What the changes of one difference have in common. */
typedef struct change_template {
    uint64_t time_ns;
    uint8_t flags;
    bool silent; /* only fill the cache */
} change_template;

/* False on allocation failure: the cache must not contain this state then. */
static bool
emit(nio_row_cache *cache, nio_kind kind, uint8_t type, const void *row,
     const change_template *template)
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

static void
emit_mark(nio_row_cache *cache, uint8_t flag)
{
    nio_change mark = {
        .time_ns = nio_realtime_ns(), .kind = NIO_CHANGE_MARK, .flags = flag};
    cache->dirty |= !nio_queue_put(cache->queue, &mark, NULL);
}

static void
emit_delete(nio_row_cache *cache, nio_kind kind, cached_row *cached,
            const change_template *template)
{
    if (emit(cache, kind, NIO_CHANGE_DELETE, cached->row, template)) {
        nio_store_remove(&cache->rows[kind], cached);
    }
}

static void
emit_add(nio_row_cache *cache, nio_kind kind, const void *row,
         const change_template *template)
{
    cached_row_space space = {
        .cached = {.record = {.generation = cache->generation}}};

    memcpy(space.cached.row, row, nio_windows_row_size(kind));
    cached_row *cached = nio_store_add(&cache->rows[kind], &space.cached);
    if (cached == NULL) {
        cache->dirty = true;
    } else if (!emit(cache, kind, NIO_CHANGE_ADD, row, template)) {
        nio_store_remove(&cache->rows[kind], cached);
    }
}

/* `row` is the present state. `cached` is the cached row of its key, or NULL.
 */
static void
emit_present(nio_row_cache *cache, nio_kind kind, cached_row *cached,
             const void *row, const change_template *template)
{
    if (!nio_filter_accepts(cache->filter, kind, row)) {
        if (cached != NULL) {
            emit_delete(cache, kind, cached, template);
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

/* Re-reads the row of one key. */
static void
update_one(nio_row_cache *cache, nio_kind kind, uint8_t type, const void *key,
           const change_template *template)
{
    nio_any_row row;
    cached_row *cached = find(&cache->rows[kind], kind, key);

    /* A row with this key may exist again by now, but it is another row. */
    if (cached != NULL && type == NIO_CHANGE_DELETE) {
        emit_delete(cache, kind, cached, template);
        cached = find(&cache->rows[kind], kind, key);
    }
    switch (nio_reread_row(kind, key, &row)) {
    case NO_ERROR:
        /* Found again by the key of the row itself: the callback may have
         * identified the interface by its index alone. */
        cached = find(&cache->rows[kind], kind, &row);
        emit_present(cache, kind, cached, &row, template);
        break;
    case ERROR_NOT_FOUND:
    case ERROR_FILE_NOT_FOUND: /* nor does its interface exist */
        if (cached != NULL) {
            emit_delete(cache, kind, cached, template);
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
    const cached_row *cached;

    /* The rows of an adapter that has gone follow each other: so only the
     * first of them is searched for among all. */
    nio_key_complete(kind, key, cache->last_index, cache->last_luid);
    if (find(&cache->rows[kind], kind, key) != NULL) {
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
            const change_template *template)
{
    uint32_t cursor = 0;
    const cached_row *cached;

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
    const change_template template = {.time_ns = notified->time_ns};
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

/* ---- reading the tables */
static void
remove_unseen(nio_row_cache *cache, nio_kind kind,
              const change_template *template)
{
    uint32_t cursor = 0;
    cached_row *cached;

    while ((cached = nio_store_each(&cache->rows[kind], &cursor)) != NULL) {
        if (cached->record.generation != cache->generation) {
            emit_delete(cache, kind, cached, template);
        }
    }
}

/* Reads one table and puts its difference from the cache. */
static NETIO_STATUS
read_kind(nio_row_cache *cache, nio_kind kind, const change_template *template)
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
        emit_present(cache, kind, find(&cache->rows[kind], kind, row), row,
                     template);
    }
    if (memory != NULL) {
        nio_system()->FreeMibTable(memory);
    }
    remove_unseen(cache, kind, template);
    return NO_ERROR;
}

static NETIO_STATUS
read_kinds(nio_row_cache *cache, unsigned kinds,
           const change_template *template)
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
    const change_template template = {.time_ns = nio_realtime_ns(),
                                      .flags = NIO_FLAG_SNAPSHOT,
                                      .silent = !snapshot};
    NETIO_STATUS status = read_kinds(cache, cache->kinds, &template);

    if (status == NO_ERROR && cache->dirty) {
        status = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status == NO_ERROR && snapshot) {
        emit_mark(cache, NIO_FLAG_SYNCED);
    }
    return status;
}

void
nio_row_cache_reread(nio_row_cache *cache, unsigned kinds)
{
    const change_template template = {.time_ns = nio_realtime_ns(),
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
    const change_template template = {.time_ns = nio_realtime_ns(),
                                      .flags = NIO_FLAG_SYNTHESIZED};

    (void)nio_atomic_add(&cache->resyncs, 1);
    cache->dirty = false;
    cache->stale = 0;
    if (!cache->overflow_open) {
        (void)nio_atomic_add(&cache->overflows, 1);
        emit_mark(cache, NIO_FLAG_OVERFLOW);
        cache->overflow_open = true;
    }
    if (read_kinds(cache, cache->kinds, &template) != NO_ERROR) {
        cache->dirty = true;
    }
    if (!cache->dirty) {
        emit_mark(cache, NIO_FLAG_SYNCED);
    }
    cache->overflow_open = cache->dirty;
}
