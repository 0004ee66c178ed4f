/* SPDX-License-Identifier: MIT */
/* The filter parameters of a Watcher as a nio_filter. With the GIL. */
#pragma once

#include "binding/state.h"

#include "base/filter.h"

/* A filter and its arrays. Starts as {0}. */
typedef struct nio_watch_filter {
    nio_filter filter; /* borrows the arrays below */
    ULONG *tables;
    ULONG *interfaces;
    WCHAR *names;
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

/* True, or false with an exception set. In both cases the caller passes `ret`
 * to nio_watch_filter_done. */
bool nio_watch_filter_from(nio_state *state,
                           const nio_filter_arguments *arguments,
                           nio_watch_filter *ret);
void nio_watch_filter_done(nio_watch_filter *filter);
