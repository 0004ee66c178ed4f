/* SPDX-License-Identifier: MIT */
/* What we believe the kernel's tables to be. Every message and every row of a
 * dump becomes the state of one identity; the difference to what was there
 * goes to the fanout. Where a message does not tell what really happened (the
 * kernel removes much in silence) the mirror asks for a reading of the tables
 * by marking them dirty. Not locked: the reader's alone.
 *
 * A reading of the tables (reconcile.c): nio_mirror_begin_dump gives it a
 * mark, nio_mirror_saw_* takes every row of the dump, and nio_mirror_sweep_*
 * removes what none of them was. */
#pragma once

#include "rtnetlink/decode/decode.h"
#include "rtnetlink/mirror/fanout.h"
#include "rtnetlink/socket/table_set.h"
#include "base/store.h"

#define NIO_DIRTY_LINKS 16

/* What must be read again. */
typedef struct nio_dirty {
    bool all_links;
    bool neighbours; /* times of the neighbour tables: for new links */
    bool addresses;
    bool nexthops;
    bool routes[2]; /* IPv4, IPv6 */
    bool raced[2];  /* the same, only since a reading raced with changes */
    size_t link_count;
    uint32_t links[NIO_DIRTY_LINKS]; /* single links, by index */
} nio_dirty;

typedef struct nio_mirror {
    nio_store links, addresses, nexthops, routes;
    nio_fanout fanout;
    nio_dirty dirty;
    uint32_t mark;          /* of the newest reading */
    uint64_t nexthop_users; /* legs of routes that name a nexthop object */
    bool dead_legs[2];  /* IPv4, IPv6: some legs were dead when last seen */
    bool derived_dirty; /* something changed that hints and ports are made from
                         */
    bool
        allocation_failed; /* a record found no room: all must be read again */
    bool wants_routes;     /* else route messages are not asked for */
    /* Messages may be older than the last reading, which has seen what they
     * led to: what they say of one route of several says nothing any more. */
    bool replaying;
    uint8_t replay; /* its number, for records that are ambiguous_in_replay in
                       it; not 0 */
    bool has_duplicates; /* there were routes that share an identity */
    bool has_expiring; /* there were IPv6 addresses or their routes that expire
                        */
} nio_mirror;

#define NIO_FAMILY_BIT(family) ((family) == AF_INET6 ? 1 : 0)

void nio_mirror_init(nio_mirror *mirror);
void nio_mirror_done(nio_mirror *mirror);

bool nio_dirty_any(const nio_dirty *dirty);
/* All that is mirrored. */
void nio_mirror_dirty_all(nio_mirror *mirror);
void nio_mirror_dirty_link(nio_mirror *mirror, uint32_t index);

/* Messages: `flags` is nlmsg_flags. */
void nio_mirror_new_route(nio_mirror *mirror, const nio_legs *legs,
                          unsigned flags);
void nio_mirror_del_route(nio_mirror *mirror, const nio_legs *legs);
void nio_mirror_new_address(nio_mirror *mirror, const nio_address *address);
void nio_mirror_del_address(nio_mirror *mirror, const nio_address *address);
void nio_mirror_new_link(nio_mirror *mirror, const nio_link *link);
void nio_mirror_del_link(nio_mirror *mirror, uint32_t index);
/* Takes the members of the nexthop over. */
void nio_mirror_new_nexthop(nio_mirror *mirror, nio_nexthop *nexthop);
void nio_mirror_del_nexthop(nio_mirror *mirror, uint32_t id);

/* Nobody wants routes any more: what is known of them is dropped, unsaid. */
void nio_mirror_forget_routes(nio_mirror *mirror);
/* Likewise of other tables than these. */
void nio_mirror_keep_tables(nio_mirror *mirror, const nio_table_set *tables);

/* A reading of the tables. */
void nio_mirror_begin_dump(nio_mirror *mirror);
void nio_mirror_dumped_link(nio_mirror *mirror, const nio_link *link);
void nio_mirror_dumped_route(nio_mirror *mirror, const nio_legs *legs);
void nio_mirror_dumped_address(nio_mirror *mirror, const nio_address *address);
void nio_mirror_dumped_nexthop(nio_mirror *mirror, nio_nexthop *nexthop);
void nio_mirror_dumped_times(nio_mirror *mirror, uint8_t family,
                             uint32_t index, const nio_link_family *times);
/* Remove what was last seen before the reading with this mark. When memory is
 * short, what was there may not have been marked: then nothing is removed. */
void nio_mirror_sweep_routes(nio_mirror *mirror, uint8_t family,
                             uint32_t since);
void nio_mirror_sweep_addresses(nio_mirror *mirror);
void nio_mirror_sweep_nexthops(nio_mirror *mirror);
void nio_mirror_sweep_links(nio_mirror *mirror);

/* All rows, as changes of type ADD with the flag SNAPSHOT. */
void nio_mirror_snapshot(nio_mirror *mirror, nio_subscriber *to);

/* False: memory is short, so nothing may change now; all is read again. */
bool nio_mirror_reserve(nio_mirror *mirror);

void nio_mirror_init_routes(nio_mirror *mirror); /* by nio_mirror_init */

nio_link *nio_mirror_link(const nio_mirror *mirror, uint32_t index);

#ifndef NDEBUG
/* For assertions: every record is found by its key, and counted right. */
bool nio_mirror_is_sound(const nio_mirror *mirror);
#endif
