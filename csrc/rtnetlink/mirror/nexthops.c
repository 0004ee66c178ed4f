/* SPDX-License-Identifier: MIT */
/* The mirror's nexthop objects: see mirror.h. They are no rows; they supply
 * the legs of a route for which the kernel names only its object. */
#include "rtnetlink/mirror/mirror.h"

static nio_nexthop *
find_nexthop(const nio_mirror *mirror, uint32_t id)
{
    nio_nexthop key = {.id = id};
    nio_nexthop *nexthop = nio_store_first(&mirror->nexthops, &key);
    while (nexthop != NULL && nexthop->id != id) {
        nexthop = nio_store_next(&mirror->nexthops, nexthop);
    }
    return nexthop;
}

/* The change of a nexthop object changes the routes and the groups that use it
 * without a message. Of routes that share an identity only one is recorded:
 * another one may be the user. */
static void
dirty_users(nio_mirror *mirror)
{
    bool used = mirror->wants_routes &&
                (mirror->nexthop_users > 0 || mirror->has_duplicates);
    mirror->dirty.nexthops = mirror->wants_routes;
    mirror->dirty.routes[0] |= used;
    mirror->dirty.routes[1] |= used;
}

void
nio_mirror_dumped_nexthop(nio_mirror *mirror, nio_nexthop *nexthop)
{
    nio_nexthop *known = find_nexthop(mirror, nexthop->id);
    nexthop->record.generation = mirror->generation;
    if (known != NULL) {
        nio_nexthop_done(known, &mirror->extras);
        nexthop->record.next = known->record.next;
        *known = *nexthop;
    } else if (nio_store_add(&mirror->nexthops, nexthop) == NULL) {
        nio_nexthop_done(nexthop, &mirror->extras);
        mirror->allocation_failed = true;
    }
}

void
nio_mirror_new_nexthop(nio_mirror *mirror, nio_nexthop *nexthop)
{
    if (find_nexthop(mirror, nexthop->id) != NULL) {
        dirty_users(mirror);
    }
    nio_mirror_dumped_nexthop(mirror, nexthop);
}

static void
drop_nexthop(nio_mirror *mirror, nio_nexthop *nexthop)
{
    nio_nexthop_done(nexthop, &mirror->extras);
    nio_store_remove(&mirror->nexthops, nexthop);
}

void
nio_mirror_del_nexthop(nio_mirror *mirror, uint32_t id)
{
    nio_nexthop *known = find_nexthop(mirror, id);
    dirty_users(mirror);
    if (known != NULL) {
        drop_nexthop(mirror, known);
    }
}

void
nio_mirror_sweep_nexthops(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_nexthop *nexthop;
    while (!mirror->allocation_failed &&
           (nexthop = nio_store_each(&mirror->nexthops, &cursor)) != NULL) {
        if (nexthop->record.generation != mirror->generation) {
            drop_nexthop(mirror, nexthop);
        }
    }
}
