/* SPDX-License-Identifier: MIT */
/* The state that a subscriber to everything rebuilds from its stream,
 * strictly: an ADD needs an absent thing, any other change a present one. */
#pragma once

#include "base/queue.h"
#include "contract/tower.h"

#include "check.h"

#include <string.h>

enum { MAX_ROWS = 200 };

typedef struct kept {
    uint8_t kind;
    uint8_t key[NIO_KEY_SIZE];
    ULONG mtu; /* of an interface */
} kept;

typedef struct stream {
    nio_event readable;
    nio_queue *queue;
    HANDLE handle;
    size_t count;
    kept rows[MAX_ROWS];
    bool synced; /* the last mark was SYNCED */
} stream;

static inline size_t
row_key(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

static inline kept
kept_of(uint8_t kind, const void *row)
{
    kept made = {.kind = kind};
    (void)nio_row_key((nio_kind)kind, row, made.key);
    if (kind == NIO_INTERFACE) {
        made.mtu = ((const MIB_IPINTERFACE_ROW *)row)->NlMtu;
    }
    return made;
}

static inline kept *
find_row(stream *self, const kept *wanted)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->rows[i].kind == wanted->kind &&
            memcmp(self->rows[i].key, wanted->key, NIO_KEY_SIZE) == 0) {
            return &self->rows[i];
        }
    }
    return NULL;
}

static inline void
keep(stream *self, nio_change *change)
{
    const kept row = kept_of(change->kind, nio_change_row(change));
    kept *known = find_row(self, &row);

    CHECK_EQUAL(change->type == NIO_CHANGE_ADD, known == NULL);
    if (change->type == NIO_CHANGE_DELETE) {
        *known = self->rows[--self->count];
    } else if (known != NULL) {
        *known = row;
    } else {
        CHECK(self->count < MAX_ROWS);
        self->rows[self->count++] = row;
    }
}

static inline void
take(stream *self)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;

    (void)nio_queue_take(self->queue, SIZE_MAX, &taken);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        if (change->kind == NIO_CHANGE_MARK) {
            self->synced = change->flags == NIO_FLAG_SYNCED;
        } else {
            keep(self, change);
        }
    }
    nio_taken_free(&taken);
}

static inline bool
has(stream *self, uint8_t kind, const void *row, size_t *counted)
{
    const kept wanted = kept_of(kind, row);
    const kept *known = find_row(self, &wanted);
    (*counted)++;
    return known != NULL && known->mtu == wanted.mtu;
}

/* Does the state equal the tables? */
static inline bool
is_exact(stream *self)
{
    PMIB_IPFORWARD_TABLE2 routes = NULL;
    PMIB_UNICASTIPADDRESS_TABLE addresses = NULL;
    PMIB_IPINTERFACE_TABLE interfaces = NULL;
    bool same = self->synced;
    size_t count = 0;

    CHECK_EQUAL(GetIpForwardTable2(AF_UNSPEC, &routes), NO_ERROR);
    CHECK_EQUAL(GetUnicastIpAddressTable(AF_UNSPEC, &addresses), NO_ERROR);
    CHECK_EQUAL(GetIpInterfaceTable(AF_UNSPEC, &interfaces), NO_ERROR);
    for (ULONG i = 0; i < routes->NumEntries; i++) {
        same = has(self, NIO_ROUTE, &routes->Table[i], &count) && same;
    }
    for (ULONG i = 0; i < addresses->NumEntries; i++) {
        same = has(self, NIO_ADDRESS, &addresses->Table[i], &count) && same;
    }
    for (ULONG i = 0; i < interfaces->NumEntries; i++) {
        same = has(self, NIO_INTERFACE, &interfaces->Table[i], &count) && same;
    }
    FreeMibTable(routes);
    FreeMibTable(addresses);
    FreeMibTable(interfaces);
    return same && count == self->count;
}
