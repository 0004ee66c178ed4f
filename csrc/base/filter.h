/* SPDX-License-Identifier: MIT */
/* Which rows a subscriber wants: evaluated before the queue, on the system's
 * thread, so that what nobody wants costs nothing. Pure; immutable once made,
 * so that any number of threads may read it. What a filter leaves NULL or
 * AF_UNSPEC lets everything pass. */
#pragma once

#include "contract/netio.h"
#include "contract/tower.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct nio_prefix {
    ADDRESS_FAMILY family; /* AF_INET or AF_INET6 */
    uint8_t length;
    uint8_t address[16]; /* network order; host bits are zero */
} nio_prefix;

/* How the prefix of a row must lie to one of the filter's. */
typedef enum nio_prefix_match {
    NIO_COVERED, /* equal to it or more specific: inside it */
    NIO_EXACT,   /* equal to it */
    NIO_COVERING /* equal to it or less specific: contains it */
} nio_prefix_match;

typedef struct nio_filter {
    ADDRESS_FAMILY family; /* AF_UNSPEC: both */
    bool has_tables;       /* else every table but RT_TABLE_LOCAL */
    const ULONG *tables;
    size_t table_count;
    const NET_IFINDEX *interfaces; /* NULL: all */
    size_t interface_count;
    const ULONG *protocols; /* NULL: all; NL_ROUTE_PROTOCOL, routes only */
    size_t protocol_count;
    const nio_prefix *prefixes; /* NULL: all; a route's destination, or an
                                 * address, lies so to one of them */
    size_t prefix_count;
    nio_prefix_match prefix_match;
} nio_filter;

/* True when the subscriber wants this row. `filter` NULL: everything but the
 * routes of the local table (nio_row_table). An array that is given but has no
 * items lets nothing pass.
 * Prefixes are compared by address and length, so that a default route is
 * inside of 0.0.0.0/0 or ::/0 only, and contains every prefix of its family;
 * an address counts as a prefix of full length. Of interface rows only family
 * and interface are asked, and other kinds than the three pass. */
bool nio_filter_accepts(const nio_filter *filter, nio_kind kind,
                        const void *row);

/* A deep copy in one block, freed with free(); of NULL the filter that it
 * means. NULL when memory is short. */
nio_filter *nio_filter_copy(const nio_filter *filter);
