/* SPDX-License-Identifier: MIT */
/* All registrations of this process, under one lock, and what a fork does to
 * them. A handle is a number that is never used again, so a stale handle is an
 * error and no dangling pointer. */
#pragma once

#include "base/event.h"
#include "base/lock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "rtnetlink/engine/engines.h"

#include <signal.h>
#include <stddef.h>

/* By name for annotations: nio_registry_lock() takes it. */
extern nio_lock nio_registry_own_lock;

struct nio_callback_pool;
struct nio_entry;

/* ---- callback pools (callback_pool.c) */
/* One thread of a pool. */
typedef struct nio_callback_thread {
    struct nio_callback_thread *next;
    struct nio_callback_pool *pool;
    nio_thread thread;
    nio_event wake;
    /* The rest is guarded by the pool's lock. */
    bool idle;      /* it waits, and nothing has woken it */
    bool ended;     /* it serves no more, and is to be joined */
    uint64_t began; /* when it took the registration that it serves; or 0 */
} nio_callback_thread;

typedef enum nio_turn {
    NIO_TURN_NONE,   /* nothing is queued for the registration */
    NIO_TURN_READY,  /* in the pool's list */
    NIO_TURN_SERVED, /* a thread calls back */
    NIO_TURN_AGAIN   /* likewise, and more was queued meanwhile */
} nio_turn;

/* The threads that call back for the registrations of one engine, one owner
 * (nio_hooks.owner) and one signal mask. */
typedef struct nio_callback_pool {
    struct nio_callback_pool *next; /* guarded by the registry's lock */
    /* Constant. */
    const nio_engine *engine;
    const void *owner;
    sigset_t mask;
    nio_lock lock;
    nio_condition served; /* a registration is served no longer */
    /* Changed under the registry's lock, too, which a fork holds. */
    nio_callback_thread *threads NIO_GUARDED_BY(lock);
    size_t entries NIO_GUARDED_BY(lock);
    bool has_ended NIO_GUARDED_BY(lock); /* a thread is to be joined */
    /* Those that are to be served, in their order. */
    struct nio_entry *first_ready NIO_GUARDED_BY(lock);
    struct nio_entry *last_ready NIO_GUARDED_BY(lock);
    struct nio_entry *last NIO_GUARDED_BY(lock); /* it ends the pool */
} nio_callback_pool;

extern nio_callback_pool *
    nio_registry_pools NIO_GUARDED_BY(nio_registry_own_lock);

/* ---- entries */
/* ATTACHING -> ACTIVE -(cancel)-> CANCELLING -(its callback has returned)->
 * CANCELLED, and freed by the last thread that waits in a cancel. A cancel
 * during ATTACHING waits for ACTIVE, since Notify* still uses the entry. */
typedef enum nio_entry_state {
    NIO_ENTRY_ATTACHING,
    NIO_ENTRY_ACTIVE,
    NIO_ENTRY_CANCELLING,
    NIO_ENTRY_CANCELLED
} nio_entry_state;

/* Which one it is follows from the subscriber's kind. */
typedef union nio_callback {
    PIPINTERFACE_CHANGE_CALLBACK interface;
    PUNICAST_IPADDRESS_CHANGE_CALLBACK address;
    PIPFORWARD_CHANGE_CALLBACK route;
    PTEREDO_PORT_CHANGE_CALLBACK teredo;
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK stable;
    PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK hint;
} nio_callback;

/* One registration: a subscriber, its queue, and the pool whose threads call
 * back. */
typedef struct nio_entry {
    struct nio_entry *next NIO_GUARDED_BY(nio_registry_own_lock);
    nio_entry_state state NIO_GUARDED_BY(nio_registry_own_lock);
    /* Threads in a cancel of this entry; the last one frees it. */
    unsigned waiters NIO_GUARDED_BY(nio_registry_own_lock);
    /* Constant after the registration. */
    uintptr_t id;
    nio_engine *engine;
    nio_subscriber subscriber;
    void *context;
    nio_callback call;
    bool direct;      /* of nio_subscribe: no callback, the caller's queue */
    nio_queue *queue; /* owned, unless direct */
    nio_callback_pool *pool; /* NULL: not in one (yet) */
    /* callback_pool.c; guarded by the pool's lock */
    struct nio_entry *next_ready;
    nio_turn turn;
    uint64_t due; /* not to be served before; monotonic ns */
    /* Of the thread that serves it. */
    uint64_t handed; /* the digest of the last stable table; 0: none yet */
    bool owed;       /* a callback with the stable table */
    nio_atomic dispatching; /* the number of that thread; 0: none */
    nio_atomic cancelled;   /* 1: no further callback begins */
} nio_entry;

void nio_registry_lock(void) NIO_ACQUIRE(nio_registry_own_lock);
void nio_registry_unlock(void) NIO_RELEASE(nio_registry_own_lock);
/* Wait until the state of an entry changes; wake the threads that wait. */
void nio_registry_wait(void) NIO_REQUIRES(nio_registry_own_lock);
void nio_registry_wake(void) NIO_REQUIRES(nio_registry_own_lock);

/* An entry of zeros, except for its id; NULL on allocation failure. */
nio_entry *nio_entry_new(void) NIO_EXCLUDES(nio_registry_own_lock);
/* Frees an entry that is not in the registry. Returns NULL. */
nio_entry *nio_entry_free(nio_entry *entry);
/* From now on its handle can be cancelled. */
void nio_registry_put(nio_entry *entry) NIO_EXCLUDES(nio_registry_own_lock);
/* ATTACHING -> ACTIVE: from now on a cancel may free it. */
void nio_registry_activate(nio_entry *entry)
    NIO_EXCLUDES(nio_registry_own_lock);
/* The entry of a handle; NULL if there is none. */
nio_entry *nio_registry_find(HANDLE handle)
    NIO_REQUIRES(nio_registry_own_lock);

/* From now on its handle is stale. */
void nio_registry_take_out(nio_entry *entry)
    NIO_REQUIRES(nio_registry_own_lock);

/* ---- dispatcher.c */
/* Calls back for what is queued, at most 1,024 changes. *ret_wait_ns: when to
 * do so again; NIO_FOREVER: after the next signal of the queue. False: a
 * callback has forked, and this is the child. */
bool nio_dispatcher_serve(nio_entry *entry, uint64_t *ret_wait_ns);
/* This thread, which may have served the entry, calls back no more. */
void nio_dispatcher_end_thread(const nio_entry *entry);
/* Registrations of different owners do not share threads. */
const void *nio_dispatcher_owner(const nio_entry *entry);
/* True on the thread that serves the entry. */
bool nio_dispatcher_is_caller(const nio_entry *entry);

/* ---- callback_pool.c */
/* False on allocation failure, or where the system has no thread left. The
 * entry leaves the pool even so. */
bool nio_callback_pool_enter(nio_entry *entry)
    NIO_EXCLUDES(nio_registry_own_lock);
/* The queue of the entry (a nio_entry) has changes. */
void nio_callback_pool_wake(void *entry);
/* Of a cancelled entry that nothing wakes any more: waits until its callback
 * has returned. The last entry joins the pool's threads. */
void nio_callback_pool_leave(nio_entry *entry)
    NIO_EXCLUDES(nio_registry_own_lock);

/* ---- cancel.c */
/* CancelMibChangeNotify2, for a handle that is not from before a fork. */
DWORD nio_registry_cancel(HANDLE handle) NIO_EXCLUDES(nio_registry_own_lock);
