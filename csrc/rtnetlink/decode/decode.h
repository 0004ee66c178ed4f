/* SPDX-License-Identifier: MIT */
/* rtnetlink messages to records. Pure: no I/O and no state but what is
 * given. All return 0, or -EBADMSG for a message that breaks the grammar, or
 * -ENOMEM, or NIO_NOT_OURS for a sound message that is no object of ours (a
 * cloned route, a bridge's view of a link, another address family). Unknown
 * attributes are stepped over, never refused. */
#pragma once

#include "rtnetlink/socket/message.h"
#include "rtnetlink/decode/record.h"
#include "base/store.h"

#define NIO_NOT_OURS 1

/* The legs of a route, in memory that is kept from message to message. */
typedef struct nio_legs {
    nio_route head;  /* what all legs have in common */
    nio_route *legs; /* owned; the live ones first */
    size_t count;    /* legs that can carry traffic */
    size_t dead;     /* legs behind them that have RTNH_F_DEAD */
    size_t capacity;
} nio_legs;
void nio_legs_done(nio_legs *legs);

/* RTM_NEWROUTE, RTM_DELROUTE. A route that names only a nexthop object gets
 * its legs from `nexthops`. */
int nio_decode_route(nio_bytes body, const nio_store *nexthops,
                     nio_legs *legs);

/* RTM_NEWADDR, RTM_DELADDR. */
int nio_decode_address(nio_bytes body, nio_address *ret_address);

/* RTM_NEWLINK, RTM_DELLINK of family AF_UNSPEC; ret_family gets the family
 * also where the answer is NIO_NOT_OURS. Neighbour times are left alone. */
int nio_decode_link(nio_bytes body, nio_link *ret_link, uint8_t *ret_family);

/* RTM_NEWNEIGHTBL: the times of one link in one family; ret_index 0 for the
 * table's own. */
int nio_decode_neighbour_table(nio_bytes body, uint8_t *ret_family,
                               uint32_t *ret_index,
                               nio_link_family *ret_times);

/* RTM_NEWNEXTHOP, RTM_DELNEXTHOP. ret_nexthop->members is owned by the
 * caller. */
int nio_decode_nexthop(nio_bytes body, nio_nexthop *ret_nexthop);
