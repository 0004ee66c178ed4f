/* SPDX-License-Identifier: MIT */
/* Sets of routing tables: see table_set.h. */
#include "rtnetlink/socket/table_set.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

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

void
nio_table_set_add_all_others(nio_table_set *tables)
{
    free(tables->numbers);
    tables->numbers = NULL;
    tables->count = 0;
    tables->all_others = true;
}

void
nio_table_set_add(nio_table_set *tables, const uint32_t *numbers, size_t count)
{
    uint32_t *all = tables->numbers;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        tables->local |= numbers[i] == RT_TABLE_LOCAL;
    }
    if (tables->all_others || count == 0) {
        return;
    }
    all = realloc(all, (tables->count + count) * sizeof(*all));
    if (all == NULL) {
        nio_table_set_add_all_others(tables);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != RT_TABLE_LOCAL) {
            all[tables->count++] = numbers[i];
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
    return tables->all_others || has_number(tables, number);
}

bool
nio_table_set_is_superset(const nio_table_set *tables,
                          const nio_table_set *subset)
{
    if ((subset->local && !tables->local) ||
        (subset->all_others && !tables->all_others)) {
        return false;
    }
    for (size_t i = 0; i < subset->count; i++) {
        if (!nio_table_set_contains(tables, subset->numbers[i])) {
            return false;
        }
    }
    return true;
}
