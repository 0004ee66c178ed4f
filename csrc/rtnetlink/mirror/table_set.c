/* SPDX-License-Identifier: MIT */
/* Sets of routing tables: see tables.h. */
#include "rtnetlink/mirror/table_set.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

bool
nio_table_set_needed_for(unsigned kinds)
{
    return (kinds & ((1u << NIO_ROUTE) | (1u << NIO_HINT))) != 0;
}

void
nio_table_set_done(nio_table_set *tables)
{
    free(tables->numbers);
    memset(tables, 0, sizeof(*tables));
}

static int
compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Where every other table is wanted, their numbers say nothing more. */
static void
want_others(nio_table_set *tables)
{
    free(tables->numbers);
    tables->numbers = NULL;
    tables->count = 0;
    tables->others = true;
}

static void
add_numbers(nio_table_set *tables, const ULONG *numbers, size_t count)
{
    uint32_t *all = tables->numbers;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        tables->local |= numbers[i] == RT_TABLE_LOCAL;
    }
    if (tables->others || count == 0) {
        return;
    }
    all = realloc(all, (tables->count + count) * sizeof(*all));
    if (all == NULL) {
        want_others(tables);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != RT_TABLE_LOCAL) {
            all[tables->count++] = (uint32_t)numbers[i];
        }
    }
    qsort(all, tables->count, sizeof(*all), compare);
    for (size_t i = 0; i < tables->count; i++) {
        if (kept == 0 || all[kept - 1] != all[i]) {
            all[kept++] = all[i];
        }
    }
    tables->numbers = all;
    tables->count = kept;
}

void
nio_table_set_add(nio_table_set *tables, const nio_subscriber *subscriber)
{
    /* What a hint of the connectivity is made from: derived.c. */
    static const ULONG defaults[] = {RT_TABLE_DEFAULT, RT_TABLE_MAIN};
    const nio_filter *filter = subscriber->filter;
    if (subscriber->kinds & (1u << NIO_HINT)) {
        add_numbers(tables, defaults, 2);
    }
    if (!(subscriber->kinds & (1u << NIO_ROUTE))) {
        return;
    }
    if (filter->has_tables) {
        add_numbers(tables, filter->tables, filter->table_count);
    } else {
        want_others(tables);
    }
}

static bool
has_number(const nio_table_set *tables, uint32_t number)
{
    return tables->count > 0 &&
           bsearch(&number, tables->numbers, tables->count, sizeof(number),
                   compare) != NULL;
}

bool
nio_table_set_contains(const nio_table_set *tables, uint32_t number)
{
    if (number == RT_TABLE_LOCAL) {
        return tables->local;
    }
    return tables->others || has_number(tables, number);
}

bool
nio_table_set_is_superset(const nio_table_set *tables,
                          const nio_table_set *others)
{
    if ((others->local && !tables->local) ||
        (others->others && !tables->others)) {
        return false;
    }
    for (size_t i = 0; i < others->count; i++) {
        if (!nio_table_set_contains(tables, others->numbers[i])) {
            return false;
        }
    }
    return true;
}
