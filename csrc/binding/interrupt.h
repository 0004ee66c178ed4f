/* SPDX-License-Identifier: MIT */
/* Lets Ctrl-C end the waits of this module (posix/interrupt.c,
 * windows/interrupt.c). */
#pragma once

#include "binding/state.h"

/* Prepares for it: 0, or -1 with an exception. */
int nio_interrupt_init(void);
/* The interpreter exits: from now on Ctrl-C ends no wait. */
void nio_interrupt_done(void);
