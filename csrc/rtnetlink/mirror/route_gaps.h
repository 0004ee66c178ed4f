/* SPDX-License-Identifier: MIT */
/* Places in a routing table, in the order of a dump, and gaps between them:
 * the ranges of a table in which a dump may lack routes (route_dump.h).
 *
 * Pure: no system call, and no lock. */
#pragma once

#include "rtnetlink/decode/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The place of a route in its table, in the order of a dump. */
typedef struct nio_place {
    uint8_t address[16]; /* IPv6: the last address of the prefix */
    uint32_t metric;     /* of IPv4 */
    uint8_t length;      /* of the prefix, inverted: the longer ones first */
    uint8_t tos;         /* of IPv4, inverted: the higher ones first */
    bool before;         /* just before the routes at this place */
} nio_place;

/* A source-specific IPv6 route has no place: the kernel keeps such routes in a
 * tree of their own within the node of their destination. A dump that did not
 * race is what decides about them. */
bool nio_has_source_prefix(const nio_route *route);
nio_place nio_place_of(const nio_route *route);
int nio_place_compare(const nio_place *a, const nio_place *b);

/* From `from` to `to`, both included, in one table. */
typedef struct nio_gap {
    nio_place from, to;
    uint32_t table;
    bool to_end; /* `to` is not set: to the end of the table */
} nio_gap;

/* Sorted by table, then by place; they do not overlap. */
typedef struct nio_gaps {
    nio_gap *gaps; /* owned */
    size_t count;
    bool everything; /* every table is a gap as a whole; `gaps` is not used */
    bool raced;      /* changes raced with the dump */
} nio_gaps;

static inline bool
nio_gap_ends_before(const nio_gap *gap, const nio_place *place)
{
    return !gap->to_end && nio_place_compare(&gap->to, place) < 0;
}

bool nio_gaps_any(const nio_gaps *gaps);
bool nio_gaps_contain(const nio_gaps *gaps, const nio_route *route);
/* Reduce `gaps` to its intersection with `others`. On allocation failure it
 * keeps more than that. */
void nio_gaps_intersect(nio_gaps *gaps, const nio_gaps *others);
void nio_gaps_done(nio_gaps *gaps);
