/* SPDX-License-Identifier: MIT */
/* The Watch type, the native half of netioapi.Watcher: a subscription to the
 * system's changes, the queue that the system's thread fills without the GIL,
 * and the event that readers wait for.
 *
 *   closed -> open -> closing -> closed       (watch_new, close)
 *
 * Any number of threads may call any method at once. A method that lets the
 * GIL go is a user of the feed for that time, and the last user of a closed
 * Watch frees the feed: so close() waits for no reader, and may be called
 * from a signal handler that interrupted one. The module knows the open ones
 * but keeps none of them alive: one that nobody refers to is closed by its
 * deallocation. */
#include "binding/watch.h"

#include <stdlib.h>

/* ---- the feed */
static size_t
key_of(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

static nio_feed *
feed_free(nio_feed *feed)
{
    if (feed != NULL) {
        nio_queue_free(feed->queue);
        nio_event_done(&feed->readable);
        free(feed);
    }
    return NULL;
}

static nio_feed *
feed_new(size_t bound)
{
    nio_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL) {
        return NULL;
    }
    if (!nio_event_init(&feed->readable)) {
        free(feed);
        return NULL;
    }
    feed->queue = nio_queue_new(bound, key_of, &feed->readable);
    return feed->queue != NULL ? feed : feed_free(feed);
}

/* ---- users */
bool
nio_watch_is_forked(const nio_watch *self)
{
    return self->state != NIO_WATCH_CLOSED &&
           nio_is_forked(self->feed->handle);
}

bool
nio_watch_enter(nio_watch *self)
{
    if (nio_watch_refuse_forked(self)) {
        return false;
    }
    self->users += self->state == NIO_WATCH_OPEN;
    return self->state == NIO_WATCH_OPEN;
}

void
nio_watch_leave(nio_watch *self)
{
    if (--self->users == 0 && self->state == NIO_WATCH_CLOSED) {
        self->feed = feed_free(self->feed);
    }
}

void
nio_watch_refresh(nio_watch *self)
{
    if (self->state == NIO_WATCH_OPEN && !nio_watch_is_forked(self)) {
        nio_queue_statistics_of(self->feed->queue, &self->queued);
        (void)nio_statistics_of(self->feed->handle, &self->system);
    }
}

/* ---- stopping and closing */
/* For ever, and so the event must stay set: who emptied the queue, and with
 * it cleared the event, sets it again (watch_read.c). */
static void
stop(nio_watch *self)
{
    nio_atomic_store(&self->stopped, 1);
    if (self->feed != NULL && !nio_watch_is_forked(self)) {
        nio_event_set(&self->feed->readable);
    }
}

static void
unlink_watch(nio_watch *self)
{
    if (self->link != NULL) {
        *self->link = self->next;
        if (self->next != NULL) {
            self->next->link = self->link;
        }
        self->link = NULL;
    }
}

static void
wait_until_finished(nio_watch *self)
{
    Py_BEGIN_ALLOW_THREADS
    nio_lock_take(&self->lock);
    while (!self->finished) {
        nio_condition_wait(&self->condition, &self->lock);
    }
    nio_lock_drop(&self->lock);
    Py_END_ALLOW_THREADS
}

/* In a forked child. The queue is leaked: somebody may have held its lock
 * when the process forked, or have waited for the closing. The event is the
 * parent's too, and only our descriptor of it is closed. */
static void
abandon(nio_watch *self)
{
    nio_atomic_store(&self->stopped, 1);
    self->state = NIO_WATCH_CLOSED;
    self->abandoned = true;
    nio_event_done(&self->feed->readable);
    self->feed = NULL;
}

/* Returns what the system's cancel said. After it the Watch is closed. */
static NETIO_STATUS
close_watch(nio_watch *self)
{
    NETIO_STATUS status = NO_ERROR;
    nio_queue_statistics last;
    nio_feed *feed = self->feed;

    unlink_watch(self);
    if (self->state == NIO_WATCH_CLOSED) {
        return NO_ERROR;
    }
    if (nio_watch_is_forked(self)) {
        abandon(self);
        return NO_ERROR;
    }
    if (self->state == NIO_WATCH_CLOSING) {
        wait_until_finished(self);
        return NO_ERROR;
    }
    nio_watch_refresh(self);
    stop(self);
    self->users++;
    self->state = NIO_WATCH_CLOSING;
    Py_BEGIN_ALLOW_THREADS
    status = nio_unsubscribe(feed->handle);
    nio_queue_statistics_of(feed->queue, &last);
    nio_queue_close(feed->queue);
    nio_lock_take(&self->lock);
    self->finished = true;
    nio_condition_wake_all(&self->condition);
    nio_lock_drop(&self->lock);
    Py_END_ALLOW_THREADS
    self->queued = last;
    self->state = NIO_WATCH_CLOSED;
    if (status == NO_ERROR) {
        nio_watch_leave(self);
    } /* else: never free what the system may still write to */
    return status;
}

static PyObject *
watch_close(PyObject *op, PyObject *unused)
{
    (void)unused;
    NETIO_STATUS status = close_watch((nio_watch *)op);
    if (status != NO_ERROR) {
        return nio_raise(nio_state_of(op), status, "Watcher.close");
    }
    Py_RETURN_NONE;
}

static PyObject *
watch_stop(PyObject *op, PyObject *unused)
{
    (void)unused;
    stop((nio_watch *)op);
    Py_RETURN_NONE;
}

static void
watch_dealloc(PyObject *op)
{
    nio_watch *self = (nio_watch *)op;
    PyTypeObject *type = Py_TYPE(op);

    (void)close_watch(self);
    if (!self->abandoned) {
        nio_condition_done(&self->condition);
        nio_lock_done(&self->lock);
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(op);
    Py_DECREF(type);
}

/* The GIL makes the step from the list to a reference safe: who is in the
 * list has not begun to be deallocated. */
void
nio_watches_shutdown(nio_state *state)
{
    while (state->watches != NULL) {
        nio_watch *watch = state->watches;
        Py_INCREF((PyObject *)watch);
        (void)close_watch(watch);
        Py_DECREF((PyObject *)watch);
    }
}

/* ---- making */
static bool
open_watch(nio_watch *self, nio_state *state, const nio_request *request,
           size_t bound)
{
    NETIO_STATUS status = NO_ERROR;
    nio_feed *feed = feed_new(bound);

    if (feed == NULL) {
        nio_raise(state, ERROR_NOT_ENOUGH_MEMORY, "Watcher");
        return false;
    }
    Py_BEGIN_ALLOW_THREADS
    status = nio_subscribe(request, feed->queue, &feed->handle);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        const char *missing = status == ERROR_PROC_NOT_FOUND
                                  ? nio_watch_lacks(request->kinds)
                                  : NULL;
        feed_free(feed);
        if (missing != NULL) {
            nio_raise_missing(state, missing);
        } else {
            nio_raise(state, status, "Watcher");
        }
        return false;
    }
    self->feed = feed;
    self->state = NIO_WATCH_OPEN;
    self->next = state->watches;
    self->link = &state->watches;
    if (self->next != NULL) {
        self->next->link = &self->next;
    }
    state->watches = self;
    return true;
}

static PyObject *
watch_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"kinds",          "family",   "tables",
                            "interfaces",     "prefixes", "prefix_match",
                            "protocols",      "snapshot", "queue",
                            "receive_buffer", NULL};
    nio_wanted_arguments given = {.prefix_match = NIO_COVERED};
    nio_wanted wanted = {.filter = {.family = 0}};
    nio_request request = {.filter = &wanted.filter};
    int snapshot = 0;
    Py_ssize_t bound = 0;

    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "IOOOOIOpni:Watch", names, &request.kinds,
            &given.family, &given.tables, &given.interfaces, &given.prefixes,
            &given.prefix_match, &given.protocols, &snapshot, &bound,
            &request.receive_buffer)) {
        return NULL;
    }
    PyObject *op = PyType_GenericAlloc(type, 0);
    if (op == NULL) {
        return NULL;
    }
    nio_watch *self = (nio_watch *)op;
    nio_lock_init(&self->lock);
    nio_condition_init(&self->condition);
    nio_state *state = nio_state_of(op);
    request.snapshot = snapshot != 0;
    bool good =
        nio_wanted_from(state, &given, &wanted) &&
        open_watch(self, state, &request, bound > 0 ? (size_t)bound : 1);
    nio_wanted_done(&wanted);
    if (!good) {
        Py_DECREF(op);
        return NULL;
    }
    return op;
}

/* ---- what it tells */
static PyObject *
watch_stats(PyObject *op, PyObject *unused)
{
    nio_watch *self = (nio_watch *)op;
    (void)unused;
    nio_watch_refresh(self);
    const nio_queue_statistics *queue = &self->queued;
    const nio_statistics *system = &self->system;
    return Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "received", queue->put,
        "delivered", queue->taken, "coalesced", queue->coalesced, "overflows",
        system->overflows, "resyncs", system->resyncs, "queue_high_water",
        queue->high_water, "ignored", system->ignored, "lost", queue->lost,
        "queued", queue->queued, "receive_buffer", system->receive_buffer);
}

static PyObject *
watch_closed(PyObject *op, void *closure)
{
    (void)closure;
    return PyBool_FromLong(((nio_watch *)op)->state != NIO_WATCH_OPEN);
}

static PyObject *
watch_stopped(PyObject *op, void *closure)
{
    (void)closure;
    return PyBool_FromLong(nio_watch_is_stopped((nio_watch *)op));
}

static PyObject *
watch_wakeups(PyObject *op, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(((nio_watch *)op)->wakeups);
}

static PyGetSetDef watch_getset[] = {
    {"closed", watch_closed, NULL, "True once close() has begun.", NULL},
    {"stopped", watch_stopped, NULL, "True after stop() or close().", NULL},
    {"wakeups", watch_wakeups, NULL, "Waits that ended early.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef watch_methods[] = {
    {"read", nio_watch_read, METH_VARARGS,
     PyDoc_STR("read($self, timeout, max_changes, /)\n--\n\n"
               "(changes, overflow, synced), or None: stopped, or too late.")},
    {"wait", nio_watch_wait, METH_VARARGS,
     PyDoc_STR("wait($self, timeout, /)\n--\n\n"
               "Return when there is something to read, it is stopped, or "
               "the time has passed.")},
    {"nudge", nio_watch_nudge, METH_NOARGS,
     PyDoc_STR("nudge($self, /)\n--\n\nMake a waiter look around.")},
    {"stop", watch_stop, METH_NOARGS,
     PyDoc_STR("stop($self, /)\n--\n\nEnd all waits, for ever.")},
    {"close", watch_close, METH_NOARGS,
     PyDoc_STR("close($self, /)\n--\n\nEnd the subscription.")},
    {"fileno", nio_watch_fileno, METH_NOARGS,
     PyDoc_STR("fileno($self, /)\n--\n\n"
               "A descriptor that is readable while there is something to "
               "read.")},
    {"begin_poll", nio_watch_begin_poll, METH_NOARGS,
     PyDoc_STR("begin_poll($self, /)\n--\n\n"
               "As fileno(), or on Windows the handle of an event object; it "
               "stays open\nuntil end_poll(), close() or not.")},
    {"end_poll", nio_watch_end_poll, METH_NOARGS,
     PyDoc_STR("end_poll($self, /)\n--\n\nEnd what begin_poll() began.")},
    {"stats", watch_stats, METH_NOARGS,
     PyDoc_STR("stats($self, /)\n--\n\nCounters.")},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(watch_doc,
             "The native half of Watcher. Private: use netioapi.Watcher.");

static PyType_Slot watch_slots[] = {
    {Py_tp_doc, (void *)watch_doc}, {Py_tp_new, watch_new},
    {Py_tp_dealloc, watch_dealloc}, {Py_tp_getset, watch_getset},
    {Py_tp_methods, watch_methods}, {0, NULL},
};

static PyType_Spec watch_spec = {
    .name = "netioapi._native.Watch",
    .basicsize = sizeof(nio_watch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = watch_slots,
};

int
nio_watch_init(PyObject *module, nio_state *state)
{
    state->Watch =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &watch_spec, NULL);
    if (state->Watch == NULL || PyModule_AddType(module, state->Watch) < 0) {
        return -1;
    }
    return nio_change_init(module, state);
}
