/* SPDX-License-Identifier: MIT */
/* The threads that call back. Registrations of one engine, one owner
 * (nio_hooks.owner) and one signal mask share a pool, in which one thread
 * serves one registration after another. A second thread stands by: once a
 * callback has run for 20 ms, that thread serves the others, and a third one
 * stands by. So a slow callback has a thread of its own while it is slow, and
 * delays no other registration by more. At most two idle threads are kept. */
#pragma once

#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"
#include "rtnetlink/engine/engines.h"

#include <signal.h>
#include <stddef.h>

struct nio_callback_pool;
struct nio_entry;

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
    /* Those that are to be served, in their order. */
    struct nio_entry *first_ready NIO_GUARDED_BY(lock);
    struct nio_entry *last_ready NIO_GUARDED_BY(lock);
    struct nio_entry *last NIO_GUARDED_BY(lock); /* it ends the pool */
} nio_callback_pool;
