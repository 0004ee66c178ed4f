/* SPDX-License-Identifier: MIT */
/* The list that keeps live registrations alive. With the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* Onto the list that keeps it alive, its bridge complete. False, with an
 * exception: the interpreter is exiting. */
bool nio_registration_enlist(nio_state *state, nio_registration *self);
/* It is over, or given up for ever: let go of what kept it alive. The caller
 * has a reference of its own. */
void nio_registration_retire(nio_registration *self);
/* Retire what is over, and what could not be cancelled yet: do. Runs
 * destructors. */
void nio_registrations_reap(nio_state *state);
/* A new reference to the first of the list; NULL: it is empty. */
nio_registration *nio_registrations_first(nio_state *state);
