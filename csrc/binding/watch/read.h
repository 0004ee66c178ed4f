/* SPDX-License-Identifier: MIT */
/* The Watch object, and its methods for threads that read. */
#pragma once

#include "binding/watch/source.h"

typedef struct nio_watch {
    PyObject_HEAD
    nio_watch_source *source; /* a reference; any thread may use it */
} nio_watch;

static inline bool
nio_watch_is_stopped(const nio_watch *self)
{
    return nio_atomic_load(&self->source->stopped) != 0;
}

/* True: queue and event stay until nio_watch_source_leave. False: closed; or,
 * with an exception set, forked. */
bool nio_watch_enter(nio_watch *self);

/* True, with an exception set, in a forked child. */
bool nio_watch_refuse_forked(nio_watch *self);
PyObject *nio_watch_read(PyObject *self, PyObject *args);
PyObject *nio_watch_wait(PyObject *self, PyObject *args);
PyObject *nio_watch_wake_one(PyObject *self, PyObject *unused);
PyObject *nio_watch_fileno(PyObject *self, PyObject *unused);
PyObject *nio_watch_handle(PyObject *self, PyObject *unused);
PyObject *nio_watch_begin_poll(PyObject *self, PyObject *unused);
PyObject *nio_watch_end_poll(PyObject *self, PyObject *unused);
