/* SPDX-License-Identifier: MIT */
/* The result of one read: the changes that it took out of the queue, and what
 * the marks among them say. Without Python and without the GIL. One thread at
 * a time fills a result; any number of threads read it afterwards. */
#pragma once

#include "base/taken.h"
#include "contract/tower.h"

/* Starts as {0}. */
typedef struct nio_read_result {
    nio_taken taken;      /* the records lie in it, or it is empty ... */
    void *copy;           /* ... and they lie here; owned */
    nio_change **records; /* the changes, without the marks; owned */
    size_t count;
    size_t bytes;           /* of all records together */
    size_t rows[NIO_KINDS]; /* how many records are of each kind */
    bool overflow;          /* a mark says that changes were lost */
    bool synced;            /* the last mark says that the state is exact */
    bool marked;            /* one of the marks has a flag */
} nio_read_result;

/* Allocates room for `max_count` records. Called before anything is taken, so
 * that no allocation failure loses what was taken. False on allocation
 * failure. */
bool nio_read_result_prepare(nio_read_result *result, size_t max_count);
/* Takes ownership of `taken`, which is not empty and has no more records than
 * were prepared for. */
void nio_read_result_take(nio_read_result *result, nio_taken *taken);
/* Adds one change, for which there is room. It is borrowed until
 * nio_read_result_own. */
void nio_read_result_add(nio_read_result *result, nio_change *change);
/* Copies all records into memory of the result's own, and frees what was
 * taken. False on allocation failure: then nothing has changed. */
bool nio_read_result_own(nio_read_result *result);
/* Copies the rows of one kind, `size` bytes each, in order, and takes a
 * reference to the block of each (base/extra.h). False: none has one. */
bool nio_read_result_copy_rows(const nio_read_result *result, nio_kind kind,
                               size_t size, uint8_t *to);
/* Leaves it empty. */
void nio_read_result_free(nio_read_result *result);

/* Copies the row of a change as `size` bytes; the bytes that a shorter row
 * lacks become 0. */
void nio_read_result_copy_row(nio_change *change, void *to, size_t size);
