/* SPDX-License-Identifier: MIT */
/* The list that keeps live registrations alive. With the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* Put it onto the list; its context is complete. False, with an exception: the
 * interpreter is exiting. */
bool nio_registration_enlist(nio_state *state, nio_registration *self);
/* Its cancellation is finished, or given up for ever: take it off the list.
 * The caller has a reference of its own. */
void nio_registration_retire(nio_registration *self);
/* Retire all whose cancellation is finished, and retry the cancellations that
 * could not be started. Runs destructors. */
void nio_registrations_reap(nio_state *state);
/* A new reference to the first of the list; NULL: it is empty. */
nio_registration *nio_registrations_first(nio_state *state);
