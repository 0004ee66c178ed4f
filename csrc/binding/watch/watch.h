/* SPDX-License-Identifier: MIT */
/* What the files of the native half of Watcher (watch.c, watch_read.c,
 * watch_filter.c, change.c, changes.c) offer to each other. */
#pragma once

#include "binding/watch/source.h"

#include "base/filter.h"

#include <string.h>

/* ---- watch.c: the Watch type, from its making to its closing */
typedef struct nio_watch {
    PyObject_HEAD
    nio_watch_source
        *feed; /* a reference; of any number of threads (feed.h) */
} nio_watch;

static inline bool
nio_watch_is_stopped(const nio_watch *self)
{
    return nio_atomic_load(&self->feed->stopped) != 0;
}

/* True: queue and event are there until nio_watch_source_leave. False: closed,
 * or, with an exception set, forked. */
bool nio_watch_enter(nio_watch *self);

/* ---- watch_read.c: its methods for those who read */
/* True, with an exception set, when it is forked. */
bool nio_watch_refuse_forked(nio_watch *self);
PyObject *nio_watch_read(PyObject *self, PyObject *args);
PyObject *nio_watch_wait(PyObject *self, PyObject *args);
PyObject *nio_watch_wake_one(PyObject *self, PyObject *unused);
PyObject *nio_watch_closed_at_exit(PyObject *self, void *closure);
PyObject *nio_watch_fileno(PyObject *self, PyObject *unused);
PyObject *nio_watch_begin_poll(PyObject *self, PyObject *unused);
PyObject *nio_watch_end_poll(PyObject *self, PyObject *unused);

/* ---- ask.c */
/* The first function that a Watcher of these kinds (bits) needs and the system
 * lacks; NULL: it is none of these. */
const char *nio_watch_lacks(unsigned kinds);

/* ---- change.c */
int nio_change_init(PyObject *module, nio_state *state);
/* A new Change that holds a copy of this change (not a mark) and its row. */
PyObject *nio_change_new(nio_state *state, nio_change *change);
/* The row of a change as `size` bytes, those that it has not as zeros. */
static inline void
nio_change_copy_row(nio_change *change, void *to, size_t size)
{
    size_t have = change->size < size ? change->size : size;
    memcpy(to, nio_change_row(change), have);
    if (have < size) {
        memset((char *)to + have, 0, size - have);
    }
}

/* ---- changes.c */
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
int nio_changes_init(PyObject *module, nio_state *state);
/* A new Changes, empty; and what it gets then, taken over. */
PyObject *nio_changes_new(nio_state *state);
void nio_changes_fill(PyObject *changes, nio_read_result *haul);
/* A new Table of the rows of one kind of a Changes. */
PyObject *nio_changes_table(nio_state *state, PyObject *changes,
                            nio_kind kind);

/* ---- watch_filter.c */
/* What a subscriber wants, in arrays that it owns. Starts as {0}. */
typedef struct nio_watch_filter {
    nio_filter filter; /* borrows the arrays */
    ULONG *tables;
    ULONG *interfaces;
    ULONG *protocols;
    nio_prefix *prefixes;
} nio_watch_filter;

/* The filter parameters as _native.Watch takes them, borrowed. */
typedef struct nio_filter_arguments {
    PyObject *family;
    PyObject *tables;      /* None or a sequence of int */
    PyObject *interfaces;  /* None or a sequence of int or str */
    PyObject *protocols;   /* None or a sequence of int */
    PyObject *prefixes;    /* None or a sequence of (4 or 6, length, bytes) */
    unsigned prefix_match; /* nio_prefix_match */
} nio_filter_arguments;

/* True, or false with an exception set; in both cases `ret` is to be given to
 * nio_watch_filter_done. */
bool nio_watch_filter_from(nio_state *state,
                           const nio_filter_arguments *arguments,
                           nio_watch_filter *ret);
void nio_watch_filter_done(nio_watch_filter *wanted);
