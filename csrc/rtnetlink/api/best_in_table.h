/* SPDX-License-Identifier: MIT */
/* Which route of one table the kernel has chosen, from a dump of that table:
 * where its own answer lacks the route, or names another table. */
#pragma once

#include "rtnetlink/api/one_shot.h"

/* The leg that the kernel has chosen for a packet. */
typedef struct nio_chosen {
    uint8_t family;
    uint8_t destination[16];
    uint8_t gateway[16];
    uint32_t oif;
    uint32_t table;
} nio_chosen;

/* The longest prefix of the table that has the leg, and of several the one of
 * the lowest metric. ret_route->type is 0 (RTN_UNSPEC) if there is none. The
 * caller drops ret_route->extra. */
DWORD nio_best_in_table(nio_one_shot *one_shot, const nio_chosen *chosen,
                        nio_route *ret_route);
