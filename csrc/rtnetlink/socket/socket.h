/* SPDX-License-Identifier: MIT */
/* The two sockets of an engine, and every system call on them. A feed hears
 * the kernel's changes; a request socket asks and reads whole tables. Errors
 * are negative errno. */
#pragma once

#include "rtnetlink/decode/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Put a fresh socket (taken, also on failure) in the place of another one,
 * under the same number: a child that a fork makes meanwhile closes it by it.
 * A number that is not our socket any more, since the program closed what it
 * did not open, is left alone. */
int nio_socket_replace(int *fd, int fresh);

/* ---- the feed */

/* Datagrams of one receive; the buffers are kept. */
typedef struct nio_event_socket {
    int socket;              /* -1: closed */
    struct nio_slots *slots; /* owned */
    bool filtered;           /* socket_filter.c: some messages do not come */
} nio_event_socket;

/* One datagram; borrowed until the next receive. */
typedef struct nio_datagram {
    nio_bytes bytes;
    bool foreign;   /* not sent by the kernel */
    bool truncated; /* longer than the buffer */
} nio_datagram;

int nio_event_socket_open(nio_event_socket *feed);
void nio_event_socket_close(nio_event_socket *feed);
/* A new socket, in no group and without a filter, in the place of the old
 * one. When it fails the old one stays. */
int nio_event_socket_renew(nio_event_socket *feed);
/* Join a group (RTNLGRP_*), or leave it. */
int nio_event_socket_join(nio_event_socket *feed, int group);
void nio_event_socket_leave(nio_event_socket *feed, int group);
/* Ask for a receive buffer of so many bytes; returns what was granted, in the
 * kernel's own measure, which is twice the bytes asked for. */
uint64_t nio_event_socket_buffer(nio_event_socket *feed, int bytes);
/* Receive what is there, without waiting. Returns the number of datagrams, 0
 * when there is none, -ENOBUFS when the kernel dropped some. */
int nio_event_socket_receive(nio_event_socket *feed);
nio_datagram nio_event_socket_datagram(const nio_event_socket *feed,
                                       int number);

/* ---- requests */

typedef struct nio_request_socket {
    int socket;
    uint32_t sequence;
    bool unread;     /* an answer was not read to its end */
    uint8_t *buffer; /* owned, of NIO_REPLY_SIZE bytes */
    /* Called between the parts of a long answer, without a lock. NULL: no. */
    void (*between)(void *context);
    void *context;
} nio_request_socket;

/* The kernel hands out at most 32 KiB. */
#define NIO_REPLY_SIZE (64u * 1024u)

int nio_request_socket_open(nio_request_socket *requester);
void nio_request_socket_close(nio_request_socket *requester);

/* Takes one message of an answer; a negative result ends the walk. */
typedef int (*nio_reply)(void *context, const struct nlmsghdr *header,
                         nio_bytes body);

/* How an answer came. */
typedef struct nio_answer {
    bool interrupted; /* NLM_F_DUMP_INTR: the table changed meanwhile */
    unsigned parts;   /* datagrams it took */
} nio_answer;

/* Send `size` bytes of `request`, a netlink message whose header is filled in
 * but for length and sequence, and give every message of the answer to
 * `reply`. Returns 0, the kernel's error, or reply's. */
int nio_query(nio_request_socket *requester, void *request, size_t size,
              nio_reply reply, void *context, nio_answer *ret_answer);

/* A dump of a whole table, with a family header of zeros but the family.
 * `type` is RTM_GETROUTE and its like. */
int nio_dump(nio_request_socket *requester, uint16_t type, uint8_t family,
             nio_reply reply, void *context, nio_answer *ret_answer);
/* The routes of one interface only, where the kernel can tell them apart
 * (since 4.20; before that, all). */
int nio_dump_routes_of(nio_request_socket *requester, uint8_t family,
                       uint32_t index, nio_reply reply, void *context,
                       nio_answer *ret_answer);
/* One link, by index; the answer also waits for changes that the kernel is in
 * the middle of (it takes the RTNL lock): the barrier of a reading. */
int nio_ask_link(nio_request_socket *requester, uint32_t index,
                 nio_reply reply, void *context);
