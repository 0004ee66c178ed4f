/* SPDX-License-Identifier: MIT */
/* The records of routes in the mirror: adding, changing and dropping one, each
 * with its report to the fanout. routes.c (messages) and dumped_routes.c
 * (dumps) decide which. */
#pragma once

#include "rtnetlink/mirror/mirror.h"

/* Adds a record of this leg and reports it, or holds the report back until
 * nio_route_report: until a dump has decided about the rest of the group.
 * NULL: allocation failure. */
nio_route *nio_route_add(nio_mirror *mirror, const nio_route *leg,
                         bool is_held);
/* Reports the deletion, unless the record is held, and removes it. */
void nio_route_drop(nio_mirror *mirror, nio_route *route);
/* Takes what the leg says, of the same identity, and reports a change. */
void nio_route_update(nio_mirror *mirror, nio_route *route,
                      const nio_route *leg);
/* Reports a held record. */
void nio_route_report(nio_mirror *mirror, nio_route *route);
/* Changes the number of instances and reports it. */
void nio_route_recount(nio_mirror *mirror, nio_route *route,
                       uint16_t instances);

/* A dead leg has no record, but it may come alive without a message, and its
 * route may be the one that is replaced. */
void nio_route_note_dead_legs(nio_mirror *mirror, const nio_legs *legs);
/* The family has to be read again. */
void nio_route_dirty(nio_mirror *mirror, uint8_t family);
/* Likewise, because the record may or may not be what a message means. */
void nio_route_doubt(nio_mirror *mirror, nio_route *route);
