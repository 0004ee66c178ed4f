/* SPDX-License-Identifier: MIT */
/* The call of a function of the tower that may read for long: without the GIL,
 * within a time, and until a signal handler raises. */
#pragma once

#include "binding/state.h"
#include "contract/tower.h"

typedef struct nio_limited {
    nio_read_limit limit; /* what the function gets */
    PyThreadState *thread;
} nio_limited;

/* Releases the GIL; `limited` stays where it is until nio_limited_end. */
void nio_limited_begin(nio_limited *limited, uint64_t timeout_ns);
void nio_limited_end(nio_limited *limited);
/* Raises the exception of the signal handler, or else that of the status. */
PyObject *nio_limited_raise(nio_state *state, NETIO_STATUS status,
                            const char *function);
