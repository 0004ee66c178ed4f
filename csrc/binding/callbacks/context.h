/* SPDX-License-Identifier: MIT */
/* The seams between notify.c, registration.c, cancel.c and bridge.c: the
 * native context of one registration (the bridge), who may touch which part
 * of it, and the frames that say which callbacks a thread is in.
 *
 *   notify.c        makes a Registration, gives its bridge to the system
 *   bridge.c        where the system calls in: one at a time, in order
 *   threads.c       its threads, their Python thread states, the GIL
 *   home.c          the interpreter that they serve, which they may outlive
 *   call.c          one Python call
 *   cancel.c        STARTING -> ACTIVE -> CANCELLING -> CANCELLED; the waits
 *   registration.c  the Python type
 *   live.c          the list that keeps live ones alive; the exit */
#pragma once

#include "binding/module.h"

#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"

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

/* The one lock of cancel.c, by name for annotations: nio_cancel_lock() takes
 * it. */
extern nio_lock nio_cancel_own_lock;

/* An interpreter, as its threads know it (home.c). */
typedef struct nio_interpreter nio_interpreter;

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

    nio_stage stage NIO_GUARDED_BY(nio_cancel_own_lock);
    HANDLE handle; /* once published: constant */
    bool published NIO_GUARDED_BY(nio_cancel_own_lock);
    /* Somebody runs or ran the system's cancel. */
    bool begun NIO_GUARDED_BY(nio_cancel_own_lock);
    unsigned waiters NIO_GUARDED_BY(nio_cancel_own_lock);
    nio_event done; /* made and ended under that lock, while anybody waits */
    nio_thread helper NIO_GUARDED_BY(nio_cancel_own_lock);
    NETIO_STATUS
    status; /* of the system's cancel; once it is over: constant */
    /* Its callback waits for that one's end. */
    struct nio_callback_context *
        blocked_on NIO_GUARDED_BY(nio_cancel_own_lock);
} nio_callback_context;

/* ---- home.c */
/* Of the current interpreter, with one reference; NULL with MemoryError. */
nio_interpreter *nio_interpreter_new(void);
nio_interpreter *nio_interpreter_keep(nio_interpreter *home);
/* Accepts NULL; returns NULL. */
nio_interpreter *nio_interpreter_drop(nio_interpreter *home);
/* Make it fit for threads that come and go: 0, or -1 with MemoryError. After
 * this nio_interpreter_close() has to come. */
int nio_interpreter_pin(nio_interpreter *home);
/* The interpreter exits and nothing of it is called back any more: no thread
 * touches it from now on. Waits, with the GIL released, at most so long for
 * threads that are about to leave it. */
void nio_interpreter_close(nio_interpreter *home, uint64_t timeout_ns)
    NIO_EXCLUDES(nio_cancel_own_lock);

/* The callbacks this thread is in, innermost first; on the C stack. */
typedef struct nio_frame {
    const struct nio_frame *up;
    nio_callback_context *bridge;
} nio_frame;
const nio_frame *nio_frames(void);

/* Around a call of the system that may call back on this very thread: the
 * GIL is lent to that callback. Take back what release returned. Only after
 * nio_thread_context_get() has succeeded on this thread. */
PyThreadState *nio_gil_release(void);
void nio_gil_retake(PyThreadState *thread);

/* ---- bridge.c */
/* Tell the tower, once, how batches take the GIL: 0, or -1 with an
 * exception. */
int nio_delivery_init(void);
/* Zeroed, in stage STARTING; NULL with MemoryError. */
nio_callback_context *nio_callback_context_new(nio_state *state);
/* The system has let go of it. Accepts NULL; returns NULL. */
nio_callback_context *nio_callback_context_free(nio_callback_context *bridge);

/* The system's callbacks: any thread, without the GIL. `context` is the
 * bridge; rows are borrowed, the stable table is owned. */
VOID NETIOAPI_API_ nio_on_interface_change(PVOID context,
                                           PMIB_IPINTERFACE_ROW row,
                                           MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_address_change(PVOID context,
                                         PMIB_UNICASTIPADDRESS_ROW row,
                                         MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_route_change(PVOID context, PMIB_IPFORWARD_ROW2 row,
                                       MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_teredo_change(PVOID context, USHORT port,
                                        MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_hint_change(PVOID context,
                                      NL_NETWORK_CONNECTIVITY_HINT hint);
VOID NETIOAPI_API_ nio_on_stable_table(PVOID context,
                                       PMIB_UNICASTIPADDRESS_TABLE table);

/* ---- cancel.c: none of it needs the GIL, but for nio_cancel_wait */
/* Prepare for forks: 0, or -1 with MemoryError. */
int nio_cancel_init(void);
/* A new bridge joins this process. */
void nio_cancel_adopt(nio_callback_context *bridge);
/* The system answered: it registered the bridge, or refused. Begins a
 * cancellation that somebody asked for meanwhile. */
void nio_cancel_publish(nio_callback_context *bridge, bool registered,
                        HANDLE handle) NIO_EXCLUDES(nio_cancel_own_lock);
/* How many forks lie behind this process. */
uint64_t nio_cancel_generation(void);
/* True when the bridge was made before a fork and this is the child. */
bool nio_cancel_forked(const nio_callback_context *bridge);
nio_stage nio_cancel_stage(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_cancel_own_lock);
/* Disable it and have a helper thread cancel it; begin again what could not
 * be begun. No new Python call begins. */
void nio_cancel_begin(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_cancel_own_lock);

typedef enum nio_outcome {
    NIO_OUTCOME_DONE, /* CANCELLED, FAILED, or forked */
    NIO_OUTCOME_TIMEOUT,
    NIO_OUTCOME_RAISED,    /* an exception of a signal's handler is set */
    NIO_OUTCOME_DEADLOCK,  /* this thread is in its callback, or a circle */
    NIO_OUTCOME_NO_MEMORY, /* the system has nothing left to wait with */
} nio_outcome;
/* What a wait from this thread would end in at once: DONE, DEADLOCK, or
 * TIMEOUT when it would have to wait. */
nio_outcome nio_cancel_look(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_cancel_own_lock);
/* Begin it, unless the wait would be a DEADLOCK, and wait for its end with the
 * GIL released. With the GIL. `alone`: where no helper could be started, this
 * thread may do its work, which nothing interrupts. */
nio_outcome nio_cancel_wait(nio_callback_context *bridge, uint64_t timeout_ns,
                            bool alone) NIO_EXCLUDES(nio_cancel_own_lock);
/* Wait for the helper's last instructions, once. After DONE. */
void nio_cancel_join(nio_callback_context *bridge)
    NIO_EXCLUDES(nio_cancel_own_lock);

/* The lock of cancel.c also guards the list of live registrations. Nothing
 * that could wait is called while it is held. */
void nio_cancel_lock(void) NIO_ACQUIRE(nio_cancel_own_lock);
void nio_cancel_unlock(void) NIO_RELEASE(nio_cancel_own_lock);
void nio_cancel_begin_locked(nio_callback_context *bridge)
    NIO_REQUIRES(nio_cancel_own_lock);
/* True when it is over; begins again what could not be begun. */
bool nio_cancel_over_locked(nio_callback_context *bridge)
    NIO_REQUIRES(nio_cancel_own_lock);

/* ---- registration.c, live.c */
typedef struct nio_registration {
    PyObject_HEAD
    nio_callback_context *bridge; /* owned */
    PyObject *callback;
    PyObject *on_error; /* or NULL */
    int family;         /* -1: none */
    PyObject *weak_references;
    bool listed NIO_GUARDED_BY(nio_cancel_own_lock); /* one reference more */
    struct nio_registration *next NIO_GUARDED_BY(nio_cancel_own_lock);
    struct nio_registration *previous NIO_GUARDED_BY(nio_cancel_own_lock);
} nio_registration;

/* A new reference in stage STARTING, which nobody else can find until it is
 * enlisted. `family` -1: the function has none. NULL with an exception. */
nio_registration *nio_registration_new(nio_state *state, PyObject *callback,
                                       PyObject *on_error, int family);
/* cancel(): None, or NULL with an exception. */
PyObject *nio_registration_cancel(nio_registration *self, uint64_t timeout_ns,
                                  bool wait);

/* Register the exit of the interpreter: 0, or -1 with an exception. */
int nio_live_init(PyObject *module);
/* Onto the list that keeps it alive, its bridge complete. False, with an
 * exception: the interpreter is exiting. */
bool nio_registration_enlist(nio_state *state, nio_registration *self);
/* It is over, or given up for ever: let go of what kept it alive. The caller
 * has a reference of its own. */
void nio_registration_retire(nio_registration *self);
/* Retire what is over, and what could not be cancelled yet: do. Runs
 * destructors. */
void nio_registrations_reap(nio_state *state);
