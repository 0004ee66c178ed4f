/* SPDX-License-Identifier: MIT */
/* The rows that a subscriber wants. A filter is evaluated before the queue, on
 * the system's thread, so that unwanted rows cost nothing further. Immutable
 * once made, but for `bearers`, which the tower's thread changes: it alone
 * evaluates the filter. A member that is NULL or AF_UNSPEC accepts everything.
 */
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

/* How the prefix of a row must relate to one of the filter's prefixes. */
typedef enum nio_prefix_match {
    NIO_COVERED, /* equal to it or more specific */
    NIO_EXACT,   /* equal to it */
    NIO_COVERING /* equal to it or less specific */
} nio_prefix_match;

typedef struct nio_filter {
    ADDRESS_FAMILY family; /* AF_UNSPEC: both */
    bool has_tables;       /* false: every table but RT_TABLE_LOCAL */
    const ULONG *tables;
    size_t table_count;
    const NET_IFINDEX *interfaces; /* NULL and no names: all */
    size_t interface_count;
    /* Beside these, the interfaces that have one of these names now: the texts
     * one behind the other, each with its NUL, name_size characters. */
    const WCHAR *names;
    size_t name_count, name_size;
    /* Of each name the interface that has it, as the tower has found; 0: none.
     * Only a copy has this array. */
    NET_IFINDEX *bearers;
    const ULONG *protocols; /* NULL: all; NL_ROUTE_PROTOCOL, routes only */
    size_t protocol_count;
    const nio_prefix *prefixes; /* NULL: all; for a route's destination, or an
                                 * address */
    size_t prefix_count;
    nio_prefix_match prefix_match;
} nio_filter;

/* True when the subscriber wants this row. `filter` NULL: everything but the
 * routes of the local table (nio_row_table). An array without items
 * accepts nothing. Prefixes are compared by address and length: a default
 * route is covered by 0.0.0.0/0 or ::/0 only, and covers every prefix of its
 * family; an address is a prefix of full length. Interface rows are tested for
 * family and interface only. Rows of other kinds than the three pass. */
bool nio_filter_accepts(const nio_filter *filter, nio_kind kind,
                        const void *row);

/* Does the filter accept rows of this interface? */
bool nio_filter_accepts_interface(const nio_filter *filter, NET_IFINDEX index);
/* The name after this one; the first one after NULL; NULL: there is none. */
const WCHAR *nio_filter_next_name(const nio_filter *filter, const WCHAR *name);

/* A deep copy in one block, for free(). NULL is copied to a filter that
 * accepts the same. NULL on allocation failure. */
nio_filter *nio_filter_copy(const nio_filter *filter);
