/* SPDX-License-Identifier: MIT */
/* Dumps of the kernel's tables into a mirror: by the reader (reconcile.c), and
 * by the threads that call Get* (api/one_shot.c), each with a socket and a
 * mirror of its own. Errors are negative errno. */
#pragma once

#include "rtnetlink/mirror/mirror.h"
#include "rtnetlink/socket/request_socket.h"

typedef struct nio_dumper {
    nio_request_socket *requests; /* borrowed */
    nio_mirror *mirror;           /* borrowed */
    const bool *stop;      /* ends a dump with -ECANCELED; NULL: never */
    unsigned max_attempts; /* at a dump with which no change raced */
    bool accept_raced;     /* the last attempt counts, even if it raced */
    uint64_t rows;         /* of all dumps, for NETIOAPI_DEBUG */
} nio_dumper;

/* One dump, repeated while the kernel reports that a change raced with it
 * (NLM_F_DUMP_INTR). Each attempt is a new generation. -EAGAIN: all of them
 * raced. ret_answer is that of the last attempt. */
int nio_dump_table(nio_dumper *dumper, uint16_t type, uint8_t family,
                   nio_reply reply, void *context, nio_answer *ret_answer);

/* A whole table each. What the dump does not contain is removed from the
 * mirror. */
int nio_dump_links(nio_dumper *dumper);
int nio_dump_addresses(nio_dumper *dumper);
/* Nothing happens on kernels before 5.3, which have no nexthop objects. */
int nio_dump_nexthops(nio_dumper *dumper);
/* The times of the neighbour tables, which messages of links do not contain.
 */
int nio_dump_neighbour_times(nio_dumper *dumper);

/* One link. If it does not exist it is removed from the mirror. */
int nio_dump_link(nio_dumper *dumper, uint32_t index);
