/* SPDX-License-Identifier: MIT */
/* The names in a filter, and the interfaces that have them now. */
#pragma once

#include "base/filter.h"

/* Does this system find interfaces by their aliases? */
bool nio_can_find_bearers(void);
/* Looks each name of the filter up. True: another interface has one of them
 * than before, or none has it. */
bool nio_find_bearers(nio_filter *filter);
