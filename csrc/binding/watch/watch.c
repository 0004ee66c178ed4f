/* SPDX-License-Identifier: MIT */
/* The Watch type, the native half of netioapi.Watcher. Any number of threads
 * may call any method at once. The module knows the open sources but keeps no
 * Watch alive: the deallocation of a Watch closes its source. */
#include "binding/watch/watch.h"

#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/watch/filter.h"
#include "binding/watch/read.h"

static PyObject *
watch_close(PyObject *op, PyObject *unused)
{
    (void)unused;
    NETIO_STATUS status = nio_watch_source_close(((nio_watch *)op)->source);
    if (status != NO_ERROR) {
        return nio_raise(nio_state_of(op), status, "Watcher.close");
    }
    Py_RETURN_NONE;
}

static PyObject *
watch_stop(PyObject *op, PyObject *unused)
{
    (void)unused;
    nio_watch_source_stop(((nio_watch *)op)->source);
    Py_RETURN_NONE;
}

static void
watch_dealloc(PyObject *op)
{
    nio_watch *self = (nio_watch *)op;
    PyTypeObject *type = Py_TYPE(op);

    if (self->source != NULL) {
        (void)nio_watch_source_close(self->source);
        nio_watch_source_drop(self->source);
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(op);
    Py_DECREF(type);
}

/* ---- opening */

/* The name of the first function that a Watcher needs and the system lacks;
 * NULL: it lacks none. */
static const char *
missing_function(const nio_request *request)
{
    static const char *const by_name[] = {"NotifyIpInterfaceChange",
                                          "ConvertInterfaceAliasToLuid",
                                          "ConvertInterfaceLuidToIndex"};
    for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++) {
        if (request->filter->names != NULL && !nio_is_supported(by_name[i])) {
            return by_name[i];
        }
    }
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        const nio_kind_functions *of_kind = &nio_functions_of_kind[kind];
        if ((request->kinds & (1u << kind)) == 0) {
            continue;
        }
        if (!nio_is_supported(of_kind->notify)) {
            return of_kind->notify;
        }
        if (!nio_is_supported(of_kind->get_table)) {
            return of_kind->get_table;
        }
    }
    return nio_is_supported("CancelMibChangeNotify2")
               ? NULL
               : "CancelMibChangeNotify2";
}

static bool
open_watch(nio_watch *self, nio_state *state, const nio_request *request,
           size_t bound)
{
    NETIO_STATUS status = NO_ERROR;
    nio_watch_source *source = nio_watch_source_new(state, bound);

    if (source == NULL) {
        nio_raise(state, ERROR_NOT_ENOUGH_MEMORY, "Watcher");
        return false;
    }
    Py_BEGIN_ALLOW_THREADS
    status = nio_subscribe(request, source->queue, &source->handle);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        const char *missing =
            status == ERROR_PROC_NOT_FOUND ? missing_function(request) : NULL;
        nio_watch_source_drop(source);
        if (missing != NULL) {
            nio_raise_missing(state, missing);
        } else {
            nio_raise(state, status, "Watcher");
        }
        return false;
    }
    self->source = source;
    if (!nio_watch_source_enlist(source)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Watcher: the interpreter is exiting");
        return false;
    }
    return true;
}

/* The lowest bits of an int: the formats that do this warn of a number out of
 * range, from CPython 3.15 on. */
static int
bits_from(PyObject *number, void *to)
{
    unsigned long bits = PyLong_AsUnsignedLongMask(number);
    if (bits == (unsigned long)-1 && PyErr_Occurred()) {
        return 0;
    }
    *(unsigned *)to = (unsigned)bits;
    return 1;
}

static PyObject *
watch_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"kinds",      "family",         "tables",
                            "interfaces", "prefixes",       "prefix_match",
                            "protocols",  "snapshot",       "lifetimes",
                            "queue",      "receive_buffer", "silence_check_ns",
                            NULL};
    nio_filter_arguments arguments = {.prefix_match = NIO_COVERED};
    nio_watch_filter filter = {.filter = {.family = 0}};
    nio_request request = {.filter = &filter.filter};
    int snapshot = 0, lifetimes = 0;
    Py_ssize_t bound = 0;
    unsigned long long silence_check_ns = 0;

    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "O&OOOOO&OppniK:Watch", names, bits_from,
            &request.kinds, &arguments.family, &arguments.tables,
            &arguments.interfaces, &arguments.prefixes, bits_from,
            &arguments.prefix_match, &arguments.protocols, &snapshot,
            &lifetimes, &bound, &request.receive_buffer, &silence_check_ns)) {
        return nio_raise_overflow_as_value();
    }
    PyObject *op = PyType_GenericAlloc(type, 0);
    if (op == NULL) {
        return NULL;
    }
    nio_watch *self = (nio_watch *)op;
    nio_state *state = nio_state_of(op);
    request.snapshot = snapshot != 0;
    request.lifetimes = lifetimes != 0;
    request.silence_check_ns = silence_check_ns;
    bool good =
        nio_watch_filter_from(state, &arguments, &filter) &&
        open_watch(self, state, &request, bound > 0 ? (size_t)bound : 1);
    nio_watch_filter_done(&filter);
    if (!good) {
        Py_DECREF(op);
        return nio_raise_overflow_as_value();
    }
    return op;
}

/* ---- its state */

static PyObject *
watch_stats(PyObject *op, PyObject *unused)
{
    (void)unused;
    nio_watch_source_statistics statistics =
        nio_watch_source_statistics_of(((nio_watch *)op)->source);
    const nio_queue_statistics *queue = &statistics.queue;
    const nio_statistics *system = &statistics.system;
    return Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "received",
        queue->put, "delivered", queue->taken, "coalesced", queue->coalesced,
        "overflows", system->overflows, "resyncs", system->resyncs,
        "queue_high_water", queue->high_water, "ignored", system->ignored,
        "lost", queue->lost, "queued", queue->queued, "receive_buffer",
        system->receive_buffer, "unreadable", system->unreadable);
}

static PyObject *
watch_closed(PyObject *op, void *closure)
{
    (void)closure;
    return PyBool_FromLong(nio_watch_source_stage_of(
                               ((nio_watch *)op)->source) != NIO_SOURCE_OPEN);
}

static PyObject *
watch_closed_at_exit(PyObject *op, void *closure)
{
    (void)closure;
    return PyBool_FromLong(
        nio_atomic_load(&((nio_watch *)op)->source->closed_at_exit) != 0);
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
    return PyLong_FromUnsignedLongLong(
        nio_atomic_load(&((nio_watch *)op)->source->wakeups));
}

static PyGetSetDef watch_getset[] = {
    {"closed", watch_closed, NULL, "True once close() has begun.", NULL},
    {"closed_at_exit", watch_closed_at_exit, NULL,
     "True when the exit of the interpreter closed it.", NULL},
    {"stopped", watch_stopped, NULL, "True after stop() or close().", NULL},
    {"wakeups", watch_wakeups, NULL, "How many waits ended before their time.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef watch_methods[] = {
    {"read", nio_watch_read, METH_VARARGS,
     PyDoc_STR("read($self, timeout, max_changes, /)\n--\n\n"
               "Wait for changes: a Batch, or None when it is stopped or the "
               "time has passed.")},
    {"wait", nio_watch_wait, METH_VARARGS,
     PyDoc_STR("wait($self, timeout, /)\n--\n\n"
               "Wait until there is something to read, it is stopped, or "
               "the time has\npassed.")},
    {"wake_one", nio_watch_wake_one, METH_NOARGS,
     PyDoc_STR("wake_one($self, /)\n--\n\n"
               "End one wait before its time.")},
    {"stop", watch_stop, METH_NOARGS,
     PyDoc_STR("stop($self, /)\n--\n\nEnd all waits, for ever.")},
    {"close", watch_close, METH_NOARGS,
     PyDoc_STR("close($self, /)\n--\n\nEnd the subscription.")},
    {"fileno", nio_watch_fileno, METH_NOARGS,
     PyDoc_STR("fileno($self, /)\n--\n\n"
               "A descriptor that is readable while there is something to "
               "read.")},
    {"handle", nio_watch_handle, METH_NOARGS,
     PyDoc_STR("handle($self, /)\n--\n\n"
               "On Windows the handle of an event object that is set while "
               "there is\nsomething to read.")},
    {"begin_poll", nio_watch_begin_poll, METH_NOARGS,
     PyDoc_STR("begin_poll($self, /)\n--\n\n"
               "As fileno(), or on Windows the handle of an event object. It "
               "stays open\nuntil end_poll(), also after close().")},
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
    return state->Watch == NULL ? -1 : PyModule_AddType(module, state->Watch);
}
