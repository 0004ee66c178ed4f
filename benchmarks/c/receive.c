/* SPDX-License-Identifier: MIT */
/* The reference of events: receives the kernel's route events with recvmmsg
 * and parses each into a row, nothing else.
 *
 *   receive FAMILY COUNT PHASES BUFFER STAMPS
 *
 * FAMILY 4 or 6; COUNT events end a phase, and so does a second of silence
 * after the first; BUFFER is the size of the receive buffer to ask for; with
 * STAMPS 1 the time of each event is reported. Only the producer's events
 * count: routes of its prefix length. */
#include "route.h"
#include "protocol.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SLOTS 64
#define SLOT_SIZE (64u * 1024u)

static struct mmsghdr headers[SLOTS];
static struct iovec vectors[SLOTS];

typedef struct reader {
    int socket;
    unsigned prefix_length;
    bench_route rows[SLOTS]; /* the latest */
    uint64_t events, overflows;
    uint64_t last_ns, cpu_ns; /* when the latest event was parsed */
    uint64_t *stamps;         /* NULL: not wanted */
} reader;

static int
open_socket(int family, int buffer)
{
    struct sockaddr_nl name = {.nl_family = AF_NETLINK};
    struct timeval silence = {.tv_sec = 1};
    name.nl_groups = family == 6 ? RTMGRP_IPV6_ROUTE : RTMGRP_IPV4_ROUTE;
    int opened = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (opened < 0 ||
        setsockopt(opened, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)) <
            0 ||
        setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &silence,
                   sizeof(silence)) < 0 ||
        bind(opened, (struct sockaddr *)&name, sizeof(name)) < 0) {
        fail("a netlink socket");
    }
    return opened;
}

static void
lay_slots(void)
{
    uint8_t *bytes =
        mmap(NULL, (size_t)SLOTS * SLOT_SIZE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        fail("memory");
    }
    for (size_t i = 0; i < SLOTS; i++) {
        vectors[i] = (struct iovec){bytes + i * SLOT_SIZE, SLOT_SIZE};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
}

static void
parse(reader *self, int slot)
{
    const struct nlmsghdr *message = vectors[slot].iov_base;
    int left = (int)headers[slot].msg_len;
    for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
        bench_route *row = &self->rows[slot];
        if (bench_route_parse(message, row) &&
            row->destination_length == self->prefix_length) {
            if (self->stamps != NULL) {
                self->stamps[self->events] = nanoseconds(CLOCK_MONOTONIC);
            }
            self->events++;
        }
    }
}

static void
run_phase(reader *self, uint64_t count)
{
    self->events = 0;
    self->overflows = 0;
    while (self->events < count) {
        int got = recvmmsg(self->socket, headers, SLOTS, MSG_WAITFORONE, NULL);
        if (got < 0 && errno == ENOBUFS) {
            self->overflows++;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (errno == EAGAIN && self->events > 0) {
                return;
            }
        } else if (got < 0) {
            fail("recvmmsg");
        }
        for (int i = 0; i < got; i++) {
            parse(self, i);
        }
        if (got > 0) {
            self->last_ns = nanoseconds(CLOCK_MONOTONIC);
        }
    }
}

static void
report(const reader *self)
{
    printf("{\"event\": \"done\", \"events\": %llu, \"overflows\": %llu, "
           "\"cpu_ns\": %llu, \"now_ns\": %llu, \"stamps\": [",
           (unsigned long long)self->events,
           (unsigned long long)self->overflows,
           (unsigned long long)nanoseconds(CLOCK_PROCESS_CPUTIME_ID),
           (unsigned long long)self->last_ns);
    for (uint64_t i = 0; self->stamps != NULL && i < self->events; i++) {
        printf("%s%llu", i > 0 ? ", " : "",
               (unsigned long long)self->stamps[i]);
    }
    puts("]}");
    wait_for_line();
}

int
main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("receive FAMILY COUNT PHASES BUFFER STAMPS\n", stderr);
        return 2;
    }
    static reader self;
    int family = atoi(argv[1]);
    uint64_t count = strtoull(argv[2], NULL, 10);
    int phases = atoi(argv[3]);
    self.prefix_length = family == 6 ? 48 : 24;
    self.socket = open_socket(family, atoi(argv[4]));
    /* The last receive of a phase may bring more than COUNT. */
    self.stamps =
        atoi(argv[5]) ? calloc(count + SLOTS, sizeof(uint64_t)) : NULL;
    lay_slots();
    puts("{\"event\": \"ready\"}");
    fflush(stdout);
    for (int phase = 0; phase < phases; phase++) {
        run_phase(&self, count);
        report(&self);
    }
    return 0;
}
