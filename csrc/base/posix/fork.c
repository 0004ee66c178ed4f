/* SPDX-License-Identifier: MIT */
/* base/fork.h on POSIX. */
#include "base/fork.h"

#include <pthread.h>

bool
nio_at_fork(void (*before)(void), void (*in_parent)(void),
            void (*in_child)(void))
{
    return pthread_atfork(before, in_parent, in_child) == 0;
}
