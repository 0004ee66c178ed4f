/* SPDX-License-Identifier: MIT */
/* The extension module itself: its slots, its state's garbage collection, and
 * the order in which the parts fill it. */
#include "binding/arrow/export.h"
#include "binding/callbacks/delivery.h"
#include "binding/callbacks/interpreter.h"
#include "binding/callbacks/notify.h"
#include "binding/callbacks/registration.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/interrupt.h"
#include "binding/process.h"
#include "binding/queries/best_route.h"
#include "binding/queries/connectivity.h"
#include "binding/queries/tables.h"
#include "binding/rows/pickle.h"
#include "binding/rows/row_types.h"
#include "binding/rows/table.h"
#include "binding/shutdown.h"
#include "binding/state.h"
#include "binding/values/enums.h"
#include "binding/values/from_python.h"
#include "binding/watch/batch.h"
#include "binding/watch/change.h"
#include "binding/watch/watch.h"

/* Prepares what native threads need before the first of them calls back. */
static bool
callbacks_init(PyObject *module, nio_state *state)
{
    if (!nio_process_init()) {
        PyErr_NoMemory();
        return false;
    }
    if (nio_delivery_init() < 0 || nio_interrupt_init() < 0 ||
        nio_shutdown_init(module) < 0) {
        return false;
    }
    state->interpreter = nio_interpreter_new(); /* at_exit() closes it */
    return state->interpreter != NULL;
}

static int
module_exec(PyObject *module)
{
    nio_state *state = nio_state_of_module(module);
    /* netioapi/__init__.py refuses a binary of another version. */
    bool good =
        PyModule_AddStringConstant(module, "__version__", NIO_VERSION) == 0 &&
        nio_functions_init(module) == 0 &&
        nio_errors_init(module, state) == 0 && nio_enums_init(module) == 0 &&
        nio_from_python_init(module) == 0 &&
        nio_row_types_init(module, state) == 0 &&
        nio_table_init(module, state) == 0 &&
        nio_row_pickle_init(state) == 0 && nio_table_pickle_init(state) == 0 &&
        nio_export_init(state) == 0 &&
        nio_registration_init(module, state) == 0 &&
        callbacks_init(module, state) && nio_notify_init(module) == 0 &&
        nio_tables_init(module) == 0 && nio_best_route_init(module) == 0 &&
        nio_connectivity_init(module) == 0 &&
        nio_watch_init(module, state) == 0 &&
        nio_change_init(module, state) == 0 &&
        nio_batch_init(module, state) == 0;
    return good ? 0 : -1;
}

/* The list of live registrations is not visited, on purpose: like running
 * threads, live registrations are roots, and only a cancellation ends them. */
static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    nio_state *state = nio_state_of_module(module);

    if (state == NULL) { /* a precaution: CPython passes none such */
        return 0;
    }
    Py_VISIT(state->NetioError);
    Py_VISIT(state->InvalidParameterError);
    Py_VISIT(state->DeadlockError);
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        Py_VISIT((PyObject *)state->row_types[kind]);
    }
    Py_VISIT((PyObject *)state->Table);
    Py_VISIT((PyObject *)state->Registration);
    Py_VISIT((PyObject *)state->Watch);
    Py_VISIT((PyObject *)state->Change);
    Py_VISIT((PyObject *)state->Batch);
    for (int i = 0; i < 4; i++) {
        Py_VISIT(nio_once_get(&state->ip_types[i]));
    }
    return nio_enums_traverse(state, visit, arg);
}

/* The exceptions and types stay until the module is freed: their methods and
 * the functions of the module need all of them. The collector breaks the
 * cycle of module and types by clearing the types, which refer to the module.
 */
static int
module_clear(PyObject *module)
{
    nio_state *state = nio_state_of_module(module);

    if (state == NULL) {
        return 0;
    }
    for (int i = 0; i < 4; i++) {
        nio_once_clear(&state->ip_types[i]);
    }
    nio_enums_clear(state);
    return 0;
}

static void
module_free(void *module)
{
    nio_state *state = nio_state_of_module(module);

    (void)module_clear((PyObject *)module);
    if (state != NULL) {
        Py_CLEAR(state->NetioError);
        Py_CLEAR(state->InvalidParameterError);
        Py_CLEAR(state->DeadlockError);
        for (int kind = 0; kind < NIO_KINDS; kind++) {
            Py_CLEAR(state->row_types[kind]);
            PyMem_Free(state->formats[kind]);
        }
        Py_CLEAR(state->Table);
        Py_CLEAR(state->Registration);
        Py_CLEAR(state->Watch);
        Py_CLEAR(state->Change);
        Py_CLEAR(state->Batch);
        state->interpreter = nio_interpreter_drop(state->interpreter);
    }
}

/* These slots are newer than the limited API of 3.11. So their numbers are
 * written out here, and a Python that does not know a slot gets a definition
 * without it. In 3.12 this module refuses sub-interpreters. There, the exit of
 * the main interpreter ends the sub-interpreters that are left over so late
 * that native threads can no longer leave them, and CPython aborts; 3.13 ends
 * them in time. (An interpreter of Py_NewInterpreter(), the legacy
 * configuration, ignores the first slot and loads the module in any case.) */
#define SLOT_MULTIPLE_INTERPRETERS 3 /* Py_mod_multiple_interpreters */
#define INTERPRETERS_NOT_SUPPORTED ((void *)0)
#define PER_INTERPRETER_GIL_SUPPORTED ((void *)2)
#define SLOT_GIL 4 /* Py_mod_gil */
#define GIL_NOT_USED ((void *)1)

static PyModuleDef_Slot slots_3_11[] = {
    {Py_mod_exec, (void *)module_exec},
    {0, NULL},
};

static PyModuleDef_Slot slots_3_12[] = {
    {Py_mod_exec, (void *)module_exec},
    {SLOT_MULTIPLE_INTERPRETERS, INTERPRETERS_NOT_SUPPORTED},
    {0, NULL},
};

static PyModuleDef_Slot slots_3_13[] = {
    {Py_mod_exec, (void *)module_exec},
    {SLOT_MULTIPLE_INTERPRETERS, PER_INTERPRETER_GIL_SUPPORTED},
    {SLOT_GIL, GIL_NOT_USED},
    {0, NULL},
};

PyDoc_STRVAR(module_doc,
             "The native half of netioapi. Its names are public in netioapi.");

#define DEFINITION(slots)                                                     \
    {                                                                         \
        PyModuleDef_HEAD_INIT,   .m_name = "netioapi._native",                \
        .m_doc = module_doc,     .m_size = sizeof(nio_state),                 \
        .m_slots = slots,        .m_traverse = module_traverse,               \
        .m_clear = module_clear, .m_free = module_free,                       \
    }

static PyModuleDef definition_3_11 = DEFINITION(slots_3_11);
static PyModuleDef definition_3_12 = DEFINITION(slots_3_12);
static PyModuleDef definition_3_13 = DEFINITION(slots_3_13);

PyMODINIT_FUNC
PyInit__native(void)
{
    if (Py_Version >= 0x030D0000) {
        return PyModuleDef_Init(&definition_3_13);
    }
    return PyModuleDef_Init(Py_Version >= 0x030C0000 ? &definition_3_12
                                                     : &definition_3_11);
}
