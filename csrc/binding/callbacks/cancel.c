/* SPDX-License-Identifier: MIT */
/* The life of a registration after it was asked for: publishing its handle,
 * cancelling it on a helper thread, waiting for that, and refusing a wait that
 * could never end. nio_process_lock guards all of it.
 *
 * CancelMibChangeNotify2 blocks until the callbacks that are running have
 * returned, and nothing interrupts it. So a helper thread calls it, and the
 * thread that cancels waits for the helper, with a deadline and open to
 * signals.
 *
 * A callback may cancel another registration, and wait for the end of that
 * one's callback. Which registration waits for which is a graph, with one edge
 * per registration (blocked_on), since a registration runs one callback at a
 * time. A wait that would close a circle in it is refused before it begins. */
#include "binding/callbacks/cancel.h"

#include "binding/callbacks/thread_context.h"

static void
finish_locked(nio_callback_context *context, nio_stage stage)
    NIO_REQUIRES(nio_process_lock)
{
    context->stage = stage;
    if (context->waiters > 0) {
        nio_event_set(&context->finished);
    }
}

/* ---- the helper thread */

/* The helper's work, also done by a caller in its place. */
static void
run_cancel(void *argument)
{
    nio_callback_context *context = argument;
    NETIO_STATUS status = NO_ERROR;

    if (context->handle != NULL) { /* some systems register without one */
        status = nio_system()->CancelMibChangeNotify2(context->handle);
    }
    nio_lock_take(&nio_process_lock);
    context->status = status;
    finish_locked(context, status == NO_ERROR ? NIO_CANCELLED : NIO_FAILED);
    nio_lock_drop(&nio_process_lock);
}

/* Nothing happens where it is not due. Under the lock, so that no other thread
 * joins the helper before it is stored; the helper does not touch the context
 * before it has the lock. */
static void
start_helper_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock)
{
    if (context->stage == NIO_CANCELLING && context->published &&
        !context->cancel_started) {
        context->cancel_started = nio_thread_start(
            &context->helper, "netio-cancel", run_cancel, context);
    }
}

void
nio_cancel_publish(nio_callback_context *context, bool registered,
                   HANDLE handle)
{
    nio_lock_take(&nio_process_lock);
    if (!registered) {
        finish_locked(context, NIO_CANCELLED);
    } else {
        context->handle = handle;
        context->published = true;
        if (context->stage == NIO_STARTING) {
            context->stage = NIO_ACTIVE;
        }
        start_helper_locked(context);
    }
    nio_lock_drop(&nio_process_lock);
}

void
nio_cancel_begin_locked(nio_callback_context *context)
{
    if (!nio_callback_context_is_forked(context)) {
        nio_atomic_store(&context->disabled, 1);
        if (context->stage == NIO_STARTING || context->stage == NIO_ACTIVE) {
            context->stage = NIO_CANCELLING;
        }
        start_helper_locked(context);
    }
}

void
nio_cancel_begin(nio_callback_context *context)
{
    nio_lock_take(&nio_process_lock);
    nio_cancel_begin_locked(context);
    nio_lock_drop(&nio_process_lock);
}

void
nio_cancel_retry_locked(nio_callback_context *context)
{
    start_helper_locked(context);
}

void
nio_cancel_join(nio_callback_context *context)
{
    nio_lock_take(&nio_process_lock);
    nio_thread helper = context->helper;
    context->helper.started = false;
    helper.started =
        helper.started && !nio_callback_context_is_forked(context);
    nio_lock_drop(&nio_process_lock);
    nio_thread_join(&helper);
}

/* ---- the stage */
nio_stage
nio_cancel_stage(nio_callback_context *context)
{
    nio_lock_take(&nio_process_lock);
    nio_stage stage = nio_callback_context_is_forked(context) ? NIO_CANCELLED
                                                              : context->stage;
    nio_lock_drop(&nio_process_lock);
    return stage;
}

bool
nio_cancel_is_finished_locked(const nio_callback_context *context)
{
    return context->stage == NIO_CANCELLED || context->stage == NIO_FAILED ||
           nio_callback_context_is_forked(context);
}

bool
nio_cancel_is_finished(nio_callback_context *context)
{
    nio_lock_take(&nio_process_lock);
    bool finished = nio_cancel_is_finished_locked(context);
    nio_lock_drop(&nio_process_lock);
    return finished;
}

/* ---- the graph of waits */

/* Would waiting for the registration wait for this thread itself? The walk
 * ends, since no circle was ever let in. */
static bool
closes_circle_locked(const nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock)
{
    if (!nio_thread_is_in_callback()) {
        return false;
    }
    for (; context != NULL; context = context->blocked_on) {
        if (nio_thread_is_in_callback_of(context)) {
            return true;
        }
    }
    return false;
}

/* Note that every callback that this thread is in waits for `on`; NULL: for
 * nothing. */
static void
set_blocked_on_locked(nio_callback_context *on) NIO_REQUIRES(nio_process_lock)
{
    const nio_thread_context *thread = nio_thread_context_find();

    for (const nio_frame *at = thread != NULL ? thread->frames : NULL;
         at != NULL; at = at->outer) {
        at->context->blocked_on = on;
    }
}

/* ---- waiting */

/* A registration has its event only while there are waiters: there may be very
 * many registrations, and each event is a file descriptor. False: the system
 * has none left. */
static bool
add_waiter_locked(nio_callback_context *context) NIO_REQUIRES(nio_process_lock)
{
    if (context->waiters == 0 && !nio_event_init(&context->finished)) {
        return false;
    }
    context->waiters++;
    return true;
}

static void
remove_waiter_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock)
{
    if (--context->waiters == 0) {
        nio_event_done(&context->finished);
    }
}

/* Runs signal handlers, which CPython does in the main thread only. A callback
 * runs in that thread only where a system calls back on the thread that
 * registers; elsewhere no handler changes the edge of a callback that waits.
 */
static nio_outcome
wait_for_helper(nio_callback_context *context, uint64_t timeout_ns)
{
    const uint64_t start = nio_monotonic_ns();
    uint64_t left = timeout_ns, recheck = NIO_FIRST_RECHECK_NS;

    for (;;) {
        if (PyErr_CheckSignals() < 0) {
            return NIO_OUTCOME_RAISED;
        }
        if (nio_callback_context_is_forked(context)) {
            return NIO_OUTCOME_DONE; /* a handler forked: this is the child */
        }
        if (timeout_ns != NIO_FOREVER) {
            const uint64_t spent = nio_monotonic_ns() - start;
            left = spent < timeout_ns ? timeout_ns - spent : 0;
        }
        const uint64_t limit = nio_recheck_after(left, &recheck);
        nio_signals_block();
        PyThreadState *thread = PyEval_SaveThread();
        const nio_wait woken = nio_event_wait(&context->finished, limit);
        nio_signals_restore();
        PyEval_RestoreThread(thread);
        if (woken == NIO_WAIT_SET) {
            return NIO_OUTCOME_DONE;
        }
        if (woken == NIO_WAIT_TIMEOUT && limit == left) {
            return NIO_OUTCOME_TIMEOUT;
        }
    }
}

/* Begin the cancellation. Returns TIMEOUT when there is something to wait for,
 * or to run: *ret_run says that this thread is to do the helper's work. */
static nio_outcome
begin_wait(nio_callback_context *context, bool may_run_here, bool *ret_run)
    NIO_EXCLUDES(nio_process_lock)
{
    nio_outcome outcome = NIO_OUTCOME_TIMEOUT;

    *ret_run = false;
    nio_lock_take(&nio_process_lock);
    if (nio_cancel_is_finished_locked(context)) {
        outcome = NIO_OUTCOME_DONE;
    } else if (closes_circle_locked(context)) {
        outcome = NIO_OUTCOME_DEADLOCK;
    } else {
        nio_cancel_begin_locked(context);
        *ret_run =
            may_run_here && context->published && !context->cancel_started;
        context->cancel_started |= *ret_run;
        if (*ret_run || add_waiter_locked(context)) {
            set_blocked_on_locked(context);
        } else {
            outcome = NIO_OUTCOME_NO_MEMORY;
        }
    }
    nio_lock_drop(&nio_process_lock);
    return outcome;
}

nio_outcome
nio_cancel_wait(nio_callback_context *context, uint64_t timeout_ns,
                bool may_run_here)
{
    bool run;
    nio_outcome outcome = begin_wait(context, may_run_here, &run);

    if (outcome != NIO_OUTCOME_TIMEOUT) {
        return outcome;
    }
    if (run) {
        Py_BEGIN_ALLOW_THREADS
        run_cancel(context);
        Py_END_ALLOW_THREADS
        outcome = NIO_OUTCOME_DONE;
    } else {
        outcome = wait_for_helper(context, timeout_ns);
    }
    nio_lock_take(&nio_process_lock);
    set_blocked_on_locked(NULL);
    if (!run) {
        remove_waiter_locked(context);
    }
    nio_lock_drop(&nio_process_lock);
    return outcome;
}
