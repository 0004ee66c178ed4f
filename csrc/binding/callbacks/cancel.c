/* SPDX-License-Identifier: MIT */
/* The stages of a registration: publishing its handle, cancelling it on a
 * helper thread, waiting for that, and refusing a wait that could never end.
 * nio_process_lock guards all of it.
 *
 * CancelMibChangeNotify2 blocks until the running callbacks have returned, and
 * nothing interrupts it. So a helper thread calls it, and the thread that
 * cancels waits for the helper: that wait has a deadline, and signals
 * interrupt it.
 *
 * A callback may cancel another registration, and so wait for the callback of
 * that one. These waits are the edges of a graph of registrations. A
 * registration runs one callback at a time, but that callback can have several
 * waits: within a wait a signal handler or a finalizer runs, and may itself
 * cancel and wait. A wait that would close a circle is refused before it
 * begins. */
#include "binding/callbacks/cancel.h"

#include "binding/callbacks/first_call.h"
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

/* The helper's task; where there is no helper, the cancelling thread runs it.
 */
static void
run_cancel(void *argument)
{
    nio_callback_context *context = argument;
    NETIO_STATUS status = NO_ERROR;

    if (context->handle != NULL) { /* Windows may register without one */
        status = nio_system()->CancelMibChangeNotify2(context->handle);
    }
    nio_first_call_join(context);
    nio_lock_take(&nio_process_lock);
    context->status = status;
    finish_locked(context, status == NO_ERROR ? NIO_CANCELLED : NIO_FAILED);
    nio_lock_drop(&nio_process_lock);
}

/* Does nothing before the handle is published, or when there is a helper
 * already. Where the system has no thread left, a later call tries again. The
 * lock is held meanwhile, so that no other thread joins the helper before its
 * nio_thread is stored. */
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

/* One wait of a thread that is in a callback, on the stack of that thread. All
 * its callbacks wait for `on`: none of them returns before this wait ends. */
typedef struct nio_callback_wait {
    nio_callback_context *on;
    const nio_frame *frames;         /* its callbacks, innermost first */
    struct nio_callback_wait *outer; /* within which this one began; or NULL */
} nio_callback_wait;

static bool
has_frame_of(const nio_frame *frames, const nio_callback_context *context)
{
    while (frames != NULL && frames->context != context) {
        frames = frames->outer;
    }
    return frames != NULL;
}

/* The callbacks that this thread is in; NULL: none. */
static const nio_frame *
frames_of_thread(void)
{
    const nio_thread_context *thread = nio_thread_context_find();
    return thread != NULL ? thread->frames : NULL;
}

/* True when a wait for this registration would wait for this thread itself.
 * Follows the waits, and visits each registration once. */
static bool
closes_circle_locked(nio_callback_context *context)
    NIO_REQUIRES(nio_process_lock)
{
    const nio_frame *frames = frames_of_thread();
    nio_callback_context *at, *last = context;
    bool circle = false;

    context->visited = true;
    for (at = context; frames != NULL && at != NULL; at = at->next_visited) {
        circle = circle || has_frame_of(frames, at);
        for (const nio_callback_wait *wait = at->waits;
             wait != NULL && has_frame_of(wait->frames, at);
             wait = wait->outer) {
            if (!wait->on->visited) {
                wait->on->visited = true;
                last = last->next_visited = wait->on;
            }
        }
    }
    for (at = context; at != NULL; at = last) {
        last = at->next_visited;
        at->next_visited = NULL;
        at->visited = false;
    }
    return circle;
}

static void
begin_edges_locked(nio_callback_wait *wait, nio_callback_context *on)
    NIO_REQUIRES(nio_process_lock)
{
    const nio_frame *at;

    *wait = (nio_callback_wait){.on = on, .frames = frames_of_thread()};
    for (at = wait->frames; at != NULL && wait->outer == NULL;
         at = at->outer) {
        wait->outer = at->context->waits;
    }
    for (at = wait->frames; at != NULL; at = at->outer) {
        at->context->waits = wait;
    }
}

/* A callback that began within the outer wait has no part in it. */
static void
end_edges_locked(const nio_callback_wait *wait) NIO_REQUIRES(nio_process_lock)
{
    for (const nio_frame *at = wait->frames; at != NULL; at = at->outer) {
        nio_callback_context *context = at->context;
        bool outer =
            wait->outer != NULL && has_frame_of(wait->outer->frames, context);
        context->waits = outer ? wait->outer : NULL;
    }
}

/* ---- the helper's task on another thread */

/* True where the cancellation has a handle and no helper: the caller is to run
 * the helper's task. */
static bool
take_over_locked(nio_callback_context *context) NIO_REQUIRES(nio_process_lock)
{
    if (context->stage != NIO_CANCELLING || !context->published ||
        context->cancel_started) {
        return false;
    }
    context->cancel_started = true;
    return true;
}

/* Starts the helper if an earlier attempt failed, or takes over its task where
 * this one fails, too. */
static bool
take_over(nio_callback_context *context, bool may_run_here,
          bool *ret_has_helper)
{
    nio_lock_take(&nio_process_lock);
    start_helper_locked(context);
    bool taken = may_run_here && take_over_locked(context);
    *ret_has_helper = context->cancel_started;
    nio_lock_drop(&nio_process_lock);
    return taken;
}

static void
run_here(nio_callback_context *context)
{
    Py_BEGIN_ALLOW_THREADS
    run_cancel(context);
    Py_END_ALLOW_THREADS
}

/* ---- waiting */

/* A registration has an event only while threads wait: there may be very many
 * registrations, and each event is a file descriptor. False when the system
 * has no event left. */
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

/* PyErr_CheckSignals() can run Python code, which may call cancel() and so
 * begin a wait within this one: signal handlers in the main thread (which is
 * in a callback only on a system that calls back on the registering thread),
 * and from CPython 3.12 on the garbage collector's finalizers in any thread.
 */
static nio_outcome
wait_for_helper(nio_callback_context *context, uint64_t timeout_ns,
                bool may_run_here)
{
    const uint64_t start = nio_monotonic_ns();
    uint64_t left = timeout_ns, recheck = NIO_FIRST_RECHECK_NS;
    nio_signal_mask mask;
    bool has_helper;

    for (;;) {
        if (PyErr_CheckSignals() < 0) {
            return NIO_OUTCOME_RAISED;
        }
        if (nio_callback_context_is_forked(context)) {
            return NIO_OUTCOME_DONE; /* a handler forked: this is the child */
        }
        if (take_over(context, may_run_here, &has_helper)) {
            run_here(context);
            return NIO_OUTCOME_DONE;
        }
        if (!has_helper) {
            recheck = NIO_FIRST_RECHECK_NS;
        }
        if (timeout_ns != NIO_FOREVER) {
            const uint64_t spent = nio_monotonic_ns() - start;
            left = spent < timeout_ns ? timeout_ns - spent : 0;
        }
        const uint64_t limit = nio_recheck_after(left, &recheck);
        nio_signals_block(&mask);
        PyThreadState *thread = PyEval_SaveThread();
        const nio_wait woken =
            nio_event_wait_unblocked(&context->finished, limit, &mask);
        nio_signals_restore(&mask);
        PyEval_RestoreThread(thread);
        if (woken == NIO_WAIT_SET) {
            return NIO_OUTCOME_DONE;
        }
        if (woken == NIO_WAIT_TIMEOUT && limit == left) {
            return NIO_OUTCOME_TIMEOUT;
        }
    }
}

/* Begins the cancellation. Returns TIMEOUT when it is not finished yet: then
 * the caller runs the helper's task if *ret_run is true, and otherwise waits
 * for the helper. */
static nio_outcome
begin_wait(nio_callback_context *context, nio_callback_wait *wait,
           bool may_run_here, bool *ret_run) NIO_EXCLUDES(nio_process_lock)
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
        *ret_run = may_run_here && take_over_locked(context);
        if (*ret_run || add_waiter_locked(context)) {
            begin_edges_locked(wait, context);
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
    nio_callback_wait wait;
    bool run;
    nio_outcome outcome = begin_wait(context, &wait, may_run_here, &run);

    if (outcome != NIO_OUTCOME_TIMEOUT) {
        return outcome;
    }
    if (run) {
        run_here(context);
        outcome = NIO_OUTCOME_DONE;
    } else {
        outcome = wait_for_helper(context, timeout_ns, may_run_here);
    }
    nio_lock_take(&nio_process_lock);
    end_edges_locked(&wait);
    if (!run) {
        remove_waiter_locked(context);
    }
    nio_lock_drop(&nio_process_lock);
    return outcome;
}
