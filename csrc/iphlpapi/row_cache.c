/* SPDX-License-Identifier: MIT */
/* What a Watcher's readers know of the system, row by row, so that a change
 * is told as what it is: Windows gives a key and reports much that did not
 * happen, a row that is deleted cannot be read any more, and what is read at
 * the start may be reported once more. Each key that is heard of is read
 * again, and the difference is told. Everything here runs on one thread. */
#include "iphlpapi/subscription.h"

#include <string.h>

/* ---- the store */
static uint64_t
hash_of(nio_kind kind, const void *record, uint64_t seed)
{
    uint8_t key[NIO_KEY_SIZE] = {0};
    size_t size = nio_row_key(kind, ((const nio_known *)record)->row, key);
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

/* Room for one record of any kind. */
typedef union room {
    nio_known known;
    uint64_t bytes[(sizeof(nio_known) + sizeof(nio_any_row)) / 8 + 1];
} room;

void
nio_row_cache_init(nio_subscription *self)
{
    static uint64_t (*const hashes[NIO_KINDS])(const void *, uint64_t) = {
        [NIO_INTERFACE] = hash_interface,
        [NIO_ADDRESS] = hash_address,
        [NIO_ROUTE] = hash_route,
    };
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        nio_store_init(&self->known[kind],
                       sizeof(nio_known) +
                           nio_windows_row_size((nio_kind)kind),
                       hashes[kind]);
    }
    self->reading = 1;
}

void
nio_row_cache_done(nio_subscription *self)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        nio_store_done(&self->known[kind]);
    }
}

static bool
has_key(nio_kind kind, const nio_known *known, const uint8_t *key, size_t size)
{
    uint8_t other[NIO_KEY_SIZE];
    return nio_row_key(kind, known->row, other) == size &&
           memcmp(other, key, size) == 0;
}

/* The record with the key of `row`, or NULL. */
static nio_known *
find(const nio_store *store, nio_kind kind, const void *row)
{
    room wanted;
    uint8_t key[NIO_KEY_SIZE];
    size_t size = nio_row_key(kind, row, key);

    memcpy(wanted.known.row, row, nio_windows_row_size(kind));
    nio_known *known = nio_store_first(store, &wanted.known);
    while (known != NULL && !has_key(kind, known, key, size)) {
        known = nio_store_next(store, known);
    }
    return known;
}

/* ---- telling */
/* How a difference is told: what stands in each of its changes. */
typedef struct manner {
    uint64_t time_ns;
    uint8_t flags;
    bool silent; /* only learn */
} manner;

/* False: it was not told, for want of memory, and must not be known. */
static bool
tell(nio_subscription *self, nio_kind kind, uint8_t type, const void *row,
     const manner *how)
{
    nio_change change = {.time_ns = how->time_ns,
                         .size = (uint16_t)nio_windows_row_size(kind),
                         .kind = (uint8_t)kind,
                         .type = type,
                         .flags = how->flags};
    if (how->silent || nio_queue_put(self->queue, &change, row)) {
        return true;
    }
    self->dirty = true; /* the queue has counted it, and owes the mark */
    return false;
}

static void
tell_mark(nio_subscription *self, uint8_t flag)
{
    nio_change mark = {
        .time_ns = nio_realtime_ns(), .kind = NIO_CHANGE_MARK, .flags = flag};
    self->dirty |= !nio_queue_put(self->queue, &mark, NULL);
}

static void
tell_gone(nio_subscription *self, nio_kind kind, nio_known *known,
          const manner *how)
{
    if (tell(self, kind, NIO_CHANGE_DELETE, known->row, how)) {
        nio_store_remove(&self->known[kind], known);
    }
}

static void
tell_new(nio_subscription *self, nio_kind kind, const void *row,
         const manner *how)
{
    room made = {.known = {.record = {.mark = self->reading}}};

    memcpy(made.known.row, row, nio_windows_row_size(kind));
    nio_known *known = nio_store_add(&self->known[kind], &made.known);
    if (known == NULL) {
        self->dirty = true;
    } else if (!tell(self, kind, NIO_CHANGE_ADD, row, how)) {
        nio_store_remove(&self->known[kind], known);
    }
}

/* The row is there now, as it is in `row`. */
static void
tell_present(nio_subscription *self, nio_kind kind, nio_known *known,
             const void *row, const manner *how)
{
    if (!nio_filter_accepts(self->filter, kind, row)) {
        if (known != NULL) {
            tell_gone(self, kind, known, how);
        }
        return;
    }
    if (known == NULL) {
        tell_new(self, kind, row, how);
        return;
    }
    known->record.mark = self->reading;
    bool same = nio_rows_are_same(kind, known->row, row);
    if (same || tell(self, kind, NIO_CHANGE_PARAMETER, row, how)) {
        /* Also what is no difference: lifetimes are told as they are. */
        memcpy(known->row, row, nio_windows_row_size(kind));
    }
}

void
nio_row_cache_look(nio_subscription *self, const nio_change *change,
                   const void *key)
{
    const nio_kind kind = (nio_kind)change->kind;
    const manner how = {.time_ns = change->time_ns};
    nio_any_row row;
    nio_known *known = find(&self->known[kind], kind, key);

    /* It may be there again by now: then it is another one. */
    if (known != NULL && change->type == NIO_CHANGE_DELETE) {
        tell_gone(self, kind, known, &how);
        known = find(&self->known[kind], kind, key);
    }
    switch (nio_reread(kind, key, &row)) {
    case NO_ERROR:
        /* By its own key: a callback may have named the interface otherwise.
         */
        known = find(&self->known[kind], kind, &row);
        tell_present(self, kind, known, &row, &how);
        break;
    case ERROR_NOT_FOUND:
    case ERROR_FILE_NOT_FOUND: /* its interface is gone, too */
        if (known != NULL) {
            tell_gone(self, kind, known, &how);
        }
        break;
    default: /* memory is short, or the function is missing */
        self->dirty = true;
    }
}

/* ---- reading the tables */
static void
forget_unseen(nio_subscription *self, nio_kind kind, const manner *how)
{
    uint32_t cursor = 0;
    nio_known *known;

    while ((known = nio_store_each(&self->known[kind], &cursor)) != NULL) {
        if (known->record.mark != self->reading) {
            tell_gone(self, kind, known, how);
        }
    }
}

/* One table: all its rows are told, and what is known and not in it. */
static NETIO_STATUS
read_kind(nio_subscription *self, nio_kind kind, const manner *how)
{
    PVOID memory;
    const void *rows;
    size_t count;
    NETIO_STATUS status = nio_read_table(
        nio_system(), kind, self->filter->family, &memory, &rows, &count);

    if (status != NO_ERROR) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        const void *row =
            (const uint8_t *)rows + i * nio_windows_row_size(kind);
        tell_present(self, kind, find(&self->known[kind], kind, row), row,
                     how);
    }
    if (memory != NULL) {
        nio_system()->FreeMibTable(memory);
    }
    forget_unseen(self, kind, how);
    return NO_ERROR;
}

static NETIO_STATUS
read_all(nio_subscription *self, const manner *how)
{
    NETIO_STATUS status = NO_ERROR;

    self->reading++;
    self->reading += self->reading == 0; /* 0 marks a free record */
    /* Interfaces first: who is told of a route knows its interface. */
    for (int kind = 0; kind < NIO_KINDS && status == NO_ERROR; kind++) {
        if ((self->kinds & (1u << kind)) != 0) {
            status = read_kind(self, (nio_kind)kind, how);
        }
    }
    return status;
}

NETIO_STATUS
nio_row_cache_learn(nio_subscription *self, bool snapshot)
{
    const manner how = {.time_ns = nio_realtime_ns(),
                        .flags = NIO_FLAG_SNAPSHOT,
                        .silent = !snapshot};
    NETIO_STATUS status = read_all(self, &how);

    if (status == NO_ERROR && self->dirty) {
        status = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (status == NO_ERROR && snapshot) {
        tell_mark(self, NIO_FLAG_SYNCED);
    }
    return status;
}

void
nio_row_cache_repair(nio_subscription *self)
{
    const manner how = {.time_ns = nio_realtime_ns(),
                        .flags = NIO_FLAG_SYNTHESIZED};

    (void)nio_atomic_add(&self->resyncs, 1);
    self->dirty = false;
    if (!self->owed) {
        (void)nio_atomic_add(&self->overflows, 1);
        tell_mark(self, NIO_FLAG_OVERFLOW);
        self->owed = true;
    }
    if (read_all(self, &how) != NO_ERROR) {
        self->dirty = true;
    }
    if (!self->dirty) {
        tell_mark(self, NIO_FLAG_SYNCED);
    }
    self->owed = self->dirty;
}
