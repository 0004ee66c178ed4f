/* SPDX-License-Identifier: MIT */
/* POSIX (Linux): stderr may be a file, a pipe, a terminal or a socket.
 * O_NONBLOCK belongs to the open file description, which other processes
 * share, so it must not be set there. Opening /proc/self/fd/2 gives a pipe or
 * a terminal an open file description of our own. */
#define _GNU_SOURCE /* syscall */

#include "base/stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#    define RWF_NOWAIT 8
#endif

/* For a process without /proc, or with another user's pipe, as in many
 * containers. Kernels
 * before 6.4 lack RWF_NOWAIT for pipes: there is room for a whole chunk if
 * poll() says so, unless another process fills the pipe just then. */
static ssize_t
write_shared(const char *bytes, size_t size)
{
    struct pollfd wait = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct iovec vector = {(void *)(uintptr_t)bytes, size};
    /* pwritev2(), which musl got late, at the file's own position. */
    long count = syscall(SYS_pwritev2, STDERR_FILENO, &vector, 1L, -1L, -1L,
                         (long)RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) {
        return count;
    }
    if (poll(&wait, 1, 0) <= 0 || !(wait.revents & POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    return write(STDERR_FILENO, bytes, size);
}

static ssize_t
write_own(const char *bytes, size_t size)
{
    int fd =
        open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return write_shared(bytes, size);
    }
    ssize_t count = write(fd, bytes, size);
    int error = errno;
    (void)close(fd);
    errno = error;
    return count;
}

ptrdiff_t
nio_stderr_write(const char *bytes, size_t size)
{
    struct stat status;
    ssize_t count;
    if (fstat(STDERR_FILENO, &status) < 0) {
        return -1;
    }
    if (S_ISREG(status.st_mode)) {
        /* A new open file description would have a position of its own, and
         * overwrite what the program writes. */
        count = write(STDERR_FILENO, bytes, size);
    } else if (S_ISSOCK(status.st_mode)) {
        count = send(STDERR_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
        count = write_own(bytes, size);
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    return count;
}

void
nio_stderr_cancel(nio_thread *thread)
{
    (void)thread;
}
