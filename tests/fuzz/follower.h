/* SPDX-License-Identifier: MIT */
/* A subscriber that applies the changes delivered to it to a state of its own,
 * which in the end must be that of the mirror. */
#pragma once

#include "check.h"

#include "rtnetlink/mirror/mirror.h"

#include <stdlib.h>

typedef struct row_record {
    nio_record record;
    nio_kind kind;
    uint8_t key[NIO_KEY_SIZE]; /* zero-padded */
    union {
        MIB_IPINTERFACE_ROW interface;
        MIB_UNICASTIPADDRESS_ROW address;
        MIB_IPFORWARD_ROW2 route;
    } row;
} row_record;

typedef struct follower {
    nio_subscriber subscriber;
    bool merges; /* its queue reaches its bound and merges changes */
    nio_store state;
} follower;

static inline size_t
key_of(int kind, const void *row, uint8_t *key)
{
    return kind < NIO_KINDS ? nio_row_key((nio_kind)kind, row, key) : 0;
}

static inline uint64_t
hash_row(const void *record, uint64_t seed)
{
    const row_record *one = record;
    return nio_hash(one->key, sizeof(one->key), seed ^ (uint64_t)one->kind);
}

static inline row_record *
find_row(const nio_store *state, const row_record *wanted)
{
    row_record *one = nio_store_first(state, wanted);
    while (one != NULL &&
           (one->kind != wanted->kind ||
            memcmp(one->key, wanted->key, sizeof(one->key)) != 0)) {
        one = nio_store_next(state, one);
    }
    return one;
}

static inline row_record
row_record_of(nio_change *change)
{
    row_record one;
    memset(&one, 0, sizeof(one));
    CHECK(change->kind < NIO_KINDS && change->size <= sizeof(one.row));
    one.record.generation = 1;
    one.kind = (nio_kind)change->kind;
    memcpy(&one.row, nio_change_row(change), change->size);
    (void)nio_row_key(one.kind, &one.row, one.key);
    return one;
}

static inline void
apply_change(follower *self, nio_change *change)
{
    row_record after = row_record_of(change);
    row_record *before = find_row(&self->state, &after);
    if (!self->merges) {
        CHECK_EQUAL(before == NULL, change->type == NIO_CHANGE_ADD);
    }
    if (change->type == NIO_CHANGE_DELETE) {
        if (before != NULL) {
            nio_store_remove(&self->state, before);
        }
    } else if (before == NULL) {
        CHECK(nio_store_add(&self->state, &after) != NULL);
    } else {
        before->row = after.row;
    }
}

/* Apply at most `max` of the queued changes. */
static inline void
follower_take(follower *self, size_t max)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change;
    (void)nio_queue_take(self->subscriber.queue, max, &taken);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        if (change->kind != NIO_CHANGE_MARK) {
            apply_change(self, change);
        }
    }
    nio_taken_free(&taken);
}

static inline void
follower_open(follower *self, nio_mirror *mirror, const nio_filter *filter,
              size_t bound)
{
    memset(self, 0, sizeof(*self));
    nio_store_init(&self->state, sizeof(row_record), hash_row);
    self->merges = bound < SIZE_MAX;
    self->subscriber.kinds = (1u << NIO_KINDS) - 1;
    self->subscriber.filter = nio_filter_copy(filter);
    self->subscriber.queue = nio_queue_new(bound, key_of, NULL);
    CHECK(self->subscriber.filter != NULL && self->subscriber.queue != NULL);
    nio_fanout_attach(&mirror->fanout, &self->subscriber);
}

static inline void
follower_close(follower *self, nio_mirror *mirror)
{
    nio_fanout_detach(&mirror->fanout, &self->subscriber);
    nio_queue_free(self->subscriber.queue);
    free(self->subscriber.filter);
    nio_store_done(&self->state);
}

/* Equal but for what changes without being reported: remaining times, and the
 * LUID and the name of an interface, which are those of the time of the
 * report.
 */
static inline bool
same_row(const row_record *left, const row_record *right)
{
    row_record a = *left, b = *right;
    if (a.kind == NIO_ROUTE) {
        MIB_IPFORWARD_ROW2 *to = &a.row.route;
        const MIB_IPFORWARD_ROW2 *from = &b.row.route;
        to->InterfaceLuid = from->InterfaceLuid;
        memcpy(to->Name, from->Name, sizeof(to->Name));
        to->ValidLifetime = from->ValidLifetime;
        to->PreferredLifetime = from->PreferredLifetime;
    } else if (a.kind == NIO_ADDRESS) {
        MIB_UNICASTIPADDRESS_ROW *to = &a.row.address;
        const MIB_UNICASTIPADDRESS_ROW *from = &b.row.address;
        to->InterfaceLuid = from->InterfaceLuid;
        memcpy(to->Name, from->Name, sizeof(to->Name));
        if ((to->ValidLifetime == NIO_INFINITE) !=
                (from->ValidLifetime == NIO_INFINITE) ||
            (to->PreferredLifetime == NIO_INFINITE) !=
                (from->PreferredLifetime == NIO_INFINITE)) {
            return false;
        }
        to->ValidLifetime = from->ValidLifetime;
        to->PreferredLifetime = from->PreferredLifetime;
        to->CreationTimeStamp = from->CreationTimeStamp;
    } else {
        a.row.interface.ReachableTime = b.row.interface.ReachableTime;
    }
    return memcmp(&a.row, &b.row, sizeof(a.row)) == 0;
}

/* Take all changes; then the state equals the snapshot that the mirror gives
 * to a subscriber with this filter. */
static inline void
follower_check(follower *self, nio_mirror *mirror)
{
    nio_subscriber fresh = self->subscriber;
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change;
    uint32_t count = 0;
    follower_take(self, SIZE_MAX);
    fresh.queue = nio_queue_new(SIZE_MAX, key_of, NULL);
    CHECK(fresh.queue != NULL);
    nio_mirror_snapshot(mirror, &fresh);
    (void)nio_queue_take(fresh.queue, SIZE_MAX, &taken);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        row_record wanted = row_record_of(change);
        row_record *have = find_row(&self->state, &wanted);
        CHECK_EQUAL(change->type, NIO_CHANGE_ADD);
        CHECK(have != NULL);
        CHECK_EQUAL(have->record.generation, 1); /* no key twice */
        CHECK(same_row(have, &wanted));
        have->record.generation = 2;
        count++;
    }
    CHECK_EQUAL(self->state.count, count);
    uint32_t at = 0;
    row_record *one;
    while ((one = nio_store_each(&self->state, &at)) != NULL) {
        one->record.generation = 1;
    }
    nio_taken_free(&taken);
    nio_queue_free(fresh.queue);
}
