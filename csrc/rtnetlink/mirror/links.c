/* SPDX-License-Identifier: MIT */
/* The mirror's links: see mirror.h. */
#include "rtnetlink/mirror/mirror.h"

#include <linux/if.h>
#include <sys/socket.h>

/* Flags of a link whose change makes the kernel change addresses and routes,
 * often without a message about these. */
#define FLAGS_WITH_SIDE_EFFECTS (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)

nio_link *
nio_mirror_link(const nio_mirror *mirror, uint32_t index)
{
    nio_link key = {.index = index};
    nio_link *link = nio_store_first(&mirror->links, &key);
    while (link != NULL && link->index != index) {
        link = nio_store_next(&mirror->links, link);
    }
    return link;
}

static void
add_link(nio_mirror *mirror, const nio_link *link)
{
    if (nio_store_add(&mirror->links, link) == NULL) {
        mirror->allocation_failed = true;
        return;
    }
    mirror->dirty.neighbours = true;
    if (link->flags & IFF_UP) {
        nio_mirror_dirty_dependents(mirror);
    }
    nio_fanout_link(&mirror->fanout, NULL, link);
}

/* Times that are in the neighbour tables only, not in a link's messages. */
static void
keep_neighbour_times(nio_link *link, const nio_link *known)
{
    link->inet.base_reachable = known->inet.base_reachable;
    link->inet.reachable = known->inet.reachable;
    link->inet.retransmit = known->inet.retransmit;
    link->inet6.base_reachable = known->inet6.base_reachable;
}

static bool
has_side_effects(const nio_link *before, const nio_link *after)
{
    return ((before->flags ^ after->flags) & FLAGS_WITH_SIDE_EFFECTS) ||
           before->master != after->master || before->mtu != after->mtu ||
           before->inet.present != after->inet.present ||
           before->inet6.present != after->inet6.present;
}

static void
update_link(nio_mirror *mirror, nio_link *known, const nio_link *link)
{
    const nio_link before = *known;
    nio_link after = *link;
    keep_neighbour_times(&after, &before);
    after.record.next = before.record.next;
    *known = after;
    mirror->dirty.neighbours |= (after.inet.present && !before.inet.present) ||
                                (after.inet6.present && !before.inet6.present);
    if (has_side_effects(&before, &after)) {
        nio_mirror_dirty_dependents(mirror);
    }
    nio_fanout_link(&mirror->fanout, &before, &after);
}

void
nio_mirror_dumped_link(nio_mirror *mirror, const nio_link *link)
{
    nio_link after = *link;
    nio_link *known = nio_mirror_link(mirror, link->index);
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->derived_dirty = true;
    after.record.generation = mirror->generation;
    if (known == NULL) {
        add_link(mirror, &after);
    } else {
        update_link(mirror, known, &after);
    }
}

/* The kernel sends the message while the change is in progress: for example
 * before IPv6 has adopted a new MTU. So the link is read again afterwards. */
void
nio_mirror_new_link(nio_mirror *mirror, const nio_link *link)
{
    nio_mirror_dumped_link(mirror, link);
    nio_mirror_dirty_link(mirror, link->index);
}

void
nio_mirror_del_link(nio_mirror *mirror, uint32_t index)
{
    nio_link *known = nio_mirror_link(mirror, index);
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->derived_dirty = true;
    nio_mirror_dirty_dependents(mirror);
    if (known != NULL) {
        nio_fanout_link(&mirror->fanout, known, NULL);
        nio_store_remove(&mirror->links, known);
    }
}

void
nio_mirror_sweep_links(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_link *link;
    while (!mirror->allocation_failed &&
           (link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        if (link->record.generation != mirror->generation) {
            nio_mirror_del_link(mirror, link->index);
        }
    }
}

void
nio_mirror_dumped_neighbour_table(nio_mirror *mirror, uint8_t family,
                                  uint32_t index, const nio_link_family *times)
{
    nio_link *link = nio_mirror_link(mirror, index);
    if (link == NULL || (family != AF_INET && family != AF_INET6) ||
        !nio_mirror_reserve(mirror)) {
        return;
    }
    const nio_link before = *link;
    nio_link_family *in = family == AF_INET ? &link->inet : &link->inet6;
    in->base_reachable = times->base_reachable;
    in->reachable = times->reachable;
    in->retransmit = times->retransmit;
    nio_fanout_link(&mirror->fanout, &before, link);
}
