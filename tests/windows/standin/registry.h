/* SPDX-License-Identifier: MIT */
/* The registrations, their queues of events, and the callers of callbacks. */
#pragma once

#include "standin.h"
#include "store.h"

#define STANDIN_QUEUES 2 /* of AF_UNSPEC: IPv4, IPv6 */

/* An event, and the row for its callback. */
typedef struct standin_event {
    struct standin_event *previous, *next; /* in its queue */
    struct standin_event *older;           /* waiting event of the same key */
    struct registration *owner;            /* counted in its references */
    struct standin_queue *queue;
    MIB_NOTIFICATION_TYPE type;
    bool has_row;
    bool has_key; /* else it merges with no other */
    bool indexed; /* its queue's index knows it */
    bool forced;  /* delivered also after a cancel */
    store_key key;
    standin_row row;
} standin_event;

/* What the system keeps for a registration with one module (IPv4 or IPv6).
 * Where it is asked for a notification, an event goes out at once. The next
 * one is asked for after the callback has returned: until then events wait
 * here, and merge. */
typedef struct standin_queue {
    standin_event *first, *last; /* they wait */
    store index;                 /* of the newest one of each key */
    bool open;                   /* registered with the module */
    bool asked;                  /* for a notification */
    bool starting;               /* its INITIAL has not returned */
} standin_queue;

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
    bool deaf;   /* of another compartment than the network */
    bool silent; /* the service has lost it, without a sign */
    bool stable; /* was the table stable at the last check? */
    standin_queue queues[STANDIN_QUEUES];
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
/* No live registration of that kind (-1: of any) hears of anything any more.
 * Returns their number. */
int registry_silence_locked(int kind);

/* ---- queue.c ------------------------------------------------------------ */

/* The queue for events of that family. */
standin_queue *queue_of_locked(registration *of, ADDRESS_FAMILY family);
/* Takes the event, and frees those that it replaces. */
void queue_put_locked(standin_event *event);
/* The first event that waits, or NULL. */
standin_event *queue_take_locked(standin_queue *from);
/* Frees what it contains. */
void queue_clear_locked(standin_queue *queue);

/* ---- deliver.c ---------------------------------------------------------- */

standin_event *deliver_event_new(registration *owner, ADDRESS_FAMILY family,
                                 const standin_row *row,
                                 MIB_NOTIFICATION_TYPE type);
void deliver_event_free(standin_event *event);
/* Takes the event. A thread of the pool makes its callback. */
void deliver_post_locked(standin_event *event);
/* Takes the event, and calls back on this thread. The lock is released. */
void deliver_now_locked(standin_event *event);
/* Drops the events that wait. */
void deliver_drop_locked(registration *of);

/* ---- get.c -------------------------------------------------------------- */

/* A copy of the rows of that family, not yet given away. */
void *get_table_locked(standin_kind kind, ADDRESS_FAMILY family);
