/* SPDX-License-Identifier: MIT */
/* One lock that stays usable across fork(), and a count of the forks. */
#include "binding/process.h"

#include "base/fork.h"

nio_lock nio_process_lock = NIO_LOCK_INITIALIZER;
static nio_atomic generation;

static void
lock(void) NIO_ACQUIRE(nio_process_lock)
{
    nio_lock_take(&nio_process_lock);
}

static void
unlock(void) NIO_RELEASE(nio_process_lock)
{
    nio_lock_drop(&nio_process_lock);
}

static void
unlock_in_child(void) NIO_RELEASE(nio_process_lock)
{
    (void)nio_atomic_add(&generation, 1);
    nio_lock_drop(&nio_process_lock);
}

bool
nio_process_init(void)
{
    static bool prepared; /* guarded: interpreters may import at once */

    nio_lock_take(&nio_process_lock);
    if (!prepared) {
        prepared = nio_at_fork(lock, unlock, unlock_in_child);
    }
    bool good = prepared;
    nio_lock_drop(&nio_process_lock);
    return good;
}

uint64_t
nio_process_generation(void)
{
    return nio_atomic_load(&generation);
}
