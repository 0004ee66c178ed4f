/* SPDX-License-Identifier: MIT */
/* The socket that asks the kernel and reads its answers: one object, or a dump
 * of a whole table. Waits for the answer, but never longer than 30 s for one
 * part of it. One thread at a time. Errors are negative errno. */
#pragma once

#include "rtnetlink/socket/message.h"

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nio_request_socket {
    int socket;
    uint32_t sequence;
    bool unread;     /* the last answer was not read to its end */
    uint8_t *buffer; /* owned, of NIO_REPLY_SIZE bytes */
    /* Called between the parts of an answer, without a lock; may be NULL. */
    void (*between)(void *context);
    void *context;
} nio_request_socket;

/* The kernel fills at most 32 KiB per datagram of a dump. */
#define NIO_REPLY_SIZE (64u * 1024u)

int nio_request_socket_open(nio_request_socket *requests);
void nio_request_socket_close(nio_request_socket *requests);

/* Takes one message of an answer; a negative result ends the walk. */
typedef int (*nio_reply)(void *context, const struct nlmsghdr *header,
                         nio_bytes body);

typedef struct nio_answer {
    bool interrupted; /* NLM_F_DUMP_INTR: the table changed meanwhile */
    unsigned parts;   /* datagrams of the answer */
} nio_answer;

/* Send `request`, a netlink message of `size` bytes that lacks only its length
 * and its sequence number, and give every message of the answer to `reply`.
 * Returns 0, the kernel's error, or the negative result of `reply`.
 * ret_answer may be NULL. */
int nio_query(nio_request_socket *requests, void *request, size_t size,
              nio_reply reply, void *context, nio_answer *ret_answer);

/* Dump the table of `type` (RTM_GETROUTE and the like) and `family`; the rest
 * of the family header is zero. */
int nio_query_table(nio_request_socket *requests, uint16_t type,
                    uint8_t family, nio_reply reply, void *context,
                    nio_answer *ret_answer);
/* Dump the routes with a leg on one interface, of one table (0: of all).
 * Kernels before 4.20 do not filter: there all routes of the family come. */
int nio_query_routes_of(nio_request_socket *requests, uint8_t family,
                        uint32_t index, uint32_t table, nio_reply reply,
                        void *context, nio_answer *ret_answer);
/* Ask for one link. The kernel answers under the RTNL lock, so the answer also
 * waits for a change in progress: this is the barrier before a dump. */
int nio_query_link(nio_request_socket *requests, uint32_t index,
                   nio_reply reply, void *context);
/* Likewise by a name, which may be an alternative one. */
int nio_query_link_named(nio_request_socket *requests, const char *name,
                         nio_reply reply, void *context);
