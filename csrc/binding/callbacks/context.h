/* SPDX-License-Identifier: MIT */
/* The types that the files of callbacks/ share: a registration as Python sees
 * it, and its native context.
 *
 *   notify.c              makes a Registration, gives its context to the
 *                         system
 *   delivery.c            where the system calls in: one at a time, in order
 *   threads.c             the system's threads, their Python thread states
 *   interpreter.c         the interpreter that they serve, which they may
 *                         outlive
 *   python_call.c         one Python call
 *   cancel.c              STARTING -> ACTIVE -> CANCELLING -> CANCELLED; waits
 *   registration.c        the Python type
 *   live_registrations.c  the list that keeps live ones alive */
#pragma once

#include "binding/state.h"

#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"
#include "binding/callbacks/interpreter.h"
#include "binding/process.h"

/* What a callback is given. */
typedef enum nio_signature {
    NIO_SIGNATURE_ROW,   /* (row or None, type) */
    NIO_SIGNATURE_PORT,  /* (port, type) */
    NIO_SIGNATURE_HINT,  /* (hint) */
    NIO_SIGNATURE_TABLE, /* (table) */
} nio_signature;

/* The life of a registration: csrc/README.md draws it. */
typedef enum nio_stage {
    NIO_STARTING,
    NIO_ACTIVE,
    NIO_CANCELLING,
    NIO_CANCELLED,
    NIO_FAILED,
} nio_stage;

struct nio_pending_call;

/* The system's context of a registration. Raw memory, since the system's
 * threads read it without the GIL; owned by the Registration, and leaked when
 * the system may still use it. */
typedef struct nio_callback_context {
    /* set before the system sees it */
    nio_interpreter *home; /* a reference */
    nio_state *state;      /* borrowed, as the next two: of the Registration */
    PyObject *callback;
    PyObject *on_error;   /* or NULL */
    const char *function; /* the header's name; static */
    nio_signature shape;
    nio_kind kind;
    bool details;
    bool initial;        /* the one INITIAL is wanted and has not come */
    uint64_t generation; /* of the process: a fork makes another one */

    /* any thread */
    nio_atomic disabled; /* no new Python call begins */
    nio_atomic delivered;
    nio_atomic errors;
    nio_atomic batches; /* times that the GIL was taken for callbacks */

    /* one deliverer at a time; what comes meanwhile waits for it here */
    nio_lock lock;
    bool delivering NIO_GUARDED_BY(lock);
    struct nio_pending_call *first NIO_GUARDED_BY(lock);
    struct nio_pending_call *last NIO_GUARDED_BY(lock);
    unsigned left NIO_GUARDED_BY(lock); /* how many wait */
    nio_condition room;                 /* none does any more */

    nio_stage stage NIO_GUARDED_BY(nio_process_lock);
    HANDLE handle; /* once published: constant */
    bool published NIO_GUARDED_BY(nio_process_lock);
    /* Somebody runs or ran the system's cancel. */
    bool begun NIO_GUARDED_BY(nio_process_lock);
    unsigned waiters NIO_GUARDED_BY(nio_process_lock);
    nio_event done; /* made and ended under that lock, while anybody waits */
    nio_thread helper NIO_GUARDED_BY(nio_process_lock);
    NETIO_STATUS
    status; /* of the system's cancel; once it is over: constant */
    /* Its callback waits for that one's end. */
    struct nio_callback_context *blocked_on NIO_GUARDED_BY(nio_process_lock);
} nio_callback_context;

/* A registration as Python sees it. */
typedef struct nio_registration {
    PyObject_HEAD
    nio_callback_context *bridge; /* owned */
    PyObject *callback;
    PyObject *on_error; /* or NULL */
    int family;         /* -1: none */
    PyObject *weak_references;
    bool listed NIO_GUARDED_BY(nio_process_lock); /* one reference more */
    struct nio_registration *next NIO_GUARDED_BY(nio_process_lock);
    struct nio_registration *previous NIO_GUARDED_BY(nio_process_lock);
} nio_registration;

/* Zeroed, in stage STARTING; NULL with MemoryError. */
nio_callback_context *nio_callback_context_new(nio_state *state);
/* The system has let go of it. Accepts NULL; returns NULL. */
nio_callback_context *nio_callback_context_free(nio_callback_context *bridge);
