/* SPDX-License-Identifier: MIT */
/* A set of routing tables, by number: the tables whose routes are wanted.
 * socket_filter.c makes the kernel send no others, and the mirror keeps no
 * others. Not locked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is the empty set. RT_TABLE_LOCAL is only in a set that was given its
 * number: "all others" does not include it. */
typedef struct nio_table_set {
    bool local;        /* RT_TABLE_LOCAL */
    bool all_others;   /* every table but RT_TABLE_LOCAL ... */
    uint32_t *numbers; /* ... or these: sorted, without duplicates; owned */
    size_t count;
} nio_table_set;

void nio_table_set_done(nio_table_set *tables);

/* Add tables. If the allocation fails, all others are added: a set that is too
 * large only costs time. */
void nio_table_set_add(nio_table_set *tables, const uint32_t *numbers,
                       size_t count);
void nio_table_set_add_all_others(nio_table_set *tables);

bool nio_table_set_contains(const nio_table_set *tables, uint32_t number);
/* Does `tables` contain all that `subset` contains? */
bool nio_table_set_is_superset(const nio_table_set *tables,
                               const nio_table_set *subset);
