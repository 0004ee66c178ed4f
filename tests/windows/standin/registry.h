/* SPDX-License-Identifier: MIT */
/* The registrations, their queues of events, and the callers of callbacks. */
#pragma once

#include "standin.h"

/* An event, and the row for its callback. */
typedef struct standin_event {
    struct standin_event *next;
    struct registration *owner; /* counted in its references */
    MIB_NOTIFICATION_TYPE type;
    bool has_row;
    bool forced; /* delivered also after a cancel */
    standin_row row;
} standin_event;

/* Any of the six types of callbacks. */
typedef void (*standin_callback)(void);

typedef struct registration {
    struct registration *next;
    HANDLE handle; /* a number that is never reused */
    standin_kind kind;
    ADDRESS_FAMILY family;
    standin_callback callback; /* NULL: no callback */
    void *context;
    unsigned references; /* the registry's, its jobs' */
    unsigned running;    /* running callbacks: cancel waits for them */
    bool closed;
    bool draining; /* a job for the queue is in the pool */
    bool stable;   /* was the table stable at the last check? */
    standin_event *first, **last;
} registration;

/* ---- registry.c --------------------------------------------------------- */

registration *registry_add_locked(standin_kind kind, ADDRESS_FAMILY family,
                                  standin_callback callback, void *context);
/* Waits for running callbacks without a time-out, as Windows does. */
DWORD registry_cancel(HANDLE handle);
void registry_release_locked(registration *of);
/* Posts a callback to each registration of that kind and family. `row` NULL:
 * without a row; a table's row is cut down to its key members, unless `whole`.
 * Returns the number of registrations called. */
int registry_inject_locked(standin_kind kind, ADDRESS_FAMILY family,
                           const standin_row *row, MIB_NOTIFICATION_TYPE type,
                           bool whole);
/* The same for a change of the tables: does nothing while they are SILENT. */
void registry_notify_locked(standin_kind kind, const standin_row *row,
                            MIB_NOTIFICATION_TYPE type);
void registry_check_stable_locked(void);

/* ---- deliver.c ---------------------------------------------------------- */

standin_event *deliver_event_new(registration *owner, const standin_row *row,
                                 MIB_NOTIFICATION_TYPE type);
void deliver_event_free(standin_event *event);
/* Takes the event. A thread of the pool makes its callback. */
void deliver_post_locked(standin_event *event);
/* Takes the event, and calls back on this thread. The lock is released. */
void deliver_now_locked(standin_event *event);
/* Drops the queued events. */
void deliver_drop_locked(registration *of);

/* ---- get.c -------------------------------------------------------------- */

/* A copy of the rows of that family, not yet given away. */
void *get_table_locked(standin_kind kind, ADDRESS_FAMILY family);
