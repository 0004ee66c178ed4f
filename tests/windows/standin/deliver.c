/* SPDX-License-Identifier: MIT */
/* Callbacks, on threads of the process's pool. Each queue of a registration
 * has one event at a time under way, as a job of the pool: the next one is
 * taken when its callback has returned. With OVERLAP each event is a job at
 * once, in any order. */
#include "registry.h"

#define MOST_IN_A_ROW 64 /* callbacks of one job */

typedef void(WINAPI *row_callback)(void *context, void *row,
                                   MIB_NOTIFICATION_TYPE type);
typedef void(WINAPI *table_callback)(void *context, void *table);

standin_event *
deliver_event_new(registration *owner, ADDRESS_FAMILY family,
                  const standin_row *row, MIB_NOTIFICATION_TYPE type)
{
    standin_event *event = standin_allocate(sizeof(*event));
    event->owner = owner;
    event->queue = queue_of_locked(owner, family);
    event->type = type;
    if (row != NULL) {
        event->has_row = true;
        event->row = *row;
    }
    return event;
}

void
deliver_event_free(standin_event *event)
{
    if (event->owner->kind == STANDIN_STABLE) {
        standin_table_free(event->row.table);
    }
    standin_free(event, sizeof(*event));
}

static void
call_back(standin_event *event)
{
    const registration *of = event->owner;
    switch (of->kind) {
    case STANDIN_TEREDO:
        ((PTEREDO_PORT_CHANGE_CALLBACK)of->callback)(
            of->context, event->row.port, event->type);
        break;
    case STANDIN_HINT:
        ((standin_hint_callback)of->callback)(of->context, event->row.hint);
        break;
    case STANDIN_STABLE:
        if (standin_settings[STANDIN_NO_TABLE] != 0) {
            ((table_callback)of->callback)(of->context, NULL);
            break;
        }
        ((table_callback)of->callback)(of->context, event->row.table);
        event->row.table = NULL; /* now the callback's */
        break;
    default:
        ((row_callback)of->callback)(
            of->context, event->has_row ? &event->row : NULL, event->type);
    }
}

/* Makes a callback, which begin_locked has counted as running. */
static void
make_locked(standin_event *event)
{
    registration *of = event->owner;
    DWORD delay = standin_settings[STANDIN_DELAY_MS];
    if (of->kind == STANDIN_STABLE &&
        standin_settings[STANDIN_NO_TABLE] == 0) {
        standin_table_give_locked(event->row.table);
    }
    standin_unlock();
    if (delay > 0) {
        Sleep(delay);
    }
    call_back(event);
    standin_lock();
    deliver_event_free(event);
    standin_figures[STANDIN_CALLBACKS]++;
    standin_figures[STANDIN_RUNNING]--;
    of->running--;
    standin_wake_locked();
}

static void
begin_locked(registration *of)
{
    of->running++;
    standin_figures[STANDIN_RUNNING]++;
}

static void
wait_until_unblocked_locked(void)
{
    while (standin_settings[STANDIN_BLOCKED] != 0) {
        standin_wait_locked(INFINITE);
    }
}

static void
submit(PTP_SIMPLE_CALLBACK work, void *context)
{
    if (!TrySubmitThreadpoolCallback(work, context, NULL)) {
        standin_die("the thread pool takes no work");
    }
}

/* The end of an event whose callback is not made. */
static void
give_up_locked(standin_event *event)
{
    deliver_event_free(event);
    standin_wake_locked();
}

/* A callback on a thread of the pool. What is taken out of a queue is counted
 * as queued until then, and no longer merges. */
static void
serve_locked(standin_event *event)
{
    registration *of = event->owner;
    if (event->forced) {
        wait_until_unblocked_locked();
        make_locked(event);
        return;
    }
    standin_figures[STANDIN_QUEUED]--;
    if (of->closed) {
        give_up_locked(event);
        return;
    }
    begin_locked(of);
    wait_until_unblocked_locked();
    make_locked(event);
}

static void CALLBACK
serve_one(PTP_CALLBACK_INSTANCE instance, void *context)
{
    standin_event *event = context;
    registration *of = event->owner;
    (void)instance;
    standin_lock();
    serve_locked(event);
    registry_release_locked(of);
    standin_unlock();
}

/* A notification is asked for: the first event that waits goes out, still
 * counted as queued. NULL: none waits. */
static standin_event *
ask_locked(standin_queue *queue)
{
    standin_event *event = queue_take_locked(queue);
    queue->asked = event == NULL;
    if (event != NULL) {
        standin_figures[STANDIN_QUEUED]++;
    }
    return event;
}

static void send_locked(standin_event *event);

static void CALLBACK
serve_queue(PTP_CALLBACK_INSTANCE instance, void *context)
{
    standin_event *event = context;
    standin_queue *queue = event->queue;
    registration *of = event->owner;
    (void)instance;
    standin_lock();
    while (queue->starting && !of->closed) {
        standin_wait_locked(INFINITE);
    }
    for (unsigned i = 0; event != NULL && i < MOST_IN_A_ROW; i++) {
        serve_locked(event);
        event = ask_locked(queue);
    }
    if (event != NULL) {
        send_locked(event);
    }
    registry_release_locked(of);
    standin_unlock();
}

static void
send_locked(standin_event *event)
{
    event->owner->references++;
    submit(serve_queue, event);
}

void
deliver_post_locked(standin_event *event)
{
    registration *of = event->owner;
    standin_figures[STANDIN_POSTED]++;
    if (standin_settings[STANDIN_SERVICE_ERROR] != 0) {
        of->silent = true; /* as after a failed request for the next one */
        deliver_drop_locked(of);
    }
    if (event->forced) {
        begin_locked(of);
        of->references++;
        submit(serve_one, event);
    } else if (of->silent || !event->queue->open) {
        give_up_locked(event);
    } else if (standin_settings[STANDIN_OVERLAP] != 0) {
        standin_figures[STANDIN_QUEUED]++;
        of->references++;
        submit(serve_one, event);
    } else {
        standin_queue *queue = event->queue;
        queue_put_locked(event);
        if (queue->asked) {
            send_locked(ask_locked(queue));
        }
    }
}

void
deliver_now_locked(standin_event *event)
{
    standin_figures[STANDIN_POSTED]++;
    begin_locked(event->owner);
    make_locked(event);
}

void
deliver_drop_locked(registration *of)
{
    for (size_t i = 0; i < STANDIN_QUEUES; i++) {
        queue_clear_locked(&of->queues[i]);
    }
    standin_wake_locked();
}
