/* SPDX-License-Identifier: MIT */
/* The methods of Watch for threads that read. A method that waits releases the
 * GIL and holds no lock meanwhile; it returns at once when the Watch is
 * stopped or a signal handler raises. Each change goes to exactly one reader,
 * the one that takes it out of the queue. */
#include "binding/watch/read.h"

#include "binding/errors.h"
#include "binding/values/from_python.h"
#include "binding/watch/batch.h"

/* How many marks one read takes at most beyond the rows; the next read takes
 * the others. */
enum { MARKS = 16 };

/* Converts a timeout to the time of the monotonic clock at which it passes. */
static bool
deadline_from(PyObject *timeout, uint64_t *ret_deadline)
{
    uint64_t left = NIO_FOREVER;
    if (!nio_timeout_from(timeout, &left)) {
        return false;
    }
    *ret_deadline =
        left == NIO_FOREVER ? NIO_FOREVER : nio_monotonic_ns() + left;
    return true;
}

static uint64_t
time_left(uint64_t deadline)
{
    if (deadline == NIO_FOREVER) {
        return NIO_FOREVER;
    }
    uint64_t now = nio_monotonic_ns();
    return deadline > now ? deadline - now : 0;
}

/* Called without the GIL. Returns TIMEOUT also when only the interval until
 * the next check for signals has passed. */
static nio_wait
wait_once(nio_watch *self, uint64_t deadline, uint64_t *interval,
          const nio_signal_mask *mask)
{
    uint64_t left = nio_recheck_after(time_left(deadline), interval);
    if (nio_watch_is_stopped(self)) {
        return NIO_WAIT_SET;
    }
    if (left == 0) {
        return NIO_WAIT_TIMEOUT;
    }
    return nio_event_wait_unblocked(&self->source->readable, left, mask);
}

/* Called without the GIL. False on allocation failure: then nothing is taken.
 * Taking the last change clears the event; where the Watch is stopped it is
 * set again, since the other readers wait for it. */
static bool
take(nio_watch *self, size_t max_count, nio_read_result *result,
     size_t *ret_count)
{
    nio_queue_statistics queued;
    nio_taken taken = {.count = 0};

    nio_queue_statistics_of(self->source->queue, &queued);
    if (queued.queued + MARKS < max_count) {
        max_count = (size_t)queued.queued + MARKS;
    }
    *ret_count = 0;
    if (!nio_read_result_prepare(result, max_count)) {
        return false;
    }
    *ret_count = nio_queue_take(self->source->queue, max_count, &taken);
    if (*ret_count == 0) {
        nio_read_result_free(result);
        return true;
    }
    if (nio_watch_is_stopped(self)) {
        nio_event_set(&self->source->readable);
    }
    nio_read_result_take(result, &taken);
    return true;
}

bool
nio_watch_refuse_forked(nio_watch *self)
{
    if (!nio_watch_source_is_forked(self->source)) {
        return false;
    }
    PyErr_SetString(PyExc_RuntimeError,
                    "this Watcher was made before fork() and is dead in "
                    "the child process: make a new one there");
    return true;
}

bool
nio_watch_enter(nio_watch *self)
{
    return !nio_watch_refuse_forked(self) &&
           nio_watch_source_enter(self->source);
}

/* Called before the GIL is released for a wait. Another thread can send a
 * signal as soon as the GIL is released, before the wait begins: the signal
 * stays blocked until then. False when a signal handler raised, or when it
 * forked and this is the child. */
static bool
before_wait(nio_watch *self, nio_signal_mask *ret_mask)
{
    if (PyErr_CheckSignals() < 0 || nio_watch_refuse_forked(self)) {
        return false;
    }
    nio_signals_block(ret_mask);
    return true;
}

/* False when a signal handler raised, or when it forked and this is the
 * child. */
static bool
after_wait(nio_watch *self, nio_wait woken)
{
    (void)nio_atomic_add(&self->source->wakeups, woken != NIO_WAIT_TIMEOUT);
    return woken != NIO_WAIT_INTERRUPTED ||
           (PyErr_CheckSignals() == 0 && !nio_watch_refuse_forked(self));
}

/* Takes ownership of the result. False: it was empty, since all that was taken
 * were the marks of wake_one(). */
static bool
fill(PyObject *batch, nio_read_result *result)
{
    bool empty = result->count == 0 && !result->marked;
    if (empty) {
        nio_read_result_free(result);
    } else {
        nio_batch_fill(batch, result);
    }
    return !empty;
}

/* Returns the batch, or None when the deadline has passed or the Watch is
 * stopped; NULL with an exception. Takes ownership of the batch. It is made
 * before anything is taken, so that no allocation failure loses a change. */
static PyObject *
read_into(nio_watch *self, PyObject *batch, size_t max_count,
          uint64_t deadline)
{
    bool good = true, filled = false, timed_out = false;
    nio_signal_mask mask;
    uint64_t interval = NIO_FIRST_RECHECK_NS;

    while (good && !filled && !timed_out && !nio_watch_is_stopped(self) &&
           (good = before_wait(self, &mask))) {
        nio_wait woken = NIO_WAIT_SET;
        nio_read_result result = {.count = 0};
        size_t count = 0;
        Py_BEGIN_ALLOW_THREADS
        good = take(self, max_count, &result, &count);
        if (good && count == 0) {
            woken = wait_once(self, deadline, &interval, &mask);
        }
        nio_signals_restore(&mask);
        Py_END_ALLOW_THREADS
        if (!good) {
            PyErr_NoMemory();
        } else if (count > 0) {
            filled = fill(batch, &result);
        } else if (woken == NIO_WAIT_TIMEOUT && time_left(deadline) == 0) {
            timed_out = true;
        } else {
            good = after_wait(self, woken);
        }
    }
    if (filled) {
        return batch;
    }
    Py_DECREF(batch);
    return good ? Py_NewRef(Py_None) : NULL;
}

PyObject *
nio_watch_read(PyObject *op, PyObject *args)
{
    nio_watch *self = (nio_watch *)op;
    PyObject *timeout = NULL, *result = NULL;
    Py_ssize_t max_count = 0;
    uint64_t deadline = NIO_FOREVER;

    if (!PyArg_ParseTuple(args, "On:read", &timeout, &max_count) ||
        !deadline_from(timeout, &deadline)) {
        return nio_raise_overflow_as_value();
    }
    if (!nio_watch_enter(self)) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
    }
    result = nio_batch_new(nio_state_of(op));
    if (result != NULL) {
        result = read_into(self, result, (size_t)max_count, deadline);
    }
    nio_watch_source_leave(self->source);
    return result;
}

PyObject *
nio_watch_wait(PyObject *op, PyObject *args)
{
    nio_watch *self = (nio_watch *)op;
    PyObject *timeout = NULL;
    uint64_t deadline = NIO_FOREVER;
    uint64_t interval = NIO_FIRST_RECHECK_NS;
    bool good = true, over = false;
    nio_signal_mask mask;

    if (!PyArg_ParseTuple(args, "O:wait", &timeout) ||
        !deadline_from(timeout, &deadline)) {
        return NULL;
    }
    if (!nio_watch_enter(self)) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
    }
    while (good && !over && !nio_watch_is_stopped(self) &&
           (good = before_wait(self, &mask))) {
        nio_wait woken;
        Py_BEGIN_ALLOW_THREADS
        woken = wait_once(self, deadline, &interval, &mask);
        nio_signals_restore(&mask);
        Py_END_ALLOW_THREADS
        over = woken == NIO_WAIT_SET ||
               (woken == NIO_WAIT_TIMEOUT && time_left(deadline) == 0);
        good = after_wait(self, woken);
    }
    nio_watch_source_leave(self->source);
    return good ? Py_NewRef(Py_None) : NULL;
}

/* As nio_watch_enter, but with ValueError when the Watch is closed. */
static bool
enter_open(nio_watch *self)
{
    bool entered = nio_watch_enter(self);
    if (!entered && PyErr_Occurred() == NULL) {
        PyErr_SetString(PyExc_ValueError, "watcher is closed");
    }
    return entered;
}

PyObject *
nio_watch_fileno(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    if (!enter_open(self)) {
        return NULL;
    }
    int descriptor = nio_event_descriptor(&self->source->readable);
    nio_watch_source_leave(self->source);
    return descriptor >= 0
               ? PyLong_FromLong(descriptor)
               : nio_raise_detail(nio_state_of(op), ERROR_NOT_SUPPORTED,
                                  "Watcher.fileno",
                                  "this system has no descriptor for it; "
                                  "handle() returns what waits on Windows");
}

PyObject *
nio_watch_handle(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    if (!enter_open(self)) {
        return NULL;
    }
    void *handle = nio_event_handle(&self->source->readable);
    nio_watch_source_leave(self->source);
    return handle != NULL
               ? PyLong_FromVoidPtr(handle)
               : nio_raise_detail(nio_state_of(op), ERROR_NOT_SUPPORTED,
                                  "Watcher.handle",
                                  "only Windows has a handle for it; fileno() "
                                  "returns a descriptor");
}

/* Returns the descriptor; where the system has none, the handle. */
PyObject *
nio_watch_begin_poll(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    if (!enter_open(self)) {
        return NULL;
    }
    int descriptor = nio_event_descriptor(&self->source->readable);
    PyObject *event =
        descriptor >= 0
            ? PyLong_FromLong(descriptor)
            : PyLong_FromVoidPtr(nio_event_handle(&self->source->readable));
    if (event == NULL) {
        nio_watch_source_leave(self->source);
        return NULL;
    }
    (void)nio_atomic_add(&self->source->polls, 1);
    return event;
}

PyObject *
nio_watch_end_poll(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    uint64_t polls;
    (void)unused;
    do {
        polls = nio_atomic_load(&self->source->polls);
        if (polls == 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "end_poll() without begin_poll()");
            return NULL;
        }
    } while (!nio_atomic_replace(&self->source->polls, polls, polls - 1));
    nio_watch_source_leave(self->source);
    Py_RETURN_NONE;
}

/* Appends a mark without flags, so that one waiting thread wakes and checks
 * again. */
PyObject *
nio_watch_wake_one(PyObject *op, PyObject *unused)
{
    static const nio_change mark = {.kind = NIO_CHANGE_MARK};
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    if (nio_watch_enter(self)) {
        (void)nio_queue_put(self->source->queue, &mark, NULL);
        nio_watch_source_leave(self->source);
    } else if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    Py_RETURN_NONE;
}
