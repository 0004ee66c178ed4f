/* SPDX-License-Identifier: MIT */
/* What a dump of routes does to the mirror's routes.
 *
 *   a row of the dump
 *     the leg is unknown                   add, held: its message may wait in
 *                                          the backlog, and its group may have
 *                                          a record that the dump lacks so far
 *     known, first time in this dump       update, with one instance
 *     known, again in this dump            count an instance
 *   the end of the dump
 *     the record was not in it             drop; its group becomes ambiguous
 *     the dump was cut before the record   stays, as unreadable
 *     the record is in an open gap         undecided: stays, and so do the
 *                                          held records of its group
 *     the record is held                   report it
 *     another number of instances          report it
 *
 * What is still held after the messages of the backlog needs another dump.
 *
 * So a replacement is reported as a DELETE, then an ADD, though the rows of a
 * dump come before its end. What a message announced, and only the dump could
 * decide, is not marked as synthesized. */
#include "rtnetlink/mirror/route_records.h"

#include "rtnetlink/mirror/cut_dump.h"
#include "rtnetlink/mirror/route_identity.h"

/* Reports with the mark or without it: a message announced this, or none. */
static uint8_t
begin_report(nio_mirror *mirror, bool is_announced)
{
    const uint8_t flags = mirror->fanout.flags;
    if (is_announced) {
        mirror->fanout.flags &= (uint8_t)~NIO_FLAG_SYNTHESIZED;
    }
    return flags;
}

/* Does the group have a record that this dump has not shown, or that a waiting
 * message deletes? */
static bool
group_has_missing(const nio_mirror *mirror, const nio_route *head)
{
    const nio_route *route = mirror->unseen_routes == 0
                                 ? NULL
                                 : first_of_group(&mirror->routes, head);
    while (route != NULL && route->record.generation == mirror->generation &&
           !route->is_announced) {
        route = next_of_group(&mirror->routes, head, route);
    }
    return route != NULL;
}

/* Did messages since the last dump say something about the group? */
static bool
group_is_doubtful(const nio_mirror *mirror, const nio_route *head)
{
    const nio_route *route =
        mirror->has_held ? first_of_group(&mirror->routes, head) : NULL;
    while (route != NULL && !route->is_doubtful) {
        route = next_of_group(&mirror->routes, head, route);
    }
    return route != NULL;
}

static void
find_new(nio_mirror *mirror, const nio_route *leg)
{
    const bool is_doubtful = group_is_doubtful(mirror, leg);
    const uint8_t flags = begin_report(mirror, is_doubtful);
    const bool is_wanted = (mirror->fanout.kinds & (1u << NIO_ROUTE)) != 0;
    nio_route *route = nio_route_add(mirror, leg, is_wanted);
    if (route != NULL && route->is_held) {
        route->is_doubtful = is_doubtful;
    }
    mirror->fanout.flags = flags;
}

/* The first instance of several: what it changes is reported with their
 * number, which is known at the end of the dump. */
static void
see_first(nio_mirror *mirror, nio_route *route, const nio_route *leg)
{
    const nio_route before = *route;
    route->ambiguous_in_replay = mirror->replay;
    mirror->has_held = true;
    route->is_held = true;
    nio_route_update(mirror, route, leg);
    route->is_held = before.is_held;
    if (!same_state(&before, route)) {
        route->instances = 0; /* no number that can be seen again */
    }
}

static void
see(nio_mirror *mirror, nio_route *route, const nio_route *leg)
{
    const uint8_t flags = begin_report(mirror, route->is_doubtful);
    if (route->record.generation == mirror->generation) {
        route->seen = (uint16_t)(route->seen + (route->seen < UINT16_MAX));
        mirror->has_duplicates = true;
        mirror->has_held = true;
    } else {
        route->record.generation = mirror->generation;
        mirror->unseen_routes -= mirror->unseen_routes > 0;
        route->seen = 1;
        route->is_announced = false;
        if (route->instances > 1) {
            see_first(mirror, route, leg);
        } else {
            nio_route_update(mirror, route, leg);
        }
    }
    mirror->fanout.flags = flags;
}

void
nio_mirror_dumped_route(nio_mirror *mirror, const nio_legs *legs)
{
    nio_route_note_dead_legs(mirror, legs);
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find_leg(&mirror->routes, leg);
        if (route != NULL) {
            see(mirror, route, leg);
        } else {
            find_new(mirror, leg);
        }
    }
}

/* A route of the group is gone; messages still to be applied may be older. */
static void
mark_group_ambiguous(nio_mirror *mirror, const nio_route *gone)
{
    for (nio_route *route = first_of_group(&mirror->routes, gone);
         route != NULL; route = next_of_group(&mirror->routes, gone, route)) {
        route->ambiguous_in_replay = mirror->replay;
    }
}

void
nio_mirror_announced_route(nio_mirror *mirror, const nio_legs *legs)
{
    for (size_t i = 0; i < legs->count; i++) {
        nio_route *route = find_leg(&mirror->routes, &legs->legs[i]);
        if (route != NULL && route->is_held) {
            route->is_doubtful = true;
        }
    }
}

void
nio_mirror_announced_deletion(nio_mirror *mirror, const nio_legs *legs)
{
    for (size_t i = 0; i < legs->count + legs->dead; i++) {
        nio_route *route = find_leg(&mirror->routes, &legs->legs[i]);
        if (route != NULL) {
            route->record.generation = mirror->generation;
            route->is_announced = true;
        }
    }
}

/* The end of a dump for a record that it showed: a held one is reported if its
 * group has nothing undecided, and so is another number of instances. */
static void
settle(nio_mirror *mirror, nio_route *route)
{
    const uint8_t flags = begin_report(mirror, route->is_doubtful);
    if (route->is_held && group_has_missing(mirror, route)) {
        goto done;
    }
    route->is_doubtful = false;
    if (route->is_held) {
        route->instances = route->seen;
        nio_route_report(mirror, route);
    } else if (route->seen != route->instances) {
        nio_route_recount(mirror, route, route->seen);
    }
done:
    mirror->fanout.flags = flags;
}

static void
settle_all(nio_mirror *mirror, uint8_t family)
{
    uint32_t cursor = 0;
    nio_route *route;
    mirror->has_held = false;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->family == family && !route->is_announced &&
            route->record.generation == mirror->generation) {
            settle(mirror, route);
        }
        mirror->has_held |= route->is_held || route->is_doubtful;
    }
}

bool
nio_mirror_sweep_routes(nio_mirror *mirror, uint8_t family,
                        const nio_gaps *open_gaps)
{
    const nio_cut cut = nio_find_cut(mirror, family);
    uint32_t cursor = 0, *unreadable;
    nio_route *route;
    bool is_undecided = false;
    unreadable = &mirror->unreadable[NIO_FAMILY_BIT(family)];
    *unreadable = 0;
    while (!mirror->allocation_failed &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->family != family ||
            route->record.generation == mirror->generation) {
            continue;
        }
        if (nio_is_behind_cut(&cut, route)) {
            (*unreadable)++;
        } else if (open_gaps->raced && nio_has_source_prefix(route)) {
            is_undecided = true;
        } else if (!nio_gaps_contain(open_gaps, route)) {
            const uint8_t flags = begin_report(mirror, route->is_doubtful);
            mark_group_ambiguous(mirror, route);
            nio_route_drop(mirror, route);
            mirror->fanout.flags = flags;
        }
    }
    if (mirror->has_held && !mirror->allocation_failed) {
        settle_all(mirror, family);
    }
    return is_undecided;
}

void
nio_mirror_dirty_held(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    const nio_route *route;
    while (mirror->has_held &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->is_held) {
            mirror->dirty.raced[NIO_FAMILY_BIT(route->family)] = true;
        }
    }
}
