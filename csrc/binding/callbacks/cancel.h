/* SPDX-License-Identifier: MIT */
/* The life of a registration after it was asked for: publishing its handle,
 * cancelling it, and waiting for the end of that. The GIL is needed by
 * nio_cancel_wait() only. */
#pragma once

#include "binding/callbacks/context.h"

/* The system has answered: it registered the context, or refused. Begins a
 * cancellation that was asked for meanwhile. */
void nio_cancel_publish(nio_callback_context *context, bool registered,
                        HANDLE handle) NIO_EXCLUDES(nio_process_lock);

nio_stage nio_cancel_stage(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
/* CANCELLED, FAILED, or forked. */
bool nio_cancel_is_finished(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
bool nio_cancel_is_finished_locked(const nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock);

/* No new Python call begins from now on; a helper thread cancels the
 * registration. Idempotent, and tries again where no helper could be started
 * before. */
void nio_cancel_begin(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
void nio_cancel_begin_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock);
/* Not finished: start the helper, if the cancellation was begun without one.
 */
void nio_cancel_retry_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock);

typedef enum nio_outcome {
    NIO_OUTCOME_DONE, /* it is finished */
    NIO_OUTCOME_TIMEOUT,
    NIO_OUTCOME_RAISED,    /* a signal handler raised; the exception is set */
    NIO_OUTCOME_DEADLOCK,  /* this thread would wait for itself */
    NIO_OUTCOME_NO_MEMORY, /* the system has no event left to wait for */
} nio_outcome;

/* Begin the cancellation, unless waiting for it would be a DEADLOCK, and wait
 * until it is finished, with the GIL released. `may_run_here`: where no helper
 * can be started this thread cancels the registration itself, and nothing
 * interrupts it meanwhile. */
nio_outcome nio_cancel_wait(nio_callback_context *context, uint64_t timeout_ns,
                            bool may_run_here) NIO_EXCLUDES(nio_process_lock);
/* After it is finished: wait for the last instructions of the helper thread.
 * Does so once. */
void nio_cancel_join(nio_callback_context *context)
    NIO_EXCLUDES(nio_process_lock);
