/* SPDX-License-Identifier: MIT */
/* The mirror's addresses: see mirror.h. */
#include "rtnetlink/mirror/mirror.h"

#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

/* IPv4 allows an address several times on one link, with different prefix
 * lengths and peers. IPv6 has it once and changes these in place. */
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

/* Equal in everything that a subscriber can see, but for the remaining
 * lifetimes, which run down without a change. */
static bool
same_state(const nio_address *a, const nio_address *b)
{
    return a->flags == b->flags && a->protocol == b->protocol &&
           a->scope == b->scope && a->metric == b->metric &&
           memcmp(a->broadcast, b->broadcast, sizeof(a->broadcast)) == 0 &&
           memcmp(a->label, b->label, sizeof(a->label)) == 0 &&
           (a->valid_s == NIO_INFINITE) == (b->valid_s == NIO_INFINITE) &&
           (a->preferred_s == NIO_INFINITE) ==
               (b->preferred_s == NIO_INFINITE);
}

static void
count_change(nio_mirror *mirror)
{
    mirror->derived_dirty = true;
    mirror->address_changes++;
}

static void
drop_address(nio_mirror *mirror, nio_address *address)
{
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    count_change(mirror);
    nio_fanout_address(&mirror->fanout, NIO_CHANGE_DELETE, address);
    nio_store_remove(&mirror->addresses, address);
}

static bool
is_expiring_inet6(const nio_address *address)
{
    return address->family == AF_INET6 && address->valid_s != NIO_INFINITE;
}

void
nio_mirror_dumped_address(nio_mirror *mirror, const nio_address *address)
{
    nio_address after = *address;
    nio_address *known = find_address(mirror, address);
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    after.record.generation = mirror->generation;
    mirror->has_expiring |= is_expiring_inet6(address);
    if (known != NULL && (known->prefix_length != after.prefix_length ||
                          memcmp(known->peer, after.peer, 16) != 0)) {
        /* A row with another prefix length or peer is another row. */
        drop_address(mirror, known);
        known = NULL;
    }
    if (known == NULL) {
        if (nio_store_add(&mirror->addresses, &after) == NULL) {
            mirror->allocation_failed = true;
            return;
        }
        count_change(mirror);
        nio_fanout_address(&mirror->fanout, NIO_CHANGE_ADD, &after);
        return;
    }
    bool same = same_state(known, &after);
    bool renewed = nio_end_moved(known->valid_s, after.valid_s) ||
                   nio_end_moved(known->preferred_s, after.preferred_s);
    after.record.next = known->record.next;
    *known = after;
    if (!same) {
        count_change(mirror);
        nio_fanout_address(&mirror->fanout, NIO_CHANGE_PARAMETER, &after);
    } else if (renewed) {
        nio_fanout_renewed_address(&mirror->fanout, &after);
    }
}

/* Whether the route of an IPv6 prefix expires depends on which of the
 * addresses with that prefix expire, and on which of them have a prefix route
 * at all. When that changes, the route changes without a message. */
static bool
affects_prefix_route(const nio_mirror *mirror, const nio_address *known,
                     const nio_address *address)
{
    return address->family == AF_INET6 &&
           (mirror->has_expiring || is_expiring_inet6(address)) &&
           (known == NULL ||
            is_expiring_inet6(known) != is_expiring_inet6(address) ||
            ((known->flags ^ address->flags) & IFA_F_NOPREFIXROUTE));
}

void
nio_mirror_new_address(nio_mirror *mirror, const nio_address *address)
{
    unsigned bit = NIO_FAMILY_BIT(address->family);
    const nio_address *known = find_address(mirror, address);
    /* The first address of a link revives dead legs without a message. */
    bool may_revive_legs = mirror->dead_legs[bit] && known == NULL;
    mirror->dirty.routes[bit] |=
        mirror->wants_routes &&
        (may_revive_legs || affects_prefix_route(mirror, known, address));
    /* The kernel makes a temporary address for it, without a message. */
    mirror->dirty.addresses |= known == NULL && address->family == AF_INET6 &&
                               (address->flags & IFA_F_MANAGETEMPADDR) != 0;
    nio_mirror_dumped_address(mirror, address);
}

/* The solicited-node group of an address (RFC 4291, section 2.7.1) has the
 * last three bytes of the address. */
static bool
has_group(const nio_address *address, uint32_t index, const uint8_t group[16])
{
    return address->index == index && address->family == AF_INET6 &&
           memcmp(address->local + 13, group + 13, 3) == 0;
}

/* The kernel sends RTM_NEWADDR for an address that it has made itself only
 * after duplicate address detection. At its beginning the link joins the
 * solicited-node group, which is the one sign of such an address. */
void
nio_mirror_joined_group(nio_mirror *mirror, uint32_t index,
                        const uint8_t group[16])
{
    static const uint8_t solicited_node[13] = {
        0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff,
    };
    uint32_t cursor = 0;
    const nio_address *address;
    if (memcmp(group, solicited_node, sizeof(solicited_node)) != 0) {
        return;
    }
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (has_group(address, index, group)) {
            return; /* had a message of its own */
        }
    }
    mirror->dirty.addresses = true;
}

void
nio_mirror_del_address(nio_mirror *mirror, const nio_address *address)
{
    nio_address *known = find_address(mirror, address);
    if (known != NULL) {
        drop_address(mirror, known);
    }
    /* Routes go with an address. With its last IPv4 address a link loses all
     * its IPv4 routes without a message, and a route may silently lose its
     * preferred source. */
    if (mirror->wants_routes) {
        mirror->dirty.routes[NIO_FAMILY_BIT(address->family)] = true;
    }
    if (address->family == AF_INET6) {
        /* The cause may be that IPv6 was disabled on the link, of which there
         * is no message. */
        nio_mirror_dirty_link(mirror, address->index);
    }
}

void
nio_mirror_drop_addresses_of(nio_mirror *mirror, uint32_t index)
{
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (address->index == index) {
            drop_address(mirror, address);
        }
    }
}

void
nio_mirror_sweep_addresses(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_address *address;
    while (!mirror->allocation_failed &&
           (address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (address->record.generation != mirror->generation) {
            drop_address(mirror, address);
        }
    }
}
