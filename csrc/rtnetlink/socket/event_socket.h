/* SPDX-License-Identifier: MIT */
/* The socket that receives the kernel's notifications: joins multicast groups
 * and receives datagrams, 64 at once. Not locked: the reader's alone. Errors
 * are negative errno. */
#pragma once

#include "rtnetlink/socket/message.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct nio_event_socket {
    int socket;              /* -1: closed */
    struct nio_slots *slots; /* owned: the buffers of one receive */
    bool filtered;           /* a filter of socket_filter.c is attached */
} nio_event_socket;

/* One datagram; borrowed until the next receive. */
typedef struct nio_datagram {
    nio_bytes bytes;
    bool foreign;   /* not sent by the kernel */
    bool truncated; /* longer than the buffer */
} nio_datagram;

int nio_event_socket_open(nio_event_socket *events);
void nio_event_socket_close(nio_event_socket *events);
/* Replace the socket by a new one, which has joined no group and has no
 * filter. On failure the old one stays. */
int nio_event_socket_renew(nio_event_socket *events);
/* Join or leave a multicast group (RTNLGRP_*). */
int nio_event_socket_join(nio_event_socket *events, int group);
void nio_event_socket_leave(nio_event_socket *events, int group);
/* Ask for a receive buffer of `bytes`. Returns the granted size in the
 * kernel's own measure, which is twice the bytes asked for. */
uint64_t nio_event_socket_set_buffer(nio_event_socket *events, int bytes);
/* Receive the datagrams that are queued, without waiting. Returns their
 * number, 0 if there are none, -ENOBUFS if the kernel dropped some. */
int nio_event_socket_receive(nio_event_socket *events);
nio_datagram nio_event_socket_datagram(const nio_event_socket *events,
                                       int number);
