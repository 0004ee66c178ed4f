/* SPDX-License-Identifier: MIT */
/* How Ctrl-C ends a wait of ours (posix/interrupt.c, windows/interrupt.c). */
#pragma once

#include "binding/state.h"

/* Prepare it: 0, or -1 with an exception. */
int nio_interrupt_init(void);
/* The interpreter exits: from now on Ctrl-C ends no wait. */
void nio_interrupt_done(void);
