/* SPDX-License-Identifier: MIT */
/* On POSIX a signal that is delivered to a waiting thread ends the wait by
 * itself, after CPython's handler has recorded the signal. So there is nothing
 * to prepare. */
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
