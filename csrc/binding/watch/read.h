/* SPDX-License-Identifier: MIT */
/* The Watch object, and its methods for threads that read. */
#pragma once

#include "binding/watch/source.h"

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

/* True, with an exception set, when it is forked. */
bool nio_watch_refuse_forked(nio_watch *self);
PyObject *nio_watch_read(PyObject *self, PyObject *args);
PyObject *nio_watch_wait(PyObject *self, PyObject *args);
PyObject *nio_watch_wake_one(PyObject *self, PyObject *unused);
PyObject *nio_watch_closed_at_exit(PyObject *self, void *closure);
PyObject *nio_watch_fileno(PyObject *self, PyObject *unused);
PyObject *nio_watch_begin_poll(PyObject *self, PyObject *unused);
PyObject *nio_watch_end_poll(PyObject *self, PyObject *unused);
