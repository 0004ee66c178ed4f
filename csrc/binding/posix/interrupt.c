/* SPDX-License-Identifier: MIT */
/* On POSIX a signal ends a wait by itself, after CPython's handler has noted
 * it: there is nothing to prepare. */
#include "binding/interrupt.h"

int
nio_interrupt_init(void)
{
    return 0;
}

void
nio_interrupt_done(void)
{
}
