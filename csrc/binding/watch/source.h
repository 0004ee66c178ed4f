/* SPDX-License-Identifier: MIT */
/* The feed of a Watch (feed.c): counted, and used by any number of threads at
 * once, with the GIL or without but for closing. */
#pragma once

#include "binding/state.h"

#include "base/event.h"
#include "base/lock.h"
#include "base/queue.h"

/* A new one is open; it is filled once it is subscribed. */
typedef enum nio_watch_source_stage {
    NIO_SOURCE_OPEN,
    NIO_SOURCE_CLOSING,
    NIO_SOURCE_CLOSED
} nio_watch_source_stage;

typedef struct nio_watch_source_figures {
    nio_queue_statistics queue;
    nio_statistics system;
} nio_watch_source_figures;

typedef struct nio_watch_source {
    /* set before others see it; the queue and the event are freed with the
     * last user of a closed feed, and so for users alone */
    nio_state *state;    /* borrowed: of the Watch, or of who ends all */
    uint64_t generation; /* of the process: a fork makes another one */
    HANDLE handle;
    nio_queue *queue;
    nio_event readable; /* set while the queue holds anything, or stopped */

    /* any thread */
    nio_atomic references;     /* the Watch, and whoever closes it */
    nio_atomic stopped;        /* set once, as the next */
    nio_atomic closed_at_exit; /* closed by the exit of the interpreter */
    nio_atomic wakeups;        /* how many waits ended before their time */
    nio_atomic polls;          /* users between begin_poll() and end_poll() */
    nio_atomic stage; /* changed under the lock; in a forked child at once */

    nio_lock lock;
    nio_condition closed; /* CLOSING has become CLOSED */
    unsigned users NIO_GUARDED_BY(lock);
    nio_watch_source_figures
        figures NIO_GUARDED_BY(lock); /* as they were last */

    /* guarded by nio_process_lock; link NULL: not in the list */
    struct nio_watch_source *next, **link;
} nio_watch_source;

/* One reference, the caller's; NULL when memory is short. */
nio_watch_source *nio_watch_source_new(nio_state *state, size_t bound);
void nio_watch_source_drop(nio_watch_source *feed);
/* Into the module's list, from which the exit closes it. False: too late, the
 * interpreter is exiting. */
bool nio_watch_source_enlist(nio_watch_source *feed);
nio_watch_source_stage nio_watch_source_stage_of(const nio_watch_source *feed);
/* In the child of a fork() nothing of it lives, and its event is still the
 * parent's, which is not to be touched. */
bool nio_watch_source_is_forked(const nio_watch_source *feed);
/* True: the queue and the event are there until nio_watch_source_leave. False:
 * closed, or forked. */
bool nio_watch_source_enter(nio_watch_source *feed);
void nio_watch_source_leave(nio_watch_source *feed);
/* As of now; after the closing as they were then. */
nio_watch_source_figures nio_watch_source_figures_of(nio_watch_source *feed);
/* For ever, and so the event must stay set: who emptied the queue, and with
 * it cleared the event, sets it again (watch_read.c). */
void nio_watch_source_stop(nio_watch_source *feed);
/* With the GIL, which it lets go. Returns what the system's cancel said; after
 * it the feed is closed, whoever closed it. */
NETIO_STATUS nio_watch_source_close(nio_watch_source *feed);
/* The interpreter exits: close all that are in the list. */
void nio_watch_sources_shutdown(nio_state *state);
