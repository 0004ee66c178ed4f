/* SPDX-License-Identifier: MIT */
/* Calls within a limit: see limited.h. */
#include "binding/queries/limited.h"

#include "binding/errors.h"

/* Called on the same thread, without the GIL. Signal handlers run in the main
 * thread only; elsewhere there is nothing to check. */
static bool
goes_on(void *context)
{
    nio_limited *limited = context;
    PyEval_RestoreThread(limited->thread);
    bool good = PyErr_CheckSignals() == 0;
    limited->thread = PyEval_SaveThread();
    return good;
}

void
nio_limited_begin(nio_limited *limited, uint64_t timeout_ns)
{
    limited->limit = (nio_read_limit){
        .timeout_ns = timeout_ns, .goes_on = goes_on, .context = limited};
    limited->thread = PyEval_SaveThread();
}

void
nio_limited_end(nio_limited *limited)
{
    PyEval_RestoreThread(limited->thread);
}

PyObject *
nio_limited_raise(nio_state *state, NETIO_STATUS status, const char *function)
{
    return PyErr_Occurred() ? NULL : nio_raise(state, status, function);
}
