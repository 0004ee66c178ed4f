/* SPDX-License-Identifier: MIT */
/* The list of all engines, its lock, and what a fork does to them. */
#include "rtnetlink/engine/engine.h"

#include "base/fork.h"

#include <pthread.h>

/* Held over fork(), so that the child gets the list whole and the lock free.
 */
nio_lock nio_engine_list_lock = NIO_LOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static nio_engine *engines NIO_GUARDED_BY(nio_engine_list_lock);

static void
before_fork(void) NIO_ACQUIRE(nio_engine_list_lock)
{
    nio_lock_take(&nio_engine_list_lock);
}

static void
after_fork_in_parent(void) NIO_RELEASE(nio_engine_list_lock)
{
    nio_lock_drop(&nio_engine_list_lock);
}

static void
after_fork_in_child(void) NIO_RELEASE(nio_engine_list_lock)
{
    for (nio_engine *engine = engines; engine != NULL; engine = engine->next) {
        nio_engine_abandon(engine);
    }
    engines = NULL;
    nio_lock_drop(&nio_engine_list_lock);
}

static void
register_fork_handlers(void)
{
    /* It fails only on allocation failure. Then a child may hang on a lock
     * that it inherits; a fork is rare, and the parent goes on. */
    (void)nio_at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void
nio_engine_list_take(void)
{
    pthread_once(&once, register_fork_handlers);
    nio_lock_take(&nio_engine_list_lock);
}

void
nio_engine_list_drop(void)
{
    nio_lock_drop(&nio_engine_list_lock);
}

nio_engine **
nio_engine_list(void)
{
    return &engines;
}
