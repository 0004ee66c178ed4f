/* SPDX-License-Identifier: MIT */
/* POSIX: fork handlers are those of pthread_atfork. */
#include "base/fork.h"

#include <pthread.h>

bool
nio_at_fork(void (*before)(void), void (*in_parent)(void),
            void (*in_child)(void))
{
    return pthread_atfork(before, in_parent, in_child) == 0;
}
