/* SPDX-License-Identifier: MIT */
/* The methods of Watch for those who read. The waiting ones let the GIL go,
 * end at once when the Watch is stopped or a signal handler raises, and hold
 * no lock meanwhile. Each change goes to exactly one of all the readers: who
 * takes it from the queue has it. */
#include "binding/watch/read.h"

#include "binding/errors.h"
#include "binding/values/from_python.h"
#include "binding/watch/batch.h"

/* Marks that are taken along with all rows; more of them come next time. */
enum { MARKS = 16 };

/* From a timeout to the time of the monotonic clock at which it passes. */
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
until(uint64_t deadline)
{
    if (deadline == NIO_FOREVER) {
        return NIO_FOREVER;
    }
    uint64_t now = nio_monotonic_ns();
    return deadline > now ? deadline - now : 0;
}

/* Without the GIL. TIMEOUT also when it is only due to look around. */
static nio_wait
wait_once(nio_watch *self, uint64_t deadline, uint64_t *look)
{
    uint64_t left = nio_recheck_after(until(deadline), look);
    if (nio_watch_is_stopped(self)) {
        return NIO_WAIT_SET;
    }
    return left > 0 ? nio_event_wait(&self->feed->readable, left)
                    : NIO_WAIT_TIMEOUT;
}

/* Without the GIL. False when memory is short: then nothing is taken. Taking
 * the last change clears the event, which has to stay set for the others when
 * the Watch is stopped. */
static bool
take(nio_watch *self, size_t most, nio_read_result *result, size_t *ret_count)
{
    nio_queue_statistics queued;
    nio_taken taken = {.count = 0};

    nio_queue_statistics_of(self->feed->queue, &queued);
    if (queued.queued + MARKS < most) {
        most = (size_t)queued.queued + MARKS; /* later ones: the next time */
    }
    *ret_count = 0;
    if (!nio_read_result_prepare(result, most)) {
        return false;
    }
    *ret_count = nio_queue_take(self->feed->queue, most, &taken);
    if (*ret_count == 0) {
        nio_read_result_free(result);
        return true;
    }
    if (nio_watch_is_stopped(self)) {
        nio_event_set(&self->feed->readable);
    }
    nio_read_result_take(result, &taken);
    return true;
}

bool
nio_watch_refuse_forked(nio_watch *self)
{
    if (!nio_watch_source_is_forked(self->feed)) {
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
           nio_watch_source_enter(self->feed);
}

/* Before the GIL is let go for a wait. Once it is gone another thread may
 * well send a signal, long before the wait begins: it is held until then.
 * False when a handler raised, or forked and this is the child. */
static bool
before_wait(nio_watch *self)
{
    if (PyErr_CheckSignals() < 0 || nio_watch_refuse_forked(self)) {
        return false;
    }
    nio_signals_block();
    return true;
}

/* False when a signal handler raised, or forked and this is the child. */
static bool
after_wait(nio_watch *self, nio_wait woken)
{
    (void)nio_atomic_add(&self->feed->wakeups, woken != NIO_WAIT_TIMEOUT);
    return woken != NIO_WAIT_INTERRUPTED ||
           (PyErr_CheckSignals() == 0 && !nio_watch_refuse_forked(self));
}

/* False: the result holds nothing but marks that say nothing. Takes ownership
 * of the result. */
static bool
fill(PyObject *batch, nio_read_result *result)
{
    bool says = result->count > 0 || result->marked;
    if (says) {
        nio_batch_fill(batch, result);
    } else {
        nio_read_result_free(result);
    }
    return says;
}

/* The batch, or None when the time has passed; NULL with an exception. Takes
 * ownership of the batch, which was made before anything is taken: so no
 * allocation failure loses what was taken. */
static PyObject *
read_into(nio_watch *self, PyObject *batch, size_t most, uint64_t deadline)
{
    bool good = true, filled = false, late = false;
    uint64_t look = NIO_FIRST_RECHECK_NS;

    while (good && !filled && !late && !nio_watch_is_stopped(self) &&
           (good = before_wait(self))) {
        nio_wait woken = NIO_WAIT_SET;
        nio_read_result result = {.count = 0};
        size_t count = 0;
        Py_BEGIN_ALLOW_THREADS
        good = take(self, most, &result, &count);
        if (good && count == 0) {
            woken = wait_once(self, deadline, &look);
        }
        nio_signals_restore();
        Py_END_ALLOW_THREADS
        if (!good) {
            PyErr_NoMemory();
        } else if (count > 0) {
            filled = fill(batch, &result);
        } else if (woken == NIO_WAIT_TIMEOUT && until(deadline) == 0) {
            late = true;
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
    Py_ssize_t most = 0;
    uint64_t deadline = NIO_FOREVER;

    if (!PyArg_ParseTuple(args, "On:read", &timeout, &most) ||
        !deadline_from(timeout, &deadline)) {
        return NULL;
    }
    if (!nio_watch_enter(self)) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
    }
    result = nio_batch_new(nio_state_of(op));
    if (result != NULL) {
        result = read_into(self, result, (size_t)most, deadline);
    }
    nio_watch_source_leave(self->feed);
    return result;
}

PyObject *
nio_watch_wait(PyObject *op, PyObject *args)
{
    nio_watch *self = (nio_watch *)op;
    PyObject *timeout = NULL;
    uint64_t deadline = NIO_FOREVER;
    uint64_t look = NIO_FIRST_RECHECK_NS;
    bool good = true, over = false;

    if (!PyArg_ParseTuple(args, "O:wait", &timeout) ||
        !deadline_from(timeout, &deadline)) {
        return NULL;
    }
    if (!nio_watch_enter(self)) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
    }
    while (good && !over && !nio_watch_is_stopped(self) &&
           (good = before_wait(self))) {
        nio_wait woken;
        Py_BEGIN_ALLOW_THREADS
        woken = wait_once(self, deadline, &look);
        nio_signals_restore();
        Py_END_ALLOW_THREADS
        over = woken == NIO_WAIT_SET ||
               (woken == NIO_WAIT_TIMEOUT && until(deadline) == 0);
        good = after_wait(self, woken);
    }
    nio_watch_source_leave(self->feed);
    return good ? Py_NewRef(Py_None) : NULL;
}

/* As nio_watch_enter, but a closed Watch is an error. */
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
    int descriptor = nio_event_descriptor(&self->feed->readable);
    nio_watch_source_leave(self->feed);
    return descriptor >= 0 ? PyLong_FromLong(descriptor)
                           : nio_raise(nio_state_of(op), ERROR_NOT_SUPPORTED,
                                       "Watcher.fileno");
}

/* The descriptor; where there is none, the handle as a void *. */
PyObject *
nio_watch_begin_poll(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    if (!enter_open(self)) {
        return NULL;
    }
    int descriptor = nio_event_descriptor(&self->feed->readable);
    PyObject *event =
        descriptor >= 0
            ? PyLong_FromLong(descriptor)
            : PyLong_FromVoidPtr(nio_event_handle(&self->feed->readable));
    if (event == NULL) {
        nio_watch_source_leave(self->feed);
        return NULL;
    }
    (void)nio_atomic_add(&self->feed->polls, 1);
    return event;
}

PyObject *
nio_watch_end_poll(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    uint64_t polls;
    (void)unused;
    do {
        polls = nio_atomic_load(&self->feed->polls);
        if (polls == 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "end_poll() without begin_poll()");
            return NULL;
        }
    } while (!nio_atomic_replace(&self->feed->polls, polls, polls - 1));
    nio_watch_source_leave(self->feed);
    Py_RETURN_NONE;
}

/* Puts a mark that says nothing: somebody wakes and looks around. */
PyObject *
nio_watch_wake_one(PyObject *op, PyObject *unused)
{
    static const nio_change mark = {.kind = NIO_CHANGE_MARK};
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    if (nio_watch_enter(self)) {
        (void)nio_queue_put(self->feed->queue, &mark, NULL);
        nio_watch_source_leave(self->feed);
    } else if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *
nio_watch_closed_at_exit(PyObject *op, void *closure)
{
    (void)closure;
    nio_watch *self = (nio_watch *)op;
    return PyBool_FromLong(nio_atomic_load(&self->feed->closed_at_exit) != 0);
}
