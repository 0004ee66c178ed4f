/* SPDX-License-Identifier: MIT */
/* The types that the files of callbacks/ share: a registration as Python sees
 * it, and as the system sees it. The files, each of which uses only those
 * above it:
 *
 *   interpreter, thread_states  the interpreter that is called back, and
 *                               Python thread states for native threads
 *   context                     the context that the system gets
 *   thread_context              the callbacks and thread states of a thread
 *   python_call                 one Python call
 *   delivery                    the native callbacks: one call at a time
 *   first_call                  the INITIAL call, where the tower makes none
 *   cancel                      STARTING -> ACTIVE -> CANCELLING -> CANCELLED
 *   live_registrations          the list that keeps live ones alive
 *   registration                the Python type
 *   notify                      the functions that register */
#pragma once

#include "binding/state.h"

#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"
#include "binding/callbacks/interpreter.h"
#include "binding/process.h"

/* The arguments of a Python callback. */
typedef enum nio_signature {
    NIO_SIGNATURE_ROW,   /* (row or None, type) */
    NIO_SIGNATURE_PORT,  /* (port, type) */
    NIO_SIGNATURE_HINT,  /* (hint) */
    NIO_SIGNATURE_TABLE, /* (table) */
} nio_signature;

/* The stages of a registration; csrc/README.md shows the transitions. */
typedef enum nio_stage {
    NIO_STARTING,
    NIO_ACTIVE,
    NIO_CANCELLING,
    NIO_CANCELLED,
    NIO_FAILED, /* the system's cancel failed */
} nio_stage;

/* The thread that makes the INITIAL call, where the tower does not. */
typedef enum nio_first_call {
    NIO_FIRST_CALL_WAITS, /* for the system's answer */
    NIO_FIRST_CALL_DUE,   /* the system has registered the context */
    NIO_FIRST_CALL_NOT_DUE,
} nio_first_call;

struct nio_pending_call;

/* A registration as the system sees it: the context of its callbacks. Raw
 * memory, since the system's threads read it without the GIL. Owned by the
 * Registration, and leaked when the system may still use it. */
typedef struct nio_callback_context {
    /* constant from before the system sees it */
    nio_interpreter *interpreter; /* a reference */
    nio_state *state;             /* borrowed: of the Registration's module */
    PyObject *callback;           /* borrowed from the Registration */
    PyObject *on_error;           /* likewise; or NULL */
    const char *function;         /* the header's name; static */
    nio_signature signature;
    nio_kind kind; /* of the row; with NIO_SIGNATURE_ROW only */
    bool details;
    uint64_t generation; /* of the process, see process.h */

    uint32_t compartment; /* in which its rows are read */

    bool initial; /* a call of type INITIAL is due; the deliverer's */

    /* any thread */
    nio_atomic disabled; /* no new Python call begins */
    nio_atomic delivered;
    nio_atomic errors;
    nio_atomic batches; /* acquisitions of the GIL for callbacks */

    /* One thread at a time delivers (delivery.c); the calls of others are
     * pending meanwhile. */
    nio_lock lock;
    bool delivering NIO_GUARDED_BY(lock);
    struct nio_pending_call *first_pending NIO_GUARDED_BY(lock);
    struct nio_pending_call *last_pending NIO_GUARDED_BY(lock);
    unsigned pending NIO_GUARDED_BY(lock); /* how many */
    nio_condition none_pending; /* the list was emptied, or has no deliverer */

    /* first_call.c */
    nio_thread first_caller;
    nio_first_call first_call NIO_GUARDED_BY(lock);
    nio_condition first_decided;

    /* cancel.c */
    nio_stage stage NIO_GUARDED_BY(nio_process_lock);
    HANDLE handle; /* constant once it is published */
    bool published NIO_GUARDED_BY(nio_process_lock);
    /* A thread runs the system's cancel function, or has run it. */
    bool cancel_started NIO_GUARDED_BY(nio_process_lock);
    NETIO_STATUS status; /* of the cancel function; constant once finished */
    nio_thread helper NIO_GUARDED_BY(nio_process_lock);
    unsigned waiters NIO_GUARDED_BY(nio_process_lock);
    nio_event finished; /* exists while there are waiters */
    /* The innermost wait of the thread that is in a callback of this one; or
     * NULL. */
    struct nio_callback_wait *waits NIO_GUARDED_BY(nio_process_lock);
    /* Used while a search for a circle runs; else false and NULL. */
    bool visited NIO_GUARDED_BY(nio_process_lock);
    struct nio_callback_context *next_visited NIO_GUARDED_BY(nio_process_lock);
} nio_callback_context;

/* A registration as Python sees it: the type is in registration.c. */
typedef struct nio_registration {
    PyObject_HEAD
    nio_callback_context *context; /* owned */
    PyObject *callback;
    PyObject *on_error; /* or NULL */
    int family;         /* -1: the function has none */
    PyObject *weak_references;
    /* live_registrations.c; the list holds a reference */
    bool listed NIO_GUARDED_BY(nio_process_lock);
    struct nio_registration *next NIO_GUARDED_BY(nio_process_lock);
    struct nio_registration *previous NIO_GUARDED_BY(nio_process_lock);
} nio_registration;

/* Zeroed, in stage STARTING; NULL with MemoryError. With the GIL. */
nio_callback_context *nio_callback_context_new(nio_state *state);
/* Called when the system does not use it any more. Accepts NULL; returns NULL.
 */
nio_callback_context *nio_callback_context_free(nio_callback_context *context);
/* True in the child of a fork that came after the registration: there the
 * system never calls back for it. */
bool nio_callback_context_is_forked(const nio_callback_context *context);
