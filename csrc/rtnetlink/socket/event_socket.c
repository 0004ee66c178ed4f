/* SPDX-License-Identifier: MIT */
/* The receipt of the kernel's notifications: see event_socket.h. */
#define _GNU_SOURCE
#include "rtnetlink/socket/event_socket.h"

#include "rtnetlink/socket/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS 64
/* Pages that stay untouched cost no memory. */
#define SLOT_SIZE (64u * 1024u)

/* One buffer and one header for each datagram of a receive. */
struct nio_slots {
    struct mmsghdr headers[SLOTS];
    struct iovec vectors[SLOTS];
    struct sockaddr_nl senders[SLOTS];
    uint8_t *bytes; /* mapped */
};

static struct nio_slots *
free_slots(struct nio_slots *slots)
{
    if (slots != NULL && slots->bytes != MAP_FAILED) {
        munmap(slots->bytes, (size_t)SLOTS * SLOT_SIZE);
    }
    free(slots);
    return NULL;
}

static struct nio_slots *
new_slots(void)
{
    struct nio_slots *slots = calloc(1, sizeof(*slots));
    if (slots == NULL) {
        return NULL;
    }
    slots->bytes =
        mmap(NULL, (size_t)SLOTS * SLOT_SIZE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slots->bytes == MAP_FAILED) {
        return free_slots(slots);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        slots->vectors[i].iov_base = slots->bytes + i * SLOT_SIZE;
        slots->vectors[i].iov_len = SLOT_SIZE;
        slots->headers[i].msg_hdr.msg_iov = &slots->vectors[i];
        slots->headers[i].msg_hdr.msg_iovlen = 1;
        slots->headers[i].msg_hdr.msg_name = &slots->senders[i];
    }
    return slots;
}

/* Give the socket a port number: without one it receives no notification. The
 * kernel assigns a number when a socket first sends, as it does in bind(). A
 * sandbox may refuse bind(), but requests are sent in any case. The kernel
 * ignores a NLMSG_NOOP. */
static int
assign_port(int fd)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct nlmsghdr nothing = {.nlmsg_len = sizeof(nothing),
                                     .nlmsg_type = NLMSG_NOOP};
    ssize_t sent;
    do {
        sent = sendto(fd, &nothing, sizeof(nothing), 0,
                      (const struct sockaddr *)&kernel, sizeof(kernel));
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* A socket that has joined no group, or a negative errno. */
static int
open_socket(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    NETLINK_ROUTE);
    if (fd < 0) {
        return -errno;
    }
    int status = assign_port(fd);
    if (status < 0) {
        close(fd);
        return status;
    }
    return fd;
}

int
nio_event_socket_open(nio_event_socket *events)
{
    events->socket = -1;
    events->filtered = false;
    events->slots = new_slots();
    if (events->slots == NULL) {
        return -ENOMEM;
    }
    int fd = open_socket();
    if (fd < 0) {
        nio_event_socket_close(events);
        return fd;
    }
    events->socket = fd;
    return 0;
}

int
nio_event_socket_renew(nio_event_socket *events)
{
    int fresh = open_socket();
    if (fresh < 0) {
        return fresh;
    }
    int status = nio_socket_replace(&events->socket, fresh);
    events->filtered = events->filtered && status < 0;
    return status;
}

void
nio_event_socket_close(nio_event_socket *events)
{
    if (events->socket >= 0) {
        close(events->socket);
    }
    events->socket = -1;
    events->slots = free_slots(events->slots);
}

int
nio_event_socket_join(nio_event_socket *events, int group)
{
    if (setsockopt(events->socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                   sizeof(group)) < 0) {
        return -errno;
    }
    return 0;
}

void
nio_event_socket_leave(nio_event_socket *events, int group)
{
    (void)setsockopt(events->socket, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP,
                     &group, sizeof(group));
}

uint64_t
nio_event_socket_set_buffer(nio_event_socket *events, int bytes)
{
    int granted = 0;
    socklen_t size = sizeof(granted);
    if (setsockopt(events->socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
                   sizeof(bytes)) < 0) {
        /* Without CAP_NET_ADMIN net.core.rmem_max is the limit. */
        (void)setsockopt(events->socket, SOL_SOCKET, SO_RCVBUF, &bytes,
                         sizeof(bytes));
    }
    (void)getsockopt(events->socket, SOL_SOCKET, SO_RCVBUF, &granted, &size);
    return (uint64_t)granted;
}

int
nio_event_socket_receive(nio_event_socket *events)
{
    struct nio_slots *slots = events->slots;
    for (size_t i = 0; i < SLOTS; i++) {
        slots->headers[i].msg_hdr.msg_namelen = sizeof(slots->senders[i]);
    }
    int count;
    do {
        count = recvmmsg(events->socket, slots->headers, SLOTS, MSG_DONTWAIT,
                         NULL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    }
    return count;
}

nio_datagram
nio_event_socket_datagram(const nio_event_socket *events, int number)
{
    const struct mmsghdr *header = &events->slots->headers[number];
    nio_datagram datagram = {
        .bytes = {events->slots->vectors[number].iov_base, header->msg_len},
        .foreign = events->slots->senders[number].nl_pid != 0,
        .truncated = (header->msg_hdr.msg_flags & MSG_TRUNC) != 0,
    };
    return datagram;
}
