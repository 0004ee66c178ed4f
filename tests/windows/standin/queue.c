/* SPDX-License-Identifier: MIT */
/* The events that wait for a registration. As the service of Windows does, an
 * event removes those of its key that wait: with MERGE 1 an ADD or a DELETE
 * all of them, a PARAMETER a PARAMETER. So what waits is not a history of the
 * key, but its last ADD or DELETE and its last change. With MERGE 2, which is
 * harsher, any event removes all of them. */
#include "registry.h"

#define MERGE_ALL 2

standin_queue *
queue_of_locked(registration *of, ADDRESS_FAMILY family)
{
    bool second = family == AF_INET6 && of->family == AF_UNSPEC &&
                  of->kind < STANDIN_TABLES &&
                  standin_settings[STANDIN_FAMILY_QUEUES] != 0;
    return &of->queues[second ? 1 : 0];
}

static void
remove_locked(standin_event *event)
{
    standin_queue *from = event->queue;
    *(event->previous == NULL ? &from->first : &event->previous->next) =
        event->next;
    *(event->next == NULL ? &from->last : &event->next->previous) =
        event->previous;
    standin_figures[STANDIN_QUEUED]--;
}

/* The place of the newest event of that key, or NULL. */
static standin_event **
newest_locked(const standin_queue *in, const store_key *key)
{
    return store_find(&in->index, key);
}

/* Removes the events of that key that the new one replaces; returns the newest
 * of the others. */
static standin_event *
merge_locked(const standin_event *event)
{
    bool all = event->type != MibParameterNotification ||
               standin_settings[STANDIN_MERGE] == MERGE_ALL;
    standin_event **found = newest_locked(event->queue, &event->key);
    standin_event *old = found == NULL ? NULL : *found;
    while (old != NULL && (all || old->type == MibParameterNotification)) {
        standin_event *older = old->older;
        remove_locked(old);
        deliver_event_free(old);
        standin_figures[STANDIN_MERGED]++;
        old = older;
    }
    return old;
}

void
queue_put_locked(standin_event *event)
{
    standin_queue *to = event->queue;
    if (event->has_key && standin_settings[STANDIN_MERGE] != 0) {
        event->older = merge_locked(event);
        event->indexed = true;
        to->index.row_size = sizeof(event);
        store_put(&to->index, &event->key, &event);
    }
    event->previous = to->last;
    *(to->last == NULL ? &to->first : &to->last->next) = event;
    to->last = event;
    standin_figures[STANDIN_QUEUED]++;
}

/* The first event is the oldest of its key. */
static void
forget_locked(const standin_event *event)
{
    standin_queue *in = event->queue;
    standin_event *newer = *newest_locked(in, &event->key);
    if (newer == event) {
        store_delete(&in->index, &event->key);
        return;
    }
    while (newer->older != event) {
        newer = newer->older;
    }
    newer->older = NULL;
}

standin_event *
queue_take_locked(standin_queue *from)
{
    standin_event *event = from->first;
    if (event != NULL) {
        remove_locked(event);
        if (event->indexed) {
            forget_locked(event);
        }
    }
    return event;
}

void
queue_clear_locked(standin_queue *queue)
{
    standin_event *event;
    while ((event = queue_take_locked(queue)) != NULL) {
        deliver_event_free(event);
    }
    store_free(&queue->index);
}
