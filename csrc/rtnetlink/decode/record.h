/* SPDX-License-Identifier: MIT */
/* What the mirror stores of the kernel's objects: one struct for each kind, in
 * the kernel's terms, decoded once and small (a route is 88 bytes). Rows of
 * the contract are made from them when a subscriber wants one: rows.h. */
#pragma once

#include "base/extra.h"
#include "base/store.h"

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

#define NIO_INFINITE UINT32_MAX /* a lifetime without an end */
/* A lifetime counts down, so a record has the time of its end, in seconds of
 * the clock `now_s` of its decoder (decode.h). */
static inline uint32_t
nio_end_of(uint32_t now_s, uint32_t seconds)
{
    return seconds == NIO_INFINITE           ? NIO_INFINITE
           : seconds >= NIO_INFINITE - now_s ? NIO_INFINITE - 1
                                             : now_s + seconds;
}

static inline uint32_t
nio_left_until(uint32_t end_s, uint32_t now_s)
{
    return end_s == NIO_INFINITE ? NIO_INFINITE
           : end_s > now_s       ? end_s - now_s
                                 : 0;
}

/* Was a lifetime set anew? Both ends are rounded to a second. */
static inline bool
nio_end_moved(uint32_t before_s, uint32_t after_s)
{
    return before_s > after_s ? before_s - after_s > 1
                              : after_s - before_s > 1;
}

/* lo is the first interface of every namespace. */
#define NIO_LOOPBACK_INDEX 1u

/* One leg of a route: a route of several legs is several records. */
typedef struct nio_route {
    nio_record record;
    uint8_t destination[16];
    uint8_t gateway[16];
    /* Source prefix, encapsulation, preferred source, MTU, the digest of what
     * has no field: one use of a block of the pool (extra_pool.h). */
    const nio_extra *extra;
    uint32_t table;
    uint32_t priority;
    uint32_t oif;
    uint32_t nexthop_id;
    uint8_t family;
    uint8_t prefix_length;
    uint8_t tos;
    uint8_t type;           /* RTN_* */
    uint8_t protocol;       /* RTPROT_* */
    uint8_t flags;          /* RTNH_F_* */
    uint8_t gateway_family; /* AF_UNSPEC: no gateway */
    uint8_t legs;           /* live legs of the kernel's route, at most 255 */
    uint16_t weight;        /* 1 and up */
    uint16_t instances;     /* kernel routes that share this identity */
    uint16_t seen;          /* instances in the newest dump */
    uint8_t scope;          /* RT_SCOPE_* */
    uint8_t preference;     /* ICMPV6_ROUTER_PREF_* */
    uint32_t expires_s;     /* the end of its lifetime; NIO_INFINITE */
    uint8_t ambiguous_in_replay; /* the replay (mirror.h) in which a message
                                    may mean a route that is already gone */
    bool is_held;      /* not reported yet: a dump decides about its group */
    bool is_doubtful;  /* messages since the last dump may mean this record or
                          another route of its identity: a dump decides */
    bool is_announced; /* the message of its deletion waits in the backlog */
} nio_route;
_Static_assert(sizeof(nio_route) <= 88, "a route is small: a table has many");

typedef struct nio_address {
    nio_record record;
    uint8_t local[16];
    uint8_t peer[16]; /* 0: none */
    uint32_t index;
    uint32_t flags; /* IFA_F_* */
    uint8_t family;
    uint8_t prefix_length;
    uint8_t protocol; /* IFA_PROTO; 0: not given */
    uint8_t scope;    /* RT_SCOPE_* */
    uint32_t valid_s; /* the ends of its lifetimes; NIO_INFINITE */
    uint32_t preferred_s;
    uint32_t created; /* 1/100 s since boot */
    uint32_t metric;  /* IFA_RT_PRIORITY: of its prefix route; 0: default */
    uint8_t broadcast[16]; /* 0: none */
    char label[16];        /* IPv4 only */
} nio_address;

/* The part of a link in one address family. */
typedef struct nio_link_family {
    bool present;
    bool forwarding;
    uint32_t base_reachable; /* ms */
    uint32_t retransmit;     /* ms */
    uint32_t reachable;      /* ms, randomised by the kernel */
} nio_link_family;

typedef struct nio_link {
    nio_record record;
    uint32_t index;
    uint32_t flags; /* IFF_* */
    uint32_t mtu;
    uint32_t master;
    uint32_t mtu6;
    uint32_t inet6_flags; /* IF_RA_* */
    uint32_t max_reassembly6;
    uint32_t dad_transmits;
    uint32_t accept_ra;
    uint16_t type; /* ARPHRD_* */
    uint8_t oper_state;
    uint8_t address_generation; /* IN6_ADDR_GEN_MODE_* */
    bool is_gone;            /* deleted: only its name and type still count */
    uint8_t named_in_replay; /* the replay (mirror.h) in which a message may be
                                older than the dump that has shown the name */
    nio_link_family inet, inet6;
    char name[16];
    char master_name[16]; /* the mirror's: the name of `master` */
    /* Kind, hardware address, alternative names: a use, as of a route. */
    const nio_extra *extra;
} nio_link;

typedef struct nio_nexthop_member {
    uint32_t id;
    uint16_t weight;
} nio_nexthop_member;

typedef struct nio_nexthop {
    nio_record record;
    uint32_t id;
    uint32_t oif;
    const nio_extra *extra; /* its encapsulation: a use, as of a route */
    uint8_t gateway[16];
    uint8_t gateway_family;
    uint8_t flags; /* RTNH_F_* */
    bool blackhole;
    uint16_t member_count;       /* 0: not a group */
    nio_nexthop_member *members; /* owned */
} nio_nexthop;
