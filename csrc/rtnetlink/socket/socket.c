/* SPDX-License-Identifier: MIT */
/* The replacement of a socket under its own number: see socket.h. */
#define _GNU_SOURCE
#include "rtnetlink/socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int
nio_socket_replace(int *fd, int fresh)
{
    int domain = 0;
    int status = 0;
    socklen_t size = sizeof(domain);
    int failed = getsockopt(*fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
    /* `fresh` has the old number itself if that had been closed. */
    if (failed != 0 || domain != AF_NETLINK || fresh == *fd) {
        *fd = fresh;
        return 0;
    }
    int copy;
    do {
        copy = dup3(fresh, *fd, O_CLOEXEC);
    } while (copy < 0 && errno == EINTR);
    status = copy < 0 ? -errno : 0;
    close(fresh);
    return status;
}
