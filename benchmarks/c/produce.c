/* SPDX-License-Identifier: MIT */
/* Adds and deletes routes as fast as the kernel takes them, many in a send.
 *
 *   produce VERB FAMILY INDEX COUNT ROUNDS PACE
 *
 * VERB add or del; FAMILY 4 or 6; INDEX of the link; COUNT routes; ROUNDS
 * walks over all of them, add and del in turn from VERB on; PACE microseconds
 * between two routes, each sent alone and its time reported, or 0. Routes are
 * IPv4 /24 and IPv6 /48 via a gateway, in an order that looks random. */
#include "protocol.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

#define SEND_SIZE (64u * 1024u) /* fits the default send buffer */
#define LONGEST 128u            /* bytes of one message */
#define STRIDE 2654435761u      /* prime, far from every count in use */
#define FIRST_V4 0x0b000000u    /* 11.0.0.0 */
#define GATEWAY_V4 "192.0.2.2"
#define GATEWAY_V6 "2001:db8::2"

typedef struct producer {
    int socket;
    int family; /* AF_* */
    uint32_t index;
    uint64_t count;
    uint8_t gateway[16];
    size_t address_size;
    uint8_t buffer[SEND_SIZE];
    size_t used;
} producer;

static void
put(struct nlmsghdr *message, unsigned short type, const void *payload,
    size_t size)
{
    struct rtattr *attribute =
        (struct rtattr *)((uint8_t *)message +
                          NLMSG_ALIGN(message->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), payload, size);
    message->nlmsg_len = (uint32_t)(NLMSG_ALIGN(message->nlmsg_len) +
                                    RTA_ALIGN(RTA_LENGTH(size)));
}

static void
append(producer *self, bool add, uint64_t number)
{
    struct nlmsghdr *message = (struct nlmsghdr *)(self->buffer + self->used);
    struct rtmsg *head = NLMSG_DATA(message);
    uint8_t destination[16] = {0x2a, 0x00};
    uint32_t place = htonl((uint32_t)(number * STRIDE % self->count));
    bool v6 = self->family == AF_INET6;
    if (v6) {
        memcpy(destination + 2, &place, 4);
    } else {
        place = htonl(FIRST_V4 + (ntohl(place) << 8));
        memcpy(destination, &place, 4);
    }
    memset(message, 0, LONGEST);
    message->nlmsg_len = NLMSG_LENGTH(sizeof(*head));
    message->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
    message->nlmsg_flags =
        (uint16_t)(NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
    head->rtm_family = (uint8_t)self->family;
    head->rtm_dst_len = v6 ? 48 : 24;
    head->rtm_table = RT_TABLE_MAIN;
    head->rtm_protocol = RTPROT_STATIC;
    head->rtm_scope = RT_SCOPE_UNIVERSE;
    head->rtm_type = RTN_UNICAST;
    put(message, RTA_DST, destination, self->address_size);
    put(message, RTA_GATEWAY, self->gateway, self->address_size);
    put(message, RTA_OIF, &self->index, sizeof(self->index));
    self->used += NLMSG_ALIGN(message->nlmsg_len);
}

static void
flush(producer *self)
{
    if (self->used > 0 &&
        send(self->socket, self->buffer, self->used, 0) < 0) {
        fail("send");
    }
    self->used = 0;
}

/* The kernel has handled a send, and has answered every request that it
 * refused, when send() returns. */
static void
check_refusals(producer *self)
{
    static _Alignas(struct nlmsghdr) uint8_t reply[SEND_SIZE];
    ssize_t size = recv(self->socket, reply, sizeof(reply), MSG_DONTWAIT);
    const struct nlmsghdr *message = (const struct nlmsghdr *)reply;
    if (size < 0 && errno != EAGAIN) {
        fail("the kernel refused many routes");
    }
    if (size > 0 && message->nlmsg_type == NLMSG_ERROR) {
        errno = -((const struct nlmsgerr *)NLMSG_DATA(message))->error;
        fail("the kernel refused a route");
    }
}

static void
pace(uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u),
                             .tv_nsec = (long)(until_ns % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* `stamps` gets the times of paced sends. */
static void
walk(producer *self, bool add, uint64_t pace_ns, uint64_t *stamps)
{
    uint64_t next = nanoseconds(CLOCK_MONOTONIC);
    for (uint64_t number = 0; number < self->count; number++) {
        append(self, add, number);
        if (pace_ns > 0) {
            pace(next += pace_ns);
            stamps[number] = nanoseconds(CLOCK_MONOTONIC);
            flush(self);
        } else if (self->used + LONGEST > SEND_SIZE) {
            flush(self);
        }
    }
    flush(self);
    check_refusals(self);
}

static void
open_socket(producer *self)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    self->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (self->socket < 0 || connect(self->socket, (struct sockaddr *)&kernel,
                                    sizeof(kernel)) < 0) {
        fail("a netlink socket");
    }
}

int
main(int argc, char **argv)
{
    static producer self;
    if (argc != 7) {
        fputs("produce VERB FAMILY INDEX COUNT ROUNDS PACE\n", stderr);
        return 2;
    }
    bool add = strcmp(argv[1], "add") == 0;
    bool v6 = atoi(argv[2]) == 6;
    self.family = v6 ? AF_INET6 : AF_INET;
    self.address_size = v6 ? 16 : 4;
    self.index = (uint32_t)atoi(argv[3]);
    self.count = strtoull(argv[4], NULL, 10);
    unsigned rounds = (unsigned)atoi(argv[5]);
    uint64_t pace_ns = strtoull(argv[6], NULL, 10) * 1000u;
    uint64_t *stamps = calloc(self.count + 1, sizeof(*stamps));
    inet_pton(self.family, v6 ? GATEWAY_V6 : GATEWAY_V4, self.gateway);
    open_socket(&self);
    uint64_t began = nanoseconds(CLOCK_MONOTONIC);
    for (unsigned round = 0; round < rounds; round++) {
        walk(&self, add == (round % 2 == 0), pace_ns, stamps);
    }
    printf("{\"began_ns\": %llu, \"ended_ns\": %llu, \"stamps\": [",
           (unsigned long long)began,
           (unsigned long long)nanoseconds(CLOCK_MONOTONIC));
    for (uint64_t i = 0; pace_ns > 0 && i < self.count; i++) {
        printf("%s%llu", i > 0 ? ", " : "", (unsigned long long)stamps[i]);
    }
    puts("]}");
    return 0;
}
