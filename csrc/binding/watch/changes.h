/* SPDX-License-Identifier: MIT */
/* The Changes type: what one read of a Watch has taken. */
#pragma once

#include "binding/state.h"

#include "base/taken.h"

/* The changes that were taken, and what the marks among them say: `overflow`
 * when any says that changes were lost, `synced` when the last says that the
 * state is exact, `marked` when one says anything. Starts as {0}. */
typedef struct nio_read_result {
    nio_taken taken;      /* what the records lie in, or it is empty ... */
    void *copy;           /* ... and they lie here; owned */
    nio_change **records; /* the changes, without the marks; owned */
    size_t count;
    size_t rows[NIO_KINDS]; /* how many of them are of each kind */
    bool overflow, synced, marked;
} nio_read_result;
/* Room for so many records, before any is taken: what was taken is never lost.
 * False when memory is short. With the GIL or without, as the next two. */
bool nio_read_result_prepare(nio_read_result *haul, size_t most);
/* Takes over `taken`, not empty, for which there is room. */
void nio_read_result_take(nio_read_result *haul, nio_taken *taken);
void nio_read_result_free(nio_read_result *haul);
/* A new Changes, empty; and what it gets then, taken over. */
PyObject *nio_changes_new(nio_state *state);
void nio_changes_fill(PyObject *changes, nio_read_result *haul);

/* Adds the type and _table_of_changes(): 0, or -1 with an exception. */
int nio_changes_init(PyObject *module, nio_state *state);
