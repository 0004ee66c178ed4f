/* SPDX-License-Identifier: MIT */
/* The mirror: our copy of the kernel's links, addresses, nexthop objects and
 * routes. Every message and every row of a dump gives the new state of one
 * object; the difference to the old state goes to the fanout. Where a message
 * does not say what happened (the kernel removes much without a message) the
 * mirror marks tables as dirty, and reconcile.c dumps them. Not locked: the
 * reader's alone.
 *
 * A dump is compared by mark and sweep: nio_mirror_begin_dump begins a new
 * generation, nio_mirror_dumped_* gives its number to every row's record, and
 * nio_mirror_sweep_* removes the records of earlier ones. */
#pragma once

#include "base/store.h"
#include "rtnetlink/decode/decode.h"
#include "rtnetlink/mirror/fanout.h"
#include "rtnetlink/mirror/route_gaps.h"
#include "rtnetlink/socket/table_set.h"

#define NIO_DIRTY_LINKS 16

/* What must be read again. */
typedef struct nio_dirty {
    bool all_links;
    bool neighbours; /* the times of the neighbour tables: for new links */
    bool addresses;
    bool nexthops;
    bool routes[2]; /* IPv4, IPv6 */
    bool raced[2];  /* likewise, only because a dump raced with changes */
    size_t link_count;
    uint32_t links[NIO_DIRTY_LINKS]; /* single links, by index */
} nio_dirty;

typedef struct nio_mirror {
    nio_store links, addresses, nexthops, routes;
    nio_extra_pool extras;
    nio_decode_context decode; /* of the two above that decoders use */
    nio_fanout fanout;
    nio_dirty dirty;
    uint32_t generation;    /* of the newest dump; not 0 */
    uint32_t unseen_routes; /* at most so many records are of earlier dumps */
    uint64_t nexthop_users; /* route records that name a nexthop object */
    bool dead_legs[2];      /* IPv4, IPv6: a route was seen with dead legs */
    bool derived_dirty;     /* what hints and ports are made from changed */
    uint64_t address_changes; /* of all addresses, since the start */
    bool allocation_failed;   /* a record is missing: all must be read again */
    bool wants_routes;        /* else no route messages are received */
    /* Messages that are being applied may be older than the last dump, which
     * has seen their effect: where routes share an identity, such a message no
     * longer says which of them it meant. */
    bool replaying;
    uint8_t replay;         /* number of the replay; not 0 */
    bool has_duplicates;    /* routes that share an identity were seen */
    bool has_many_legs;     /* a route of 255 legs or more was seen */
    uint32_t unreadable[2]; /* IPv4, IPv6: routes that the last dump may have
                               lacked because it was cut (cut_dump.h) */
    bool has_held; /* routes are held, doubtful, or counted anew by a dump */
    bool has_gone_links;     /* links are kept for their names */
    bool has_unnamed_master; /* of a link whose master is unknown */
    bool has_expiring;       /* IPv6 addresses or their routes that expire were
                                seen */
} nio_mirror;

#define NIO_FAMILY_BIT(family) ((family) == AF_INET6 ? 1 : 0)

void nio_mirror_init(nio_mirror *mirror);
void nio_mirror_done(nio_mirror *mirror);
/* What is decoded and reported from now on has this time: the time of changes,
 * and the clock of lifetimes. Without it lifetimes do not count down. */
void nio_mirror_set_time(nio_mirror *mirror);

bool nio_dirty_any(const nio_dirty *dirty);
/* Mark everything that is mirrored. */
void nio_mirror_dirty_all(nio_mirror *mirror);
void nio_mirror_dirty_link(nio_mirror *mirror, uint32_t index);
/* Mark what depends on links: the kernel may change it without a message. */
void nio_mirror_dirty_dependents(nio_mirror *mirror);

/* Must succeed before a record is changed: see nio_fanout_reserve. False:
 * allocation failure; everything is read again later. */
bool nio_mirror_reserve(nio_mirror *mirror);

/* Messages. `flags` is nlmsg_flags. */
void nio_mirror_new_route(nio_mirror *mirror, const nio_legs *legs,
                          unsigned flags);
void nio_mirror_del_route(nio_mirror *mirror, const nio_legs *legs);
void nio_mirror_new_address(nio_mirror *mirror, const nio_address *address);
void nio_mirror_joined_group(nio_mirror *mirror, uint32_t index,
                             const uint8_t group[16]);
void nio_mirror_del_address(nio_mirror *mirror, const nio_address *address);
void nio_mirror_new_link(nio_mirror *mirror, const nio_link *link);
void nio_mirror_del_link(nio_mirror *mirror, const nio_link *link);
/* Takes nexthop->members over. */
void nio_mirror_new_nexthop(nio_mirror *mirror, nio_nexthop *nexthop);
void nio_mirror_del_nexthop(nio_mirror *mirror, uint32_t id);

/* Dumps. */
void nio_mirror_begin_dump(nio_mirror *mirror);
void nio_mirror_dumped_link(nio_mirror *mirror, const nio_link *link);
/* A dump of one link found none with this index. */
void nio_mirror_dumped_no_link(nio_mirror *mirror, uint32_t index);
void nio_mirror_dumped_neighbour_table(nio_mirror *mirror, uint8_t family,
                                       uint32_t index,
                                       const nio_link_family *times);
void nio_mirror_dumped_address(nio_mirror *mirror, const nio_address *address);
/* Takes nexthop->members over. */
void nio_mirror_dumped_nexthop(nio_mirror *mirror, nio_nexthop *nexthop);
void nio_mirror_dumped_route(nio_mirror *mirror, const nio_legs *legs);
/* Remove what the last dump did not show. After an allocation failure nothing
 * is removed: a row of the dump may have kept its old generation. */
void nio_mirror_sweep_links(nio_mirror *mirror);
void nio_mirror_sweep_addresses(nio_mirror *mirror);
void nio_mirror_sweep_nexthops(nio_mirror *mirror);
/* Likewise, but what lies in the open gaps of the dump stays. True: so does a
 * source-specific route, since changes raced with the dump. */
bool nio_mirror_sweep_routes(nio_mirror *mirror, uint8_t family,
                             const nio_gaps *open_gaps);
/* Marks the families with held records, after the messages that were received
 * during the dump: each record is reported in the end. */
void nio_mirror_dirty_held(nio_mirror *mirror);
/* The message of this route is still to be applied: what the dump has shown of
 * it is not reported as if there were none. */
void nio_mirror_announced_route(nio_mirror *mirror, const nio_legs *legs);
/* The message of this deletion is still to be applied, which removes the
 * route: the sweep leaves it. */
void nio_mirror_announced_deletion(nio_mirror *mirror, const nio_legs *legs);

/* Drop, without reporting it, what no subscriber wants any more: all routes
 * and nexthop objects, or the routes of all tables but these. */
void nio_mirror_forget_routes(nio_mirror *mirror);
void nio_mirror_keep_tables(nio_mirror *mirror, const nio_table_set *tables);

/* Put all rows into a queue, as ADD changes with the flag SNAPSHOT. False:
 * allocation failure. */
bool nio_mirror_snapshot(nio_mirror *mirror, nio_subscriber *to);
/* Put all rows of one link that the subscriber's filter accepts, as ADD or
 * DELETE changes. False: allocation failure. */
bool nio_mirror_put_rows_of(nio_mirror *mirror, nio_subscriber *to,
                            uint32_t index, uint8_t type);

/* NULL: there is no such link. */
nio_link *nio_mirror_link(const nio_mirror *mirror, uint32_t index);
/* May a row of a dump that names this link be taken? A link that was made
 * after the links were read has no name yet: it is read, and so is what
 * depends on links, before its rows are reported. */
bool nio_mirror_knows_link(nio_mirror *mirror, uint32_t index);
/* Nothing is dirty, so no row of a link that is gone is left: forget these
 * links, which were kept for their names. */
void nio_mirror_forget_gone_links(nio_mirror *mirror);
/* Remove and report the rows of one link. */
void nio_mirror_drop_addresses_of(nio_mirror *mirror, uint32_t index);
void nio_mirror_drop_routes_of(nio_mirror *mirror, uint32_t index);

#ifndef NDEBUG
/* For assertions: every record is found by its key, and the counts are right.
 */
bool nio_mirror_is_sound(const nio_mirror *mirror);
#endif
