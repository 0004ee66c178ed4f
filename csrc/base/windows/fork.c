/* SPDX-License-Identifier: MIT */
/* Windows: no fork handler is ever called, since there is no fork(). */
#include "base/fork.h"

bool
nio_at_fork(void (*before)(void), void (*in_parent)(void),
            void (*in_child)(void))
{
    (void)before;
    (void)in_parent;
    (void)in_child;
    return true;
}
