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
typedef struct nio_tables {
    bool local;        /* RT_TABLE_LOCAL */
    bool others;       /* every other one ... */
    uint32_t *numbers; /* ... or these: sorted, each once; owned */
    size_t count;
} nio_tables;

/* True when a subscriber of these kinds has to do with routes at all. */
bool nio_tables_concern(unsigned kinds);

/* Add what a subscriber wants. Where memory is short that is everything: more
 * than is wanted does no harm. */
void nio_tables_add(nio_tables *tables, const nio_subscriber *subscriber);
void nio_tables_done(nio_tables *tables);

bool nio_tables_have(const nio_tables *tables, uint32_t number);
/* Does `tables` have all that `others` has? */
bool nio_tables_cover(const nio_tables *tables, const nio_tables *others);
