/* SPDX-License-Identifier: MIT */
/* The stages of a registration: publishing its handle, cancelling it, and
 * waiting until it is cancelled. Only nio_cancel_wait() needs the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* The system's function has returned: it registered the context, or refused.
 * If the registration is in stage CANCELLING by now, this starts the helper
 * thread. */
void nio_cancel_publish(nio_callback_context *context, bool registered,
                        HANDLE handle) NIO_EXCLUDES(nio_process_lock);

nio_stage nio_cancel_stage(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
/* True in stage CANCELLED or FAILED, and in a forked child. */
bool nio_cancel_is_finished(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
bool nio_cancel_is_finished_locked(const nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock);

/* From now on no new Python call begins; a helper thread cancels the
 * registration. Idempotent. If an earlier call could start no helper, this one
 * tries again. */
void nio_cancel_begin(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
void nio_cancel_begin_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock);
/* Starts the helper of a cancellation that has begun and has none yet. */
void nio_cancel_retry_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock);

typedef enum nio_outcome {
    NIO_OUTCOME_DONE, /* the cancellation is finished */
    NIO_OUTCOME_TIMEOUT,
    NIO_OUTCOME_RAISED,    /* a signal handler raised; the exception is set */
    NIO_OUTCOME_DEADLOCK,  /* this thread would wait for itself */
    NIO_OUTCOME_NO_MEMORY, /* the system has no event left to wait for */
} nio_outcome;

/* Begins the cancellation, unless waiting for it would be a DEADLOCK, and
 * waits until it is finished, with the GIL released. `may_run_here`: if no
 * helper can be started, this thread calls the system's cancel function
 * itself, and neither a signal nor the timeout interrupts it. */
nio_outcome nio_cancel_wait(nio_callback_context *context, uint64_t timeout_ns,
                            bool may_run_here) NIO_EXCLUDES(nio_process_lock);
/* Joins the helper thread; the cancellation is finished, so the wait is short.
 * A second call does nothing. */
void nio_cancel_join(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
