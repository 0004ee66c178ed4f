/* SPDX-License-Identifier: MIT */
/* What pickles of rows and pickles of Tables share: see pickle.h. */
#include "binding/rows/pickle.h"

#include <string.h>

int
nio_pickle_layout(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, sizeof(first));
    return NIO_PICKLE_LAYOUT + (first == 1 ? 0 : NIO_PICKLE_BIG_ENDIAN);
}

bool
nio_pickle_accepts(int layout)
{
    if (layout == nio_pickle_layout()) {
        return true;
    }
    PyErr_Format(PyExc_ValueError,
                 "these rows were pickled with layout %d%s, and netioapi "
                 "%s reads layout %d only: unpickle them with the version "
                 "that wrote them, and pass on row._asdict()",
                 layout, layout == 1 ? " (netioapi 0.1.0)" : "", NIO_VERSION,
                 nio_pickle_layout());
    return false;
}

nio_extra *
nio_pickled_extra(PyObject *items)
{
    if (!PyBytes_Check(items)) {
        PyErr_SetString(PyExc_TypeError, "items are bytes");
        return NULL;
    }
    const uint8_t *bytes = (const uint8_t *)PyBytes_AsString(items);
    const size_t size = (size_t)PyBytes_Size(items);
    if (!nio_extra_is_well_formed(bytes, size)) {
        PyErr_SetString(PyExc_ValueError,
                        "the items of the row are malformed");
        return NULL;
    }
    nio_extra *extra = nio_extra_new(bytes, size);
    if (extra == NULL) {
        PyErr_NoMemory();
    }
    return extra;
}

PyObject *
nio_pickled_items(const nio_extra *extra)
{
    return extra == NULL
               ? PyBytes_FromStringAndSize("", 0)
               : PyBytes_FromStringAndSize((const char *)extra->items,
                                           (Py_ssize_t)extra->size);
}

int
nio_pickle_add_methods(PyTypeObject *type, PyMethodDef methods[2])
{
    for (size_t i = 0; i < 2; i++) {
        PyObject *method = methods[i].ml_flags & METH_CLASS
                               ? PyDescr_NewClassMethod(type, &methods[i])
                               : PyDescr_NewMethod(type, &methods[i]);
        if (method == NULL ||
            PyObject_SetAttrString((PyObject *)type, methods[i].ml_name,
                                   method) < 0) {
            Py_XDECREF(method);
            return -1;
        }
        Py_DECREF(method);
    }
    return 0;
}
