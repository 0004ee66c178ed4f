/* SPDX-License-Identifier: MIT */
/* The reference of dumps: reads all routes of a family and parses each into a
 * row, nothing else.
 *
 *   dump FAMILY      FAMILY 4 or 6 */
#include "route.h"
#include "protocol.h"

#include <sys/socket.h>

#define REPLY_SIZE (64u * 1024u) /* the kernel sends 32 KiB at most */

static void
request_dump(int opened, int family)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg body;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.rtm_family = family == 6 ? AF_INET6 : AF_INET},
    };
    if (send(opened, &request, sizeof(request), 0) < 0) {
        fail("send");
    }
}

/* True: this was the last part of the dump. */
static int
parse(const void *bytes, int left, uint64_t *rows)
{
    const struct nlmsghdr *message = bytes;
    bench_route row;
    for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
        if (message->nlmsg_type == NLMSG_DONE) {
            return 1;
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            errno = -((const struct nlmsgerr *)NLMSG_DATA(message))->error;
            fail("dump");
        }
        *rows += bench_route_parse(message, &row);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    static _Alignas(struct nlmsghdr) uint8_t reply[REPLY_SIZE];
    uint64_t rows = 0;
    ssize_t size;
    if (argc != 2) {
        fputs("dump FAMILY\n", stderr);
        return 2;
    }
    int opened = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (opened < 0) {
        fail("a netlink socket");
    }
    uint64_t cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t began = nanoseconds(CLOCK_MONOTONIC);
    request_dump(opened, atoi(argv[1]));
    do {
        size = recv(opened, reply, sizeof(reply), 0);
        if (size < 0) {
            fail("recv");
        }
    } while (!parse(reply, (int)size, &rows));
    printf("{\"event\": \"done\", \"rows\": %llu, \"cpu_ns\": %llu, "
           "\"wall_ns\": %llu}\n",
           (unsigned long long)rows,
           (unsigned long long)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu),
           (unsigned long long)(nanoseconds(CLOCK_MONOTONIC) - began));
    wait_for_line();
    return 0;
}
