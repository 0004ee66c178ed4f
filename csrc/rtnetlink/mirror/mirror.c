/* SPDX-License-Identifier: MIT */
/* The mirror's links and addresses, and what must be read again: mirror.h. */
#include "rtnetlink/mirror/mirror.h"

#include "rtnetlink/decode/rows.h"

#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What of a link's flags makes the kernel change addresses and routes. */
#define FLAGS_THAT_MATTER (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)

static uint64_t
link_hash(const void *record, uint64_t seed)
{
    const nio_link *link = record;
    return nio_mix(seed, link->index);
}

static uint64_t
nexthop_hash(const void *record, uint64_t seed)
{
    const nio_nexthop *nexthop = record;
    return nio_mix(seed, nexthop->id);
}

/* By interface and address alone: IPv6 may change the rest in place. */
static uint64_t
address_hash(const void *record, uint64_t seed)
{
    const nio_address *address = record;
    return nio_hash(address->local, sizeof(address->local),
                    seed ^ address->index);
}

void
nio_mirror_init(nio_mirror *mirror)
{
    memset(mirror, 0, sizeof(*mirror));
    nio_store_init(&mirror->links, sizeof(nio_link), link_hash);
    nio_store_init(&mirror->addresses, sizeof(nio_address), address_hash);
    nio_store_init(&mirror->nexthops, sizeof(nio_nexthop), nexthop_hash);
    nio_mirror_init_routes(mirror);
    mirror->fanout.links = &mirror->links;
    mirror->mark = 1;
}

void
nio_mirror_done(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_nexthop *nexthop;
    while ((nexthop = nio_store_each(&mirror->nexthops, &cursor)) != NULL) {
        free(nexthop->members);
    }
    nio_store_done(&mirror->links);
    nio_store_done(&mirror->addresses);
    nio_store_done(&mirror->nexthops);
    nio_store_done(&mirror->routes);
}

bool
nio_dirty_any(const nio_dirty *dirty)
{
    return dirty->all_links || dirty->neighbours || dirty->addresses ||
           dirty->nexthops || dirty->routes[0] || dirty->routes[1] ||
           dirty->raced[0] || dirty->raced[1] || dirty->link_count > 0;
}

/* The kernel may have changed what hangs on a link without a word. */
static void
dirty_below_link(nio_mirror *mirror)
{
    mirror->dirty.addresses = true;
    mirror->dirty.nexthops = mirror->wants_routes;
    mirror->dirty.routes[0] = mirror->wants_routes;
    mirror->dirty.routes[1] = mirror->wants_routes;
}

void
nio_mirror_dirty_all(nio_mirror *mirror)
{
    mirror->dirty.all_links = true;
    mirror->dirty.neighbours = true;
    dirty_below_link(mirror);
}

void
nio_mirror_dirty_link(nio_mirror *mirror, uint32_t index)
{
    nio_dirty *dirty = &mirror->dirty;
    for (size_t i = 0; i < dirty->link_count; i++) {
        if (dirty->links[i] == index) {
            return;
        }
    }
    if (dirty->link_count == NIO_DIRTY_LINKS) {
        dirty->all_links = true;
        return;
    }
    dirty->links[dirty->link_count++] = index;
}

void
nio_mirror_begin_dump(nio_mirror *mirror)
{
    if (++mirror->mark == 0) {
        mirror->mark = 1;
    }
}

bool
nio_mirror_reserve(nio_mirror *mirror)
{
    bool ready = nio_fanout_reserve(&mirror->fanout);
    mirror->allocation_failed |= !ready;
    return ready;
}

/* ---- links */

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

/* Messages of links do not tell the neighbour tables' times. */
static void
keep_times(nio_link *link, const nio_link *known)
{
    link->inet.base_reachable = known->inet.base_reachable;
    link->inet.reachable = known->inet.reachable;
    link->inet.retransmit = known->inet.retransmit;
    link->inet6.base_reachable = known->inet6.base_reachable;
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
    after.record.mark = mirror->mark;
    if (known == NULL) {
        if (nio_store_add(&mirror->links, &after) == NULL) {
            mirror->allocation_failed = true;
            return;
        }
        mirror->dirty.neighbours = true;
        if (after.flags & IFF_UP) {
            dirty_below_link(mirror);
        }
        nio_fanout_link(&mirror->fanout, NULL, &after);
        return;
    }
    nio_link before = *known;
    mirror->dirty.neighbours |= (after.inet.present && !before.inet.present) ||
                                (after.inet6.present && !before.inet6.present);
    keep_times(&after, &before);
    after.record = known->record;
    after.record.mark = mirror->mark;
    *known = after;
    if (((before.flags ^ after.flags) & FLAGS_THAT_MATTER) ||
        before.master != after.master || before.mtu != after.mtu ||
        before.inet.present != after.inet.present ||
        before.inet6.present != after.inet6.present) {
        dirty_below_link(mirror);
    }
    nio_fanout_link(&mirror->fanout, &before, &after);
}

/* The message is sent in the middle of the change: before IPv6, say, has taken
 * the new MTU over. The link is read once it is done. */
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
    dirty_below_link(mirror);
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
        if (link->record.mark != mirror->mark) {
            nio_mirror_del_link(mirror, link->index);
        }
    }
}

void
nio_mirror_dumped_times(nio_mirror *mirror, uint8_t family, uint32_t index,
                        const nio_link_family *times)
{
    nio_link *link = nio_mirror_link(mirror, index);
    if (link == NULL || (family != AF_INET && family != AF_INET6) ||
        !nio_mirror_reserve(mirror)) {
        return;
    }
    nio_link before = *link;
    nio_link_family *in = family == AF_INET ? &link->inet : &link->inet6;
    in->base_reachable = times->base_reachable;
    in->reachable = times->reachable;
    in->retransmit = times->retransmit;
    nio_fanout_link(&mirror->fanout, &before, link);
}

/* ---- addresses */

/* IPv4 may have one address several times on a link, with other prefixes and
 * peers; IPv6 has it once and changes the rest in place. */
static nio_address *
find_address(const nio_mirror *mirror, const nio_address *key)
{
    for (nio_address *address = nio_store_first(&mirror->addresses, key);
         address != NULL;
         address = nio_store_next(&mirror->addresses, address)) {
        if (address->index == key->index && address->family == key->family &&
            memcmp(address->local, key->local, 16) == 0 &&
            (key->family == AF_INET6 ||
             (address->prefix_length == key->prefix_length &&
              memcmp(address->peer, key->peer, 16) == 0))) {
            return address;
        }
    }
    return NULL;
}

static bool
same_address(const nio_address *a, const nio_address *b)
{
    return a->flags == b->flags && a->protocol == b->protocol &&
           (a->valid == NIO_INFINITE) == (b->valid == NIO_INFINITE) &&
           (a->preferred == NIO_INFINITE) == (b->preferred == NIO_INFINITE);
}

static void
drop_address(nio_mirror *mirror, nio_address *address)
{
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->derived_dirty = true;
    nio_fanout_address(&mirror->fanout, NIO_CHANGE_DELETE, address);
    nio_store_remove(&mirror->addresses, address);
}

static bool
expires(const nio_address *address)
{
    return address->family == AF_INET6 && address->valid != NIO_INFINITE;
}

void
nio_mirror_dumped_address(nio_mirror *mirror, const nio_address *address)
{
    nio_address after = *address;
    nio_address *known = find_address(mirror, address);
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    after.record.mark = mirror->mark;
    mirror->has_expiring |= expires(address);
    if (known != NULL && (known->prefix_length != after.prefix_length ||
                          memcmp(known->peer, after.peer, 16) != 0)) {
        drop_address(mirror, known); /* another identity took its place */
        known = NULL;
    }
    if (known == NULL) {
        if (nio_store_add(&mirror->addresses, &after) == NULL) {
            mirror->allocation_failed = true;
            return;
        }
        mirror->derived_dirty = true;
        nio_fanout_address(&mirror->fanout, NIO_CHANGE_ADD, &after);
        return;
    }
    bool same = same_address(known, &after);
    after.record.next = known->record.next;
    *known = after;
    if (!same) {
        mirror->derived_dirty = true;
        nio_fanout_address(&mirror->fanout, NIO_CHANGE_PARAMETER, &after);
    }
}

void
nio_mirror_new_address(nio_mirror *mirror, const nio_address *address)
{
    unsigned bit = NIO_FAMILY_BIT(address->family);
    const nio_address *known = find_address(mirror, address);
    /* The first address of a link wakes dead legs in silence; and of several
     * with one prefix those that expire decide whether its route does. */
    bool wakes = mirror->dead_legs[bit] && known == NULL;
    bool decides = address->family == AF_INET6 &&
                   (mirror->has_expiring || expires(address)) &&
                   (known == NULL || expires(known) != expires(address) ||
                    ((known->flags ^ address->flags) & IFA_F_NOPREFIXROUTE));
    mirror->dirty.routes[bit] |= mirror->wants_routes && (wakes || decides);
    nio_mirror_dumped_address(mirror, address);
}

void
nio_mirror_del_address(nio_mirror *mirror, const nio_address *address)
{
    nio_address *known = find_address(mirror, address);
    if (known != NULL) {
        drop_address(mirror, known);
    }
    /* With an address go routes: of its last IPv4 address a link loses all of
     * them in silence, and preferred sources vanish from others. */
    if (mirror->wants_routes) {
        mirror->dirty.routes[NIO_FAMILY_BIT(address->family)] = true;
    }
    if (address->family == AF_INET6) {
        /* IPv6 may have been switched off on the link: nobody says so. */
        nio_mirror_dirty_link(mirror, address->index);
    }
}

void
nio_mirror_sweep_addresses(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_address *address;
    while (!mirror->allocation_failed &&
           (address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (address->record.mark != mirror->mark) {
            drop_address(mirror, address);
        }
    }
}

#ifndef NDEBUG
bool
nio_mirror_is_sound(const nio_mirror *mirror)
{
    uint64_t users = 0;
    uint32_t cursor = 0;
    const nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        users += route->nexthop_id != 0;
    }
    return users == mirror->nexthop_users &&
           nio_store_is_sound(&mirror->links) &&
           nio_store_is_sound(&mirror->addresses) &&
           nio_store_is_sound(&mirror->nexthops) &&
           nio_store_is_sound(&mirror->routes);
}
#endif

void
nio_mirror_keep_tables(nio_mirror *mirror, const nio_table_set *tables)
{
    uint32_t cursor = 0;
    nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (!nio_table_set_contains(tables, route->table)) {
            mirror->nexthop_users -= route->nexthop_id != 0;
            nio_store_remove(&mirror->routes, route);
        }
    }
}
