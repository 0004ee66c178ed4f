/* SPDX-License-Identifier: MIT */
/* Changes of the network, made directly in the kernel: of `lo`, in a network
 * namespace of the program's own (it refuses any other). */
#pragma once

#include "base/thread.h"

#include "check.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LO = 1, FLOOD_ROUTES = 50, FLOOD_ADDRESSES = 5 };

typedef struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
        struct rtmsg route;
    } body;
    uint8_t attributes[64];
} request;

static inline void
request_attribute(request *made, unsigned short type, uint32_t value)
{
    const struct rtattr attribute = {.rta_len = RTA_LENGTH(sizeof(value)),
                                     .rta_type = type};
    uint8_t *at = (uint8_t *)made + made->header.nlmsg_len;

    memcpy(at, &attribute, sizeof(attribute));
    memcpy(at + sizeof(attribute), &value, sizeof(value));
    made->header.nlmsg_len += (uint32_t)RTA_SPACE(sizeof(value));
}

static inline request
request_of(uint16_t type, unsigned flags, size_t body)
{
    return (request){.header = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(body),
                                .nlmsg_type = type,
                                .nlmsg_flags = (uint16_t)(NLM_F_REQUEST |
                                                          NLM_F_ACK | flags)}};
}

/* The kernel's answer, a negative errno. */
static inline int
request_send(int fd, const request *made)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t more[512];
    } answer;

    CHECK_EQUAL(send(fd, made, made->header.nlmsg_len, 0),
                made->header.nlmsg_len);
    CHECK(recv(fd, &answer, sizeof(answer), 0) >=
          (ssize_t)NLMSG_LENGTH(sizeof(answer.error)));
    CHECK_EQUAL(answer.header.nlmsg_type, NLMSG_ERROR);
    return answer.error.error;
}

static inline int
kernel_open(void)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    CHECK(fd >= 0);
    CHECK_EQUAL(connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)),
                0);
    return fd;
}

static inline void
set_link(int fd, bool up, uint32_t mtu)
{
    request made = request_of(RTM_NEWLINK, 0, sizeof(made.body.link));

    made.body.link = (struct ifinfomsg){.ifi_family = AF_UNSPEC,
                                        .ifi_index = LO,
                                        .ifi_flags = up ? 1 : 0, /* IFF_UP */
                                        .ifi_change = 1};
    request_attribute(&made, IFLA_MTU, mtu);
    CHECK_EQUAL(request_send(fd, &made), 0);
}

/* 10.NUMBER.0/24 through lo, in any table. */
static inline void
set_route_in(int fd, bool add, unsigned number, uint32_t table)
{
    request made = request_of(add ? RTM_NEWROUTE : RTM_DELROUTE,
                              add ? NLM_F_CREATE | NLM_F_EXCL : 0,
                              sizeof(made.body.route));

    made.body.route = (struct rtmsg){.rtm_family = AF_INET,
                                     .rtm_dst_len = 24,
                                     .rtm_protocol = RTPROT_STATIC,
                                     .rtm_scope = RT_SCOPE_LINK,
                                     .rtm_type = RTN_UNICAST};
    request_attribute(&made, RTA_DST, htonl(0x0a000000u + (number << 8)));
    request_attribute(&made, RTA_OIF, LO);
    request_attribute(&made, RTA_TABLE, table);
    CHECK_EQUAL(request_send(fd, &made), 0);
}

static inline void
set_route(int fd, bool add, unsigned number)
{
    set_route_in(fd, add, number, RT_TABLE_MAIN);
}

/* 127.9.9.NUMBER/32 on lo. */
static inline void
set_address(int fd, bool add, unsigned number)
{
    request made = request_of(add ? RTM_NEWADDR : RTM_DELADDR,
                              add ? NLM_F_CREATE | NLM_F_EXCL : 0,
                              sizeof(made.body.address));

    made.body.address = (struct ifaddrmsg){
        .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = LO};
    request_attribute(&made, IFA_LOCAL, htonl(0x7f090900u + number));
    request_attribute(&made, IFA_ADDRESS, htonl(0x7f090900u + number));
    CHECK_EQUAL(request_send(fd, &made), 0);
}

/* ---- a flood of all three kinds, until it is stopped */
/* The flood pauses for so many times as long as it floods. The thread
 * sanitizer makes the reader slower than the kernel, which makes the changes
 * and is not sanitized. Without pauses the reader would lose changes and dump
 * the tables over and over, which is not the subject of these tests. */
#ifdef __SANITIZE_THREAD__
#    define FLOOD_RESTS 4u
#else
#    define FLOOD_RESTS 0u
#endif

typedef struct flood {
    nio_thread thread;
    nio_atomic stop;
} flood;

static inline void
flood_run(void *argument)
{
    flood *mine = argument;
    int fd = kernel_open();

    while (nio_atomic_load(&mine->stop) == 0) {
        const uint64_t began = nio_monotonic_ns();
        for (int add = 1; add >= 0; add--) {
            for (unsigned i = 0; i < FLOOD_ROUTES; i++) {
                set_route(fd, add, i);
            }
            for (unsigned i = 0; i < FLOOD_ADDRESSES; i++) {
                set_address(fd, add, i + 1);
            }
            set_link(fd, true, add ? 60000 : 65536);
        }
        if (FLOOD_RESTS > 0) {
            const uint64_t rest_ns = nio_monotonic_ns() - began;
            const struct timespec rest = {
                .tv_nsec = (long)(rest_ns * FLOOD_RESTS % 1000000000u)};
            (void)nanosleep(&rest, NULL);
        }
    }
    (void)close(fd);
}

static inline void
flood_start(flood *started)
{
    nio_atomic_store(&started->stop, 0);
    CHECK(nio_thread_start(&started->thread, "flood", flood_run, started));
}

static inline void
flood_stop(flood *started)
{
    nio_atomic_store(&started->stop, 1);
    nio_thread_join(&started->thread);
}
