/* SPDX-License-Identifier: MIT */
/* A search in a table: see best_in_table.h. */
#include "rtnetlink/api/best_in_table.h"

#include "rtnetlink/api/route_reader.h"

#include <string.h>

typedef struct table_search {
    const nio_chosen *chosen;
    nio_route best; /* with a reference to its block */
} table_search;

static bool
covers(const nio_route *route, const uint8_t address[16])
{
    const unsigned whole = route->prefix_length / 8u;
    const unsigned rest = route->prefix_length % 8u;
    return memcmp(route->destination, address, whole) == 0 &&
           (rest == 0 || ((route->destination[whole] ^ address[whole]) >>
                          (8u - rest)) == 0);
}

static bool
is_better(const nio_route *leg, const nio_route *best)
{
    return best->type == RTN_UNSPEC ||
           leg->prefix_length > best->prefix_length ||
           (leg->prefix_length == best->prefix_length &&
            leg->priority < best->priority);
}

static int
match_leg(void *context, const nio_route *leg)
{
    table_search *search = context;
    const nio_chosen *chosen = search->chosen;
    if (leg->family == chosen->family && leg->table == chosen->table &&
        leg->tos == 0 && leg->oif == chosen->oif &&
        memcmp(leg->gateway, chosen->gateway, 16) == 0 &&
        covers(leg, chosen->destination) && is_better(leg, &search->best)) {
        (void)nio_extra_keep(leg->extra);
        nio_extra_drop(search->best.extra);
        search->best = *leg;
    }
    return 0;
}

static bool
is_never_enough(const void *context)
{
    (void)context;
    return false;
}

DWORD
nio_best_in_table(nio_one_shot *one_shot, const nio_chosen *chosen,
                  nio_route *ret_route)
{
    table_search search = {.chosen = chosen};
    const nio_route_query query = {.index = chosen->oif,
                                   .table = chosen->table,
                                   .leg = match_leg,
                                   .context = &search};
    const DWORD code =
        nio_find_routes(one_shot, chosen->family, query, is_never_enough);
    if (code != NO_ERROR) {
        nio_extra_drop(search.best.extra);
        search.best = (nio_route){.type = RTN_UNSPEC};
    }
    *ret_route = search.best;
    return code;
}
