/* SPDX-License-Identifier: MIT */
/* On POSIX a signal ends a wait by itself, and Python's handler has noted it
 * by then: nothing is to be prepared. */
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
