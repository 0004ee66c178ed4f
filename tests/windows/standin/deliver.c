/* SPDX-License-Identifier: MIT */
/* Callbacks, on threads of the process's pool. Events wait in the queue of
 * their registration, which one job at a time serves; with OVERLAP each event
 * is a job of its own, in any order. */
#include "registry.h"

typedef void(WINAPI *row_callback)(void *context, void *row,
                                   MIB_NOTIFICATION_TYPE type);
typedef void(WINAPI *table_callback)(void *context, void *table);

standin_event *
deliver_event_new(registration *owner, const standin_row *row,
                  MIB_NOTIFICATION_TYPE type)
{
    standin_event *event = standin_allocate(sizeof(*event));
    event->owner = owner;
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

static standin_event *
take_first_locked(registration *of)
{
    standin_event *event = of->first;
    if (event != NULL) {
        of->first = event->next;
        if (of->first == NULL) {
            of->last = &of->first;
        }
        standin_figures[STANDIN_QUEUED]--;
    }
    return event;
}

static void CALLBACK
serve_queue(PTP_CALLBACK_INSTANCE instance, void *context)
{
    registration *of = context;
    standin_event *event;
    (void)instance;
    standin_lock();
    while ((event = take_first_locked(of)) != NULL) {
        begin_locked(of);
        wait_until_unblocked_locked();
        make_locked(event);
    }
    of->draining = false;
    registry_release_locked(of);
    standin_unlock();
}

static void CALLBACK
serve_one(PTP_CALLBACK_INSTANCE instance, void *context)
{
    standin_event *event = context;
    registration *of = event->owner;
    (void)instance;
    standin_lock();
    if (!event->forced) {
        standin_figures[STANDIN_QUEUED]--;
    }
    if (event->forced || !of->closed) {
        if (!event->forced) {
            begin_locked(of);
        }
        wait_until_unblocked_locked();
        make_locked(event);
    } else {
        deliver_event_free(event);
        standin_wake_locked();
    }
    registry_release_locked(of);
    standin_unlock();
}

static void
submit(PTP_SIMPLE_CALLBACK work, void *context)
{
    if (!TrySubmitThreadpoolCallback(work, context, NULL)) {
        standin_die("the thread pool takes no work");
    }
}

void
deliver_post_locked(standin_event *event)
{
    registration *of = event->owner;
    standin_figures[STANDIN_POSTED]++;
    if (event->forced) {
        begin_locked(of);
    } else {
        standin_figures[STANDIN_QUEUED]++;
    }
    if (event->forced || standin_settings[STANDIN_OVERLAP] != 0) {
        of->references++;
        submit(serve_one, event);
        return;
    }
    *of->last = event;
    of->last = &event->next;
    if (!of->draining) {
        of->draining = true;
        of->references++;
        submit(serve_queue, of);
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
    standin_event *event;
    while ((event = take_first_locked(of)) != NULL) {
        deliver_event_free(event);
    }
    standin_wake_locked();
}
