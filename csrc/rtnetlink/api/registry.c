/* SPDX-License-Identifier: MIT */
/* The list of registrations, and forks: see registry.h. */
#include "rtnetlink/api/registry.h"

#include "base/fork.h"
#include "contract/tower.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* Held over fork(), so that the child gets the lists whole and the lock
 * free. */
nio_lock nio_registry_own_lock = NIO_LOCK_INITIALIZER;
static nio_condition changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static nio_entry *entries NIO_GUARDED_BY(nio_registry_own_lock);
nio_callback_pool *nio_registry_pools NIO_GUARDED_BY(nio_registry_own_lock);
static uintptr_t next_id NIO_GUARDED_BY(nio_registry_own_lock) = 1;
/* Smaller ids are from before a fork. */
static uintptr_t first_own_id NIO_GUARDED_BY(nio_registry_own_lock) = 1;

static void
before_fork(void) NIO_ACQUIRE(nio_registry_own_lock)
{
    nio_lock_take(&nio_registry_own_lock);
}

static void
after_fork_in_parent(void) NIO_RELEASE(nio_registry_own_lock)
{
    nio_lock_drop(&nio_registry_own_lock);
}

/* Unchecked: this lock is held where the list of threads changes, and another
 * thread may have held a pool's own. */
static void
close_events(nio_callback_pool *pools) NIO_UNCHECKED
{
    for (; pools != NULL; pools = pools->next) {
        for (nio_callback_thread *at = pools->threads; at != NULL;
             at = at->next) {
            nio_event_done(&at->wake);
        }
    }
}

/* The parent's registrations do not exist here. Their memory is leaked: a
 * thread that does not exist here may have been changing it. */
static void
after_fork_in_child(void) NIO_RELEASE(nio_registry_own_lock)
{
    /* A callback that forks returns in the child, too: no other follows. */
    for (nio_entry *entry = entries; entry != NULL; entry = entry->next) {
        nio_atomic_store(&entry->cancelled, 1);
    }
    close_events(nio_registry_pools);
    entries = NULL;
    nio_registry_pools = NULL;
    first_own_id = next_id;
    nio_condition_init(
        &changed); /* the parent's threads wait in the old one */
    nio_lock_drop(&nio_registry_own_lock);
}

static void
begin(void)
{
    nio_condition_init(&changed);
    /* It fails only on allocation failure. Then a child may hang on a lock
     * that it inherits; a fork is rare, and the parent goes on. */
    (void)nio_at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void
nio_registry_lock(void)
{
    pthread_once(&once, begin);
    nio_lock_take(&nio_registry_own_lock);
}

void
nio_registry_unlock(void)
{
    nio_lock_drop(&nio_registry_own_lock);
}

void
nio_registry_wait(void)
{
    nio_condition_wait(&changed, &nio_registry_own_lock);
}

void
nio_registry_wake(void)
{
    nio_condition_wake_all(&changed);
}

nio_entry *
nio_entry_new(void)
{
    nio_entry *entry = calloc(1, sizeof(*entry));
    if (entry != NULL) {
        nio_registry_lock();
        entry->id = next_id++;
        nio_registry_unlock();
    }
    return entry;
}

nio_entry *
nio_entry_free(nio_entry *entry)
{
    if (entry != NULL) {
        free(entry->subscriber.filter);
        if (!entry->direct) {
            nio_queue_free(entry->queue);
        }
        free(entry);
    }
    return NULL;
}

void
nio_registry_put(nio_entry *entry)
{
    nio_registry_lock();
    entry->next = entries;
    entries = entry;
    nio_registry_unlock();
}

void
nio_registry_activate(nio_entry *entry)
{
    nio_registry_lock();
    assert(entry->state == NIO_ENTRY_ATTACHING);
    entry->state = NIO_ENTRY_ACTIVE;
    nio_registry_wake();
    nio_registry_unlock();
}

nio_entry *
nio_registry_find(HANDLE handle)
{
    nio_entry *entry = entries;
    while (entry != NULL && entry->id != (uintptr_t)handle) {
        entry = entry->next;
    }
    return entry;
}

void
nio_registry_take_out(nio_entry *entry)
{
    nio_entry **link = &entries;
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
}

bool
nio_is_forked(HANDLE handle)
{
    nio_registry_lock();
    bool forked = handle != NULL && (uintptr_t)handle < first_own_id;
    nio_registry_unlock();
    return forked;
}
