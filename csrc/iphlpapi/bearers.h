/* SPDX-License-Identifier: MIT */
/* The interfaces in a filter, by name or as one adapter each, and the indices
 * that they have now. An adapter is its LUID: its index can be another one
 * after it was made anew, and be given to another adapter meanwhile. */
#pragma once

#include "base/filter.h"

typedef struct nio_bearers {
    nio_filter *filter; /* borrowed; its indices are these */
    NET_LUID *luids;    /* of the adapters; 0: unknown, so the index stays */
    NET_IFINDEX *indices;
} nio_bearers;

/* Does this system find interfaces by their aliases? */
bool nio_can_find_bearers(void);
/* False on allocation failure. */
bool nio_bearers_init(nio_bearers *self, nio_filter *filter);
void nio_bearers_done(nio_bearers *self);
/* Can they change? Then each change of an interface, of either family, is a
 * reason to look them up. */
bool nio_bearers_can_change(const nio_bearers *self);
/* Looks each one up. True: another interface has one of the names than before,
 * or none has it; or an adapter has another index, or is gone. */
bool nio_bearers_find(const nio_bearers *self);
