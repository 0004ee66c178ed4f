/* SPDX-License-Identifier: MIT */
/* The mirror's links: see mirror.h.
 *
 * The kernel removes the addresses and routes of a link before the link
 * itself, those of IPv4 without a message. So a deleted link stays as "gone"
 * until a reconcile has removed them: their DELETE has its name. Where another
 * link gets the index before that, they are removed at once. */
#include "rtnetlink/mirror/bearers.h"

#include <linux/if.h>
#include <string.h>
#include <sys/socket.h>

/* Flags of a link whose change makes the kernel change addresses and routes,
 * often without a message about these. */
#define FLAGS_WITH_SIDE_EFFECTS (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)

/* ---- finding links */

static nio_link *
find(const nio_mirror *mirror, uint32_t index)
{
    nio_link key = {.index = index};
    nio_link *link = nio_store_first(&mirror->links, &key);
    while (link != NULL && link->index != index) {
        link = nio_store_next(&mirror->links, link);
    }
    return link;
}

nio_link *
nio_mirror_link(const nio_mirror *mirror, uint32_t index)
{
    nio_link *link = find(mirror, index);
    return link != NULL && link->is_gone ? NULL : link;
}

bool
nio_mirror_knows_link(nio_mirror *mirror, uint32_t index)
{
    bool knows = index == 0 || find(mirror, index) != NULL;
    if (!knows) {
        nio_mirror_dirty_link(mirror, index);
        nio_mirror_dirty_dependents(mirror);
    }
    return knows;
}

static bool
has_same_name(const nio_link *a, const nio_link *b)
{
    return memcmp(a->name, b->name, sizeof(a->name)) == 0;
}

static bool
same_item(const nio_link *a, const nio_link *b, unsigned tag)
{
    size_t a_size = 0, b_size = 0;
    const uint8_t *in_a = nio_extra_find(a->extra, tag, &a_size);
    const uint8_t *in_b = nio_extra_find(b->extra, tag, &b_size);
    return a_size == b_size &&
           (a_size == 0 || memcmp(in_a, in_b, a_size) == 0);
}

/* Of the same index: are these two links, the one deleted before the other
 * was made? Messages show that, unless they were lost or are still to be read.
 * Each change of a link has a message of its own, so that a link with another
 * name and another hardware address, or of another kind, is another one. */
static bool
is_another_link(const nio_link *a, const nio_link *b)
{
    return !has_same_name(a, b) && !(same_item(a, b, NIO_EXTRA_HARDWARE) &&
                                     same_item(a, b, NIO_EXTRA_LINK_KIND));
}

/* ---- links that are gone */

/* Removes a link that is gone, and what is left of its addresses and routes:
 * another one has its index. */
static void
replace_gone(nio_mirror *mirror, nio_link *link)
{
    const uint32_t index = link->index;
    const uint8_t flags = mirror->fanout.flags;
    mirror->fanout.flags |= NIO_FLAG_SYNTHESIZED;
    nio_mirror_drop_routes_of(mirror, index);
    nio_mirror_drop_addresses_of(mirror, index);
    mirror->fanout.flags = flags;
    nio_forget_bearer(mirror, index);
    nio_store_remove(&mirror->links, link);
    /* Some of them may be the new link's, if a dump has shown them. */
    nio_mirror_dirty_dependents(mirror);
}

void
nio_mirror_forget_gone_links(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_link *link;
    while (mirror->has_gone_links &&
           (link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        if (link->is_gone) {
            nio_forget_bearer(mirror, link->index);
            nio_store_remove(&mirror->links, link);
        }
    }
    mirror->has_gone_links = false;
}

static void
delete_link(nio_mirror *mirror, nio_link *known)
{
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->derived_dirty = true;
    nio_mirror_dirty_dependents(mirror);
    nio_fanout_link(&mirror->fanout, known, NULL);
    known->is_gone = true;
    nio_link_done(known, &mirror->extras);
    mirror->has_gone_links = true;
}

/* ---- masters */

static void
name_master(nio_mirror *mirror, nio_link *link)
{
    const nio_link *master =
        link->master == 0 ? NULL : nio_mirror_link(mirror, link->master);
    if (master != NULL) {
        memcpy(link->master_name, master->name, sizeof(master->name));
    }
    mirror->has_unnamed_master |= link->master != 0 && master == NULL;
}

/* The rows of all links with this master have its name. */
static void
rename_master(nio_mirror *mirror, const nio_link *master)
{
    uint32_t cursor = 0;
    nio_link *link;
    mirror->has_unnamed_master = false;
    while ((link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        nio_link before = *link;
        if (link->is_gone || link->master == 0) {
            continue;
        }
        name_master(mirror, link);
        if (link->master != master->index ||
            memcmp(link->master_name, before.master_name,
                   sizeof(before.master_name)) == 0) {
            continue;
        }
        if (!nio_mirror_reserve(mirror)) {
            *link = before;
            return;
        }
        nio_fanout_link(&mirror->fanout, &before, link);
    }
}

/* ---- links that are there */

static void
add_link(nio_mirror *mirror, const nio_link *link)
{
    nio_link *added = nio_store_add(&mirror->links, link);
    if (added == NULL) {
        mirror->allocation_failed = true;
        return;
    }
    (void)nio_extra_pool_use(added->extra);
    name_master(mirror, added);
    mirror->dirty.neighbours = true;
    if (link->flags & IFF_UP) {
        nio_mirror_dirty_dependents(mirror);
    }
    nio_fanout_link(&mirror->fanout, NULL, added);
    if (mirror->has_unnamed_master) {
        rename_master(mirror, added);
    }
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
    nio_link before = *known;
    nio_link after = *link;
    keep_neighbour_times(&after, &before);
    name_master(mirror, &after);
    after.record.next = before.record.next;
    *known = after;
    (void)nio_extra_pool_use(known->extra);
    mirror->dirty.neighbours |= (after.inet.present && !before.inet.present) ||
                                (after.inet6.present && !before.inet6.present);
    if (has_side_effects(&before, &after)) {
        nio_mirror_dirty_dependents(mirror);
    }
    nio_fanout_link(&mirror->fanout, &before, &after);
    nio_link_done(&before, &mirror->extras);
    if (!has_same_name(&before, known)) {
        rename_master(mirror, known);
    }
}

static void
take_link(nio_mirror *mirror, const nio_link *link, bool is_dumped)
{
    nio_link after = *link;
    nio_link *known = find(mirror, link->index);
    if (known != NULL && !known->is_gone && is_another_link(known, link)) {
        delete_link(mirror, known);
    }
    if (known != NULL && known->is_gone) {
        replace_gone(mirror, known);
        known = NULL;
    }
    if (!nio_mirror_reserve(mirror) || !nio_end_bearers(mirror, link)) {
        return;
    }
    mirror->derived_dirty = true;
    after.record.generation = mirror->generation;
    if (is_dumped) {
        after.named_in_replay = known == NULL || !has_same_name(known, link)
                                    ? mirror->replay
                                    : known->named_in_replay;
    }
    if (known == NULL) {
        add_link(mirror, &after);
    } else {
        update_link(mirror, known, &after);
    }
    nio_begin_bearers(mirror, link);
}

void
nio_mirror_dumped_link(nio_mirror *mirror, const nio_link *link)
{
    take_link(mirror, link, true);
}

/* May the message be older than the dump that has shown this link with a new
 * name? Then the link is read again instead. */
static bool
is_outdated(const nio_mirror *mirror, const nio_link *link)
{
    const nio_link *known = nio_mirror_link(mirror, link->index);
    return mirror->replaying && known != NULL &&
           known->named_in_replay == mirror->replay &&
           !has_same_name(known, link);
}

static bool
same_in_family(const nio_link_family *a, const nio_link_family *b)
{
    return a->present == b->present && a->forwarding == b->forwarding;
}

/* Does the message say what is known, in all that it can say? Many do: of a
 * link's alias or queue length, and of whatever a driver announces. */
static bool
is_known(const nio_mirror *mirror, const nio_link *link)
{
    const nio_link *known = nio_mirror_link(mirror, link->index);
    return known != NULL && has_same_name(known, link) &&
           known->flags == link->flags && known->mtu == link->mtu &&
           known->master == link->master && known->mtu6 == link->mtu6 &&
           known->inet6_flags == link->inet6_flags &&
           known->max_reassembly6 == link->max_reassembly6 &&
           known->dad_transmits == link->dad_transmits &&
           known->accept_ra == link->accept_ra && known->type == link->type &&
           known->oper_state == link->oper_state &&
           known->address_generation == link->address_generation &&
           same_in_family(&known->inet, &link->inet) &&
           same_in_family(&known->inet6, &link->inet6) &&
           known->inet6.retransmit == link->inet6.retransmit &&
           known->inet6.reachable == link->inet6.reachable &&
           known->extra == link->extra; /* the pool has each block once */
}

/* The kernel sends the message while the change is in progress: for example
 * before IPv6 has adopted a new MTU. So the link is read again afterwards,
 * unless nothing has changed. */
void
nio_mirror_new_link(nio_mirror *mirror, const nio_link *link)
{
    if (is_known(mirror, link)) {
        return;
    }
    if (is_outdated(mirror, link)) {
        nio_mirror_dirty_dependents(mirror);
    } else {
        take_link(mirror, link, false);
    }
    nio_mirror_dirty_link(mirror, link->index);
}

void
nio_mirror_del_link(nio_mirror *mirror, const nio_link *link)
{
    nio_link *known = nio_mirror_link(mirror, link->index);
    if (is_outdated(mirror, link)) {
        nio_mirror_dirty_link(mirror, link->index);
    } else if (known != NULL) {
        delete_link(mirror, known);
    }
    nio_mirror_dirty_dependents(mirror);
}

void
nio_mirror_dumped_no_link(nio_mirror *mirror, uint32_t index)
{
    nio_link *known = nio_mirror_link(mirror, index);
    if (known != NULL) {
        delete_link(mirror, known);
    }
}

void
nio_mirror_sweep_links(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_link *link;
    while (!mirror->allocation_failed &&
           (link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        if (!link->is_gone && link->record.generation != mirror->generation) {
            delete_link(mirror, link);
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
