/* SPDX-License-Identifier: MIT */
/* What a dump of routes proves where changes raced with it.
 *
 * The kernel gives a dump in parts (datagrams). It fills each part in the
 * order of its tree, IPv6 under the table's lock and IPv4 under RCU. So a
 * route that lies strictly between the first and the last route of one part,
 * and is not in that part, does not exist. Between two parts the table may
 * change, and then the walk may skip routes that did not change:
 *
 *   IPv6  If the serial number of the tree has changed, as it does with each
 *         addition and with much that sends no route message (an address is
 *         deleted, a carrier or an xfrm policy changes, a path MTU is stored),
 *         the walk starts at the root again and skips as many prefixes as it
 *         gave before. Prefixes that it gave and that were deleted since are
 *         counted too, so it skips that many too many. A gap counts as open
 *         after any deletion at a place that the walk has passed. The prefix
 *         behind the gap is given from its beginning.
 *   IPv4  The walk goes on at the address where it stopped, and there at the
 *         number of the route within the address. A gap counts as open after
 *         a deletion between the two parts at the address of the last row, or
 *         of a route of another table at an address in the gap: the tables
 *         local and main share a tree, and thus the numbers, until the first
 *         policy rule is added.
 *
 * Deletions without a message (a link went down, an address or a nexthop
 * object was deleted) come with a message of that object, after which a dump
 * proves nothing. Not covered: by default the socket filter drops the messages
 * of the table local, so a deletion there at the address of a route of main,
 * while both share a tree, is not noted.
 *
 * Any other gap is closed. Where messages are missing every gap counts as
 * open: what a part shows and lacks does not depend on them. The routes in an
 * open gap are undecided until a later dump whose parts begin and end
 * elsewhere shows or lacks them. A dump that is not in the expected order
 * counts as one open gap. This was measured on Linux 6.18, and
 * tests/linux/test_raced_dumps.py measures on the running kernel that a dump
 * lacks rows only between its parts.
 *
 * Pure: no system call, and no lock. */
#pragma once

#include "rtnetlink/mirror/route_gaps.h"

/* The routes of one table in one part of a dump. */
typedef struct nio_dump_run {
    nio_place first, last;
    uint32_t table;
    unsigned part;
} nio_dump_run;

/* A route that was deleted while the dump was read. */
typedef struct nio_dump_deletion {
    nio_place place;
    uint32_t table;
    unsigned part; /* the message was received after this part */
} nio_dump_deletion;

/* One dump of one family while it is read. */
typedef struct nio_route_dump {
    uint8_t family;
    /* It proves nothing: its rows are in another order, messages cannot be
     * decoded, or an allocation failed. */
    bool inconclusive;
    bool is_deaf; /* messages are missing or late: each gap counts as open */
    nio_dump_run *runs;           /* owned */
    nio_dump_deletion *deletions; /* owned */
    size_t run_count, run_capacity;
    size_t deletion_count, deletion_capacity;
    bool raced;    /* a message was received */
    unsigned part; /* that is received now */
    size_t part_bytes, last_bytes, max_part_bytes, max_row_bytes;
} nio_route_dump;

void nio_route_dump_begin(nio_route_dump *dump, uint8_t family);
/* The size of the next message of the dump; then the route in it. */
void nio_route_dump_bytes(nio_route_dump *dump, size_t size);
void nio_route_dump_row(nio_route_dump *dump, const nio_route *route);
/* A notification of a route that was received after the present part.
 * `deletes`: a deletion, or a replacement. `route` is NULL if it cannot be
 * decoded. */
void nio_route_dump_message(nio_route_dump *dump, bool deletes,
                            const nio_route *route);
/* Some notifications may not have been given, or will be given too late. */
void nio_route_dump_deafen(nio_route_dump *dump);
/* A notification after which routes may have been deleted silently. */
void nio_route_dump_silence(nio_route_dump *dump);
/* Ends the present part, after all notifications that were sent before it was
 * received have been given. */
void nio_route_dump_end_part(nio_route_dump *dump);
/* The dump is over. Returns its open gaps, owned by the caller, and frees what
 * the dump holds. */
nio_gaps nio_route_dump_end(nio_route_dump *dump);
