/* SPDX-License-Identifier: MIT */
/* The source of a Watch: a subscription, the queue that a thread of the system
 * fills, and the event that readers wait for. Reference-counted. Any number of
 * threads use it at once; the GIL is needed only for closing. */
#pragma once

#include "binding/state.h"

#include "base/event.h"
#include "base/lock.h"
#include "base/queue.h"

/* A new source is open; it is filled once it is subscribed. */
typedef enum nio_watch_source_stage {
    NIO_SOURCE_OPEN,
    NIO_SOURCE_CLOSING,
    NIO_SOURCE_CLOSED
} nio_watch_source_stage;

typedef struct nio_watch_source_statistics {
    nio_queue_statistics queue;
    nio_statistics system;
} nio_watch_source_statistics;

typedef struct nio_watch_source {
    /* Written before other threads see the source. The last user of a closed
     * source frees the queue and the event, so only users access them. */
    nio_state *state;    /* borrowed: of the Watch's module */
    uint64_t generation; /* of the process: it differs after a fork */
    HANDLE handle;
    nio_queue *queue;
    nio_event readable; /* set while the queue is not empty, or stopped */

    /* any thread */
    nio_atomic references;     /* the Watch's, and that of at_exit() */
    nio_atomic stopped;        /* set once and never cleared */
    nio_atomic closed_at_exit; /* likewise: the interpreter's exit closed it */
    nio_atomic wakeups;        /* waits that ended before their timeout */
    nio_atomic polls;          /* users: begin_poll() without end_poll() */
    nio_atomic stage; /* changed under the lock; in a forked child without */

    nio_lock lock;
    nio_condition closed; /* the stage has become CLOSED */
    unsigned users NIO_GUARDED_BY(lock);
    nio_watch_source_statistics
        statistics NIO_GUARDED_BY(lock); /* as last read */

    /* guarded by nio_process_lock. `link` points to the pointer to this
     * source; NULL: it is not in the list. */
    struct nio_watch_source *next, **link;
} nio_watch_source;

/* Returns one reference; NULL on allocation failure. */
nio_watch_source *nio_watch_source_new(nio_state *state, size_t bound);
void nio_watch_source_drop(nio_watch_source *source);
/* Adds it to the module's list of sources, which the exit of the interpreter
 * closes. False: the interpreter is already exiting. */
bool nio_watch_source_enlist(nio_watch_source *source);
nio_watch_source_stage
nio_watch_source_stage_of(const nio_watch_source *source);
/* True in the child of a fork: no thread fills the queue there, and the event
 * is shared with the parent, so that neither may be used. */
bool nio_watch_source_is_forked(const nio_watch_source *source);
/* True: the caller is a user, and queue and event stay until
 * nio_watch_source_leave. False: the source is closed, or forked. */
bool nio_watch_source_enter(nio_watch_source *source);
void nio_watch_source_leave(nio_watch_source *source);
/* The current statistics; after the closing, those of that moment. */
nio_watch_source_statistics
nio_watch_source_statistics_of(nio_watch_source *source);
/* Ends all reading for ever. The event stays set from now on: a reader that
 * empties the queue, which clears the event, sets it again (read.c). */
void nio_watch_source_stop(nio_watch_source *source);
/* With the GIL, which it releases while it waits. When it returns the source
 * is closed, by this thread or another. Returns the status of the system's
 * cancel function; NO_ERROR when another thread closed the source. */
NETIO_STATUS nio_watch_source_close(nio_watch_source *source);
/* Closes every source in the list, at the exit of the interpreter. */
void nio_watch_sources_shutdown(nio_state *state);
