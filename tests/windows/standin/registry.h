/* SPDX-License-Identifier: MIT */
/* The registrations, their queues of events, and who calls back. */
#pragma once

#include "standin.h"

/* An event and the row that its callback sees. */
typedef struct standin_event {
    struct standin_event *next;
    struct registration *owner; /* counted in its references */
    MIB_NOTIFICATION_TYPE type;
    bool has_row;
    bool forced; /* comes also when the registration is cancelled */
    standin_row row;
} standin_event;

/* Any of the six types of callbacks. */
typedef void (*standin_callback)(void);

typedef struct registration {
    struct registration *next;
    HANDLE handle; /* a number that is never used again */
    standin_kind kind;
    ADDRESS_FAMILY family;
    standin_callback callback; /* NULL: nobody is called */
    void *context;
    unsigned references; /* the registry's, its jobs' */
    unsigned running;    /* callbacks under way: cancel waits for them */
    bool closed;
    bool draining; /* a job for the queue is in the pool */
    bool stable;   /* was the table, when it was last looked at? */
    standin_event *first, **last;
} registration;

/* ---- registry.c --------------------------------------------------------- */

registration *registry_add_locked(standin_kind kind, ADDRESS_FAMILY family,
                                  standin_callback callback, void *context);
/* Waits for callbacks under way, as Windows does, without an end. */
DWORD registry_cancel(HANDLE handle);
void registry_release_locked(registration *of);
/* To each registration of that kind and family. `row` NULL: no row; of a
 * table's kind it is cut down to its key members, unless `whole`. Returns how
 * many registrations were given it. */
int registry_inject_locked(standin_kind kind, ADDRESS_FAMILY family,
                           const standin_row *row, MIB_NOTIFICATION_TYPE type,
                           bool whole);
/* The same for a change of the tables: not while they are SILENT. */
void registry_tell_locked(standin_kind kind, const standin_row *row,
                          MIB_NOTIFICATION_TYPE type);
void registry_check_stable_locked(void);

/* ---- deliver.c ---------------------------------------------------------- */

standin_event *deliver_event_new(registration *owner, const standin_row *row,
                                 MIB_NOTIFICATION_TYPE type);
void deliver_event_free(standin_event *event);
/* Takes the event. Its callback is made from the pool. */
void deliver_post_locked(standin_event *event);
/* Takes the event, and calls back on this thread. The lock is dropped. */
void deliver_now_locked(standin_event *event);
/* Drops what is queued. */
void deliver_drop_locked(registration *of);

/* ---- get.c -------------------------------------------------------------- */

/* A copy of the rows of that family; not given away yet. */
void *get_table_locked(standin_kind kind, ADDRESS_FAMILY family);
