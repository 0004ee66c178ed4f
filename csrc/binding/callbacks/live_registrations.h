/* SPDX-License-Identifier: MIT */
/* The list that keeps live registrations alive. With the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* Adds it to the list; its context is complete. False, with an exception, when
 * the interpreter is exiting. */
bool nio_registration_enlist(nio_state *state, nio_registration *self);
/* Takes it off the list, because its cancellation is finished, or given up for
 * ever. The caller holds a reference of its own. */
void nio_registration_retire(nio_registration *self);
/* Retires all registrations whose cancellation is finished, and retries the
 * cancellations for which no helper thread could be started. Runs destructors
 * of Python objects. */
void nio_registrations_reap(nio_state *state);
/* A new reference to the first of the list; NULL: it is empty. */
nio_registration *nio_registrations_first(nio_state *state);
