/* SPDX-License-Identifier: MIT */
/* The INITIAL call of a registration whose tower makes none
 * (nio_makes_initial_calls). Without the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* Before the system knows the context. False: it has no thread left. */
bool nio_first_call_prepare(nio_callback_context *context);
/* The system has answered. True: the call is made now, before all others.
 * False: it is not made. */
void nio_first_call_decide(nio_callback_context *context, bool due);
/* Waits until the call, if there is one, has returned. */
void nio_first_call_join(nio_callback_context *context);
