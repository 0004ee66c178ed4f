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
    static nio_atomic prepared; /* by the first interpreter that imports us */

    if (nio_atomic_exchange(&prepared, 1) == 0 &&
        !nio_at_fork(lock, unlock, unlock_in_child)) {
        nio_atomic_store(&prepared, 0);
        return false;
    }
    return true;
}

uint64_t
nio_process_generation(void)
{
    return nio_atomic_load(&generation);
}
