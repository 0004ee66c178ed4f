/* SPDX-License-Identifier: MIT */
/* The routing tables that the subscribers of an engine want, all of them
 * together: what the kernel is to tell of (socket_filter.c) and what the
 * mirror keeps. Not locked: the reader's alone. */
#pragma once

#include "rtnetlink/engine/fanout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts as {0}, which is none. */
typedef struct nio_table_set {
    bool local;        /* RT_TABLE_LOCAL */
    bool others;       /* every other one ... */
    uint32_t *numbers; /* ... or these: sorted, each once; owned */
    size_t count;
} nio_table_set;

/* True when a subscriber of these kinds has to do with routes at all. */
bool nio_table_set_needed_for(unsigned kinds);

/* Add what a subscriber wants. Where memory is short that is everything: more
 * than is wanted does no harm. */
void nio_table_set_add(nio_table_set *tables,
                       const nio_subscriber *subscriber);
void nio_table_set_done(nio_table_set *tables);

bool nio_table_set_contains(const nio_table_set *tables, uint32_t number);
/* Does `tables` have all that `others` has? */
bool nio_table_set_is_superset(const nio_table_set *tables,
                               const nio_table_set *others);
