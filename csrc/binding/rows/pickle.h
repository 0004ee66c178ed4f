/* SPDX-License-Identifier: MIT */
/* Rows and Tables as pickles: the methods _from_bytes() and __reduce__() of
 * both. */
#pragma once

#include "binding/state.h"

/* The layout of what is pickled: a number that grows when a native row, or
 * what goes with it, changes. 1 was that of netioapi 0.1.0, which wrote no
 * number. Another layout is refused, and never misread. */
enum { NIO_PICKLE_LAYOUT = 2 };

/* Adds the methods to the types of rows and Table: 0, or -1 with an
 * exception. */
int nio_pickle_init(nio_state *state);
