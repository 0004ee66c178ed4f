/* SPDX-License-Identifier: MIT */
/* From rtnetlink messages to records. Pure. Each decoder returns 0, -EBADMSG
 * for a malformed message, -ENOMEM, or NIO_NOT_OURS for a well-formed message
 * about an object that is not mirrored (a cloned route, a bridge's view of a
 * link, another address family). Unknown attributes are skipped. */
#pragma once

#include "base/store.h"
#include "rtnetlink/decode/extra_pool.h"
#include "rtnetlink/decode/record.h"
#include "rtnetlink/socket/message.h"

#define NIO_NOT_OURS 1
/* RTM_NEWMULTICAST, which the oldest headers lack. */
#define NIO_RTM_NEWMULTICAST 56

/* What decoders look up and keep: both belong to a mirror. And the clock of
 * lifetimes, in seconds; where it stays 0, a record has the seconds that were
 * left when the kernel told it. */
typedef struct nio_decode_context {
    nio_store *nexthops;
    nio_extra_pool *extras;
    uint32_t now_s;
} nio_decode_context;

/* The legs of one route. The memory is reused from message to message; until
 * then each leg, and the head, has a use of its block. Zeros: no legs. */
typedef struct nio_legs {
    nio_route head;  /* what all legs have in common */
    nio_route *legs; /* owned: `count` live legs, then `dead` dead ones */
    size_t count;    /* legs that can carry traffic */
    size_t dead;     /* legs with RTNH_F_DEAD */
    size_t capacity;
    nio_extra_pool *extras; /* borrowed; NULL: nothing was decoded yet */
} nio_legs;
/* Before the end of the pool. */
void nio_legs_done(nio_legs *legs);

/* RTM_NEWROUTE, RTM_DELROUTE. A route for which the kernel names only a
 * nexthop object gets its legs from `nexthops`. */
int nio_decode_route(nio_bytes body, const nio_decode_context *context,
                     nio_legs *legs);

/* RTM_NEWADDR, RTM_DELADDR. */
int nio_decode_address(nio_bytes body, uint32_t now_s,
                       nio_address *ret_address);

/* RTM_NEWLINK, RTM_DELLINK of family AF_UNSPEC. ret_family is also set when
 * the result is NIO_NOT_OURS. The message lacks some of the neighbour times,
 * and the name of the master: these are 0. The caller ends the result, if that
 * is 0, with nio_link_done. */
int nio_decode_link(nio_bytes body, nio_extra_pool *extras, nio_link *ret_link,
                    uint8_t *ret_family);
void nio_link_done(nio_link *link, nio_extra_pool *extras);

/* RTM_NEWNEIGHTBL: the times of one link in one family. ret_index is 0 for the
 * defaults of the whole table. */
int nio_decode_neighbour_table(nio_bytes body, uint8_t *ret_family,
                               uint32_t *ret_index,
                               nio_link_family *ret_times);

/* RTM_NEWNEXTHOP, RTM_DELNEXTHOP. The caller ends the result with
 * nio_nexthop_done. */
int nio_decode_nexthop(nio_bytes body, const nio_decode_context *context,
                       nio_nexthop *ret_nexthop);
void nio_nexthop_done(nio_nexthop *nexthop, nio_extra_pool *extras);
