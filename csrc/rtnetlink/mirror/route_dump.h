/* SPDX-License-Identifier: MIT */
/* What a dump of routes proves where changes raced with it.
 *
 * The kernel gives a dump in parts (datagrams). It fills each part under the
 * table's lock and in the order of its tree, so a route that lies strictly
 * between the first and the last route of one part, and is not in that part,
 * does not exist. Between two parts the table may change, and then the walk
 * may skip routes that did not change:
 *
 *   IPv6  An addition makes the walk start at the root again and skip as many
 *         rows as it gave before. Rows that it gave and that were deleted
 *         since are counted too, so it skips that many rows too many. It takes
 *         an addition between the two parts, and an earlier deletion at a
 *         place that the walk has passed.
 *   IPv4  The walk goes on at the address where it stopped, and within one
 *         address by number. It takes a deletion between the two parts at the
 *         address of the last row; or of a route of another table between the
 *         two, since tables may share their addresses.
 *
 * So a gap between two parts is open when such messages came, and closed
 * otherwise. The routes in an open gap are undecided: a later dump closes it,
 * whose parts begin and end elsewhere. This was measured on Linux 6.18, and
 * tests/linux/test_raced_dumps.py measures it on the running kernel; a dump
 * that is not in the expected order is one open gap.
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
    unsigned part; /* the message was received behind this part */
} nio_dump_deletion;

/* One dump of one family while it is read. */
typedef struct nio_route_dump {
    uint8_t family;
    bool disordered;    /* or an allocation failed: nothing is proven */
    nio_dump_run *runs; /* owned */
    nio_dump_deletion *deletions; /* owned */
    uint32_t *additions;          /* owned: messages behind each part */
    size_t run_count, run_capacity;
    size_t deletion_count, deletion_capacity;
    size_t addition_count, addition_capacity;
    unsigned part; /* that is received now */
    size_t part_bytes, last_bytes, max_part_bytes, max_row_bytes;
} nio_route_dump;

void nio_route_dump_begin(nio_route_dump *dump, uint8_t family);
/* The next message of the dump, of so many bytes; and the route in it. */
void nio_route_dump_bytes(nio_route_dump *dump, size_t size);
void nio_route_dump_row(nio_route_dump *dump, const nio_route *route);
/* A message that was received behind the present part. A replacement both adds
 * and deletes. `route` is NULL for a route that cannot be decoded. */
void nio_route_dump_message(nio_route_dump *dump, bool adds, bool deletes,
                            const nio_route *route);
/* All messages that were sent before this part was received are given. */
void nio_route_dump_end_part(nio_route_dump *dump);
/* The dump is over. Returns its open gaps, owned by the caller, and frees what
 * the dump holds. */
nio_gaps nio_route_dump_end(nio_route_dump *dump);
