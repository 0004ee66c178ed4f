/* SPDX-License-Identifier: MIT */
/* The life of a registration after it was asked for. None of it needs the
 * GIL, but for nio_cancel_wait. */
#pragma once

#include "binding/callbacks/context.h"

/* The system answered: it registered the bridge, or refused. Begins a
 * cancellation that somebody asked for meanwhile. */
void nio_cancel_publish(nio_callback_context *bridge, bool registered,
                        HANDLE handle) NIO_EXCLUDES(nio_process_lock);
/* True when the bridge was made before a fork and this is the child. */
bool nio_cancel_forked(const nio_callback_context *bridge);
nio_stage nio_cancel_stage(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_process_lock);
/* Disable it and have a helper thread cancel it; begin again what could not
 * be begun. No new Python call begins. */
void nio_cancel_begin(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_process_lock);

typedef enum nio_outcome {
    NIO_OUTCOME_DONE, /* CANCELLED, FAILED, or forked */
    NIO_OUTCOME_TIMEOUT,
    NIO_OUTCOME_RAISED,    /* an exception of a signal's handler is set */
    NIO_OUTCOME_DEADLOCK,  /* this thread is in its callback, or a circle */
    NIO_OUTCOME_NO_MEMORY, /* the system has nothing left to wait with */
} nio_outcome;
/* What a wait from this thread would end in at once: DONE, DEADLOCK, or
 * TIMEOUT when it would have to wait. */
nio_outcome nio_cancel_look(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_process_lock);
/* Begin it, unless the wait would be a DEADLOCK, and wait for its end with the
 * GIL released. With the GIL. `alone`: where no helper could be started, this
 * thread may do its work, which nothing interrupts. */
nio_outcome nio_cancel_wait(nio_callback_context *bridge, uint64_t timeout_ns,
                            bool alone) NIO_EXCLUDES(nio_process_lock);
/* Wait for the helper's last instructions, once. After DONE. */
void nio_cancel_join(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_process_lock);

void nio_cancel_begin_locked(nio_callback_context *bridge)
    NIO_REQUIRES(nio_process_lock);
/* True when it is over; begins again what could not be begun. */
bool nio_cancel_over_locked(nio_callback_context *bridge)
    NIO_REQUIRES(nio_process_lock);
