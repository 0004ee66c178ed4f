/* SPDX-License-Identifier: MIT */
/* The life of a registration after it was asked for: publishing its handle,
 * cancelling it on a helper thread, waiting for that, and refusing a wait that
 * could never end. One lock for the whole process guards all of it; it is
 * held for a few instructions, and while nothing is called that could wait.
 *
 * CancelMibChangeNotify2 blocks until the callbacks in flight have returned,
 * and nothing interrupts it. So a helper thread calls it, and whoever cancels
 * waits for the helper: with a deadline, and open to signals.
 *
 * Who waits for whom is a graph: a callback that waits marks its registration
 * with the one it is blocked on, so that a wait that would close a circle is
 * seen before it begins. A registration has one deliverer at a time, so one
 * mark is enough. */
#include "binding/callbacks/cancel.h"

#include "binding/callbacks/threads.h"

bool
nio_cancel_forked(const nio_callback_context *bridge)
{
    return bridge->generation != nio_process_generation();
}

static void
finish_locked(nio_callback_context *bridge, nio_stage stage)
    NIO_REQUIRES(nio_process_lock)
{
    bridge->stage = stage;
    if (bridge->waiters > 0) {
        nio_event_set(&bridge->done);
    }
}

/* The helper thread, or a caller in its place. */
static void
run_cancel(void *argument)
{
    nio_callback_context *bridge = argument;
    NETIO_STATUS status = NO_ERROR;

    if (bridge->handle != NULL) { /* some systems succeed without a handle */
        status = nio_system()->CancelMibChangeNotify2(bridge->handle);
    }
    nio_lock_take(&nio_process_lock);
    bridge->status = status;
    finish_locked(bridge, status == NO_ERROR ? NIO_CANCELLED : NIO_FAILED);
    nio_lock_drop(&nio_process_lock);
}

/* Start the helper when it is due. Under the lock, so that nobody can join it
 * before it is stored; what it waits for first is this lock. */
static void
begin_locked(nio_callback_context *bridge) NIO_REQUIRES(nio_process_lock)
{
    if (bridge->stage == NIO_CANCELLING && bridge->published &&
        !bridge->begun) {
        bridge->begun = nio_thread_start(&bridge->helper, "netio-cancel",
                                         run_cancel, bridge);
    }
}

static bool
over_locked(const nio_callback_context *bridge) NIO_REQUIRES(nio_process_lock)
{
    return bridge->stage == NIO_CANCELLED || bridge->stage == NIO_FAILED ||
           nio_cancel_forked(bridge);
}

static bool
in_my_stack(const nio_callback_context *bridge)
{
    for (const nio_frame *at = nio_frames(); at != NULL; at = at->up) {
        if (at->bridge == bridge) {
            return true;
        }
    }
    return false;
}

/* Would waiting for `bridge` wait for this thread itself? The walk ends: no
 * circle was ever let in. */
static bool
closes_circle_locked(const nio_callback_context *bridge)
    NIO_REQUIRES(nio_process_lock)
{
    if (nio_frames() == NULL) {
        return false;
    }
    for (; bridge != NULL; bridge = bridge->blocked_on) {
        if (in_my_stack(bridge)) {
            return true;
        }
    }
    return false;
}

static void
block_my_frames_locked(nio_callback_context *on) NIO_REQUIRES(nio_process_lock)
{
    for (const nio_frame *at = nio_frames(); at != NULL; at = at->up) {
        at->bridge->blocked_on = on;
    }
}

static nio_outcome
look_locked(nio_callback_context *bridge) NIO_REQUIRES(nio_process_lock)
{
    if (over_locked(bridge)) {
        return NIO_OUTCOME_DONE;
    }
    return closes_circle_locked(bridge) ? NIO_OUTCOME_DEADLOCK
                                        : NIO_OUTCOME_TIMEOUT;
}

/* The event is there while anybody waits for it: a registration, of which
 * there may be very many, costs no descriptor. */
static bool
join_waiters_locked(nio_callback_context *bridge)
    NIO_REQUIRES(nio_process_lock)
{
    if (bridge->waiters == 0 && !nio_event_init(&bridge->done)) {
        return false;
    }
    bridge->waiters++;
    return true;
}

static void
leave_waiters_locked(nio_callback_context *bridge)
    NIO_REQUIRES(nio_process_lock)
{
    if (--bridge->waiters == 0) {
        nio_event_done(&bridge->done);
    }
}

void
nio_cancel_publish(nio_callback_context *bridge, bool registered,
                   HANDLE handle)
{
    nio_lock_take(&nio_process_lock);
    if (!registered) {
        finish_locked(bridge, NIO_CANCELLED);
    } else {
        bridge->handle = handle;
        bridge->published = true;
        if (bridge->stage == NIO_STARTING) {
            bridge->stage = NIO_ACTIVE;
        }
        begin_locked(bridge);
    }
    nio_lock_drop(&nio_process_lock);
}

nio_stage
nio_cancel_stage(nio_callback_context *bridge)
{
    nio_lock_take(&nio_process_lock);
    nio_stage stage =
        nio_cancel_forked(bridge) ? NIO_CANCELLED : bridge->stage;
    nio_lock_drop(&nio_process_lock);
    return stage;
}

void
nio_cancel_begin_locked(nio_callback_context *bridge)
{
    if (!nio_cancel_forked(bridge)) {
        nio_atomic_store(&bridge->disabled, 1);
        if (bridge->stage == NIO_STARTING || bridge->stage == NIO_ACTIVE) {
            bridge->stage = NIO_CANCELLING;
        }
        begin_locked(bridge);
    }
}

void
nio_cancel_begin(nio_callback_context *bridge)
{
    nio_lock_take(&nio_process_lock);
    nio_cancel_begin_locked(bridge);
    nio_lock_drop(&nio_process_lock);
}

bool
nio_cancel_over_locked(nio_callback_context *bridge)
{
    if (over_locked(bridge)) {
        return true;
    }
    begin_locked(bridge);
    return false;
}

nio_outcome
nio_cancel_look(nio_callback_context *bridge)
{
    nio_lock_take(&nio_process_lock);
    nio_outcome outcome = look_locked(bridge);
    nio_lock_drop(&nio_process_lock);
    return outcome;
}

/* Handlers of signals run meanwhile: in the main thread, which is in no
 * callback, so what a callback waits for stays marked all the time. */
static nio_outcome
wait_for_helper(nio_callback_context *bridge, uint64_t timeout_ns)
{
    const uint64_t start = nio_monotonic_ns();
    uint64_t left = timeout_ns, look = NIO_FIRST_RECHECK_NS;

    for (;;) {
        if (PyErr_CheckSignals() < 0) {
            return NIO_OUTCOME_RAISED;
        }
        if (nio_cancel_forked(bridge)) {
            return NIO_OUTCOME_DONE; /* a handler did, and this is the child */
        }
        if (timeout_ns != NIO_FOREVER) {
            const uint64_t spent = nio_monotonic_ns() - start;
            left = spent < timeout_ns ? timeout_ns - spent : 0;
        }
        const uint64_t limit = nio_recheck_after(left, &look);
        nio_signals_block();
        PyThreadState *thread = PyEval_SaveThread();
        const nio_wait woken = nio_event_wait(&bridge->done, limit);
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

nio_outcome
nio_cancel_wait(nio_callback_context *bridge, uint64_t timeout_ns, bool alone)
{
    bool run = false;

    nio_lock_take(&nio_process_lock);
    nio_outcome outcome = look_locked(bridge);
    if (outcome == NIO_OUTCOME_TIMEOUT) {
        nio_cancel_begin_locked(bridge);
        run = alone && bridge->published && !bridge->begun;
        bridge->begun |= run;
        if (!run && !join_waiters_locked(bridge)) {
            outcome = NIO_OUTCOME_NO_MEMORY;
        } else {
            block_my_frames_locked(bridge);
        }
    }
    nio_lock_drop(&nio_process_lock);
    if (outcome != NIO_OUTCOME_TIMEOUT) {
        return outcome;
    }

    if (run) {
        Py_BEGIN_ALLOW_THREADS
        run_cancel(bridge);
        Py_END_ALLOW_THREADS
        outcome = NIO_OUTCOME_DONE;
    } else {
        outcome = wait_for_helper(bridge, timeout_ns);
    }
    nio_lock_take(&nio_process_lock);
    block_my_frames_locked(NULL);
    if (!run) {
        leave_waiters_locked(bridge);
    }
    nio_lock_drop(&nio_process_lock);
    return outcome;
}

void
nio_cancel_join(nio_callback_context *bridge)
{
    nio_lock_take(&nio_process_lock);
    nio_thread helper = bridge->helper;
    bridge->helper.started = false;
    helper.started = helper.started && !nio_cancel_forked(bridge);
    nio_lock_drop(&nio_process_lock);
    nio_thread_join(&helper);
}
