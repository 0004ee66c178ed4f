/* SPDX-License-Identifier: MIT */
/* The attributes of a route that are rare, or that have no field: collected
 * while a message is decoded, then one block of the pool. Pure but for the
 * pool. */
#pragma once

#include "rtnetlink/decode/attribute.h"
#include "rtnetlink/decode/extra_pool.h"

#include <string.h>

typedef struct nio_route_details {
    uint8_t source[16]; /* RTA_SRC */
    uint8_t source_length;
    bool has_preferred_source;
    uint8_t preferred_source[16];
    uint16_t encapsulation_type;
    nio_bytes encapsulation;        /* borrowed from the message */
    const nio_extra *encapsulating; /* or that of a nexthop object */
    uint32_t mtu;                   /* 0: none */
    uint64_t digest;                /* of all other attributes; 0: none */
} nio_route_details;

/* No details. The other members are read only where these say so: this is done
 * for each route. (Except `source`: a message may give its length alone.) */
static inline void
nio_route_details_clear(nio_route_details *details)
{
    memset(details->source, 0, sizeof(details->source));
    details->source_length = 0;
    details->has_preferred_source = false;
    details->encapsulation_type = 0;
    details->encapsulation.left = 0;
    details->encapsulating = NULL;
    details->mtu = 0;
    details->digest = 0;
}

static inline bool
nio_route_details_any(const nio_route_details *details)
{
    return details->source_length != 0 || details->has_preferred_source ||
           details->encapsulation_type != 0 ||
           details->encapsulating != NULL || details->mtu != 0 ||
           details->digest != 0;
}

/* Takes what an attribute of the route, or of one of its legs, says. False:
 * malformed. An attribute with a member of its own in nio_route is ignored. */
bool nio_route_details_read(nio_route_details *details,
                            const nio_attribute *attribute);
/* The block of details, as one use. False: allocation failure. */
bool nio_route_details_block(const nio_route_details *details,
                             nio_extra_pool *extras,
                             const nio_extra **ret_extra);
/* Likewise; NULL where there are no details, as for nearly all routes of a
 * full table. */
static inline bool
nio_route_details_get(const nio_route_details *details, nio_extra_pool *extras,
                      const nio_extra **ret_extra)
{
    *ret_extra = NULL;
    return !nio_route_details_any(details) ||
           nio_route_details_block(details, extras, ret_extra);
}
