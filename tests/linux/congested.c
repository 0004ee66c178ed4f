/* SPDX-License-Identifier: MIT */
/* Wraps a program's socket calls: simulates a receive buffer that overflows
 * during a dump. ENOBUFS once, then the buffered messages for a while; new
 * ones are dropped until the buffer was empty. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

enum { NEVER, FROM_THE_NEXT_READING, NOW, GOING_ON };
static volatile int congestion;

void
set_congestion(int value)
{
    congestion = value;
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
    ssize_t length = real(fd, message, flags);
    if (congestion == FROM_THE_NEXT_READING &&
        length >= (ssize_t)sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *header = message->msg_iov[0].iov_base;
        if (header->nlmsg_type == RTM_NEWROUTE) {
            congestion = NOW;
        }
    }
    return length;
}

int
recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
         struct timespec *timeout)
{
    int (*real)(int, struct mmsghdr *, unsigned, int, struct timespec *) =
        dlsym(RTLD_NEXT, "recvmmsg");
    if (congestion == NOW) {
        congestion = GOING_ON;
        errno = ENOBUFS;
        return -1;
    }
    if (congestion != GOING_ON) {
        return real(fd, messages, count, flags, timeout);
    }
    while (real(fd, messages, count, flags, timeout) > 0) {
        /* dropped */
    }
    struct nlmsghdr old = {.nlmsg_len = sizeof(old), .nlmsg_type = NLMSG_NOOP};
    memcpy(messages[0].msg_hdr.msg_iov[0].iov_base, &old, sizeof(old));
    memset(messages[0].msg_hdr.msg_name, 0, sizeof(struct sockaddr_nl));
    messages[0].msg_len = sizeof(old);
    messages[0].msg_hdr.msg_flags = 0;
    return 1;
}
