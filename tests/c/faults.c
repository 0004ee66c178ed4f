/* SPDX-License-Identifier: MIT */
/* Functions that fail on request: see faults.h. */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ID(name) ID_##name,
enum { NIO_FAULTS(ID) IDS };
#undef ID
#define NAME(name) [ID_##name] = #name,
static const char *const names[IDS] = {NIO_FAULTS(NAME)};
#undef NAME

#define MAX_ERRORS 10 /* errors of one function, and a final 0 */

/* The errors that each function can really give to a program with valid
 * arguments. */
static const int errors[IDS][MAX_ERRORS] = {
    [ID_malloc] = {ENOMEM},
    [ID_calloc] = {ENOMEM},
    [ID_realloc] = {ENOMEM},
    [ID_mmap] = {ENOMEM},
    [ID_socket] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES},
    [ID_setsockopt] = {ENOMEM, EPERM, ENOPROTOOPT},
    [ID_getsockopt] = {ENOPROTOOPT},
    [ID_sendto] = {EINTR, ENOBUFS, ENOMEM, EAGAIN, EPERM},
    [ID_recvmsg] = {EINTR, ENOBUFS, ENOMEM, EAGAIN, EIO, NIO_FAULT_FOREIGN,
                    NIO_FAULT_TRUNCATED, NIO_FAULT_SHORT, NIO_FAULT_RACED},
    [ID_recvmmsg] = {EINTR, ENOBUFS, ENOMEM, EAGAIN, EIO, NIO_FAULT_FOREIGN,
                     NIO_FAULT_TRUNCATED, NIO_FAULT_SHORT},
    [ID_poll] = {EINTR, ENOMEM, EINVAL},
    [ID_ppoll] = {EINTR, ENOMEM, EINVAL},
    [ID_eventfd] = {EMFILE, ENFILE, ENOMEM},
    [ID_read] = {EINTR, EAGAIN},
    [ID_write] = {EINTR},
    [ID_close] = {EINTR, EIO},
    [ID_dup3] = {EBUSY, EMFILE, EINTR},
    [ID_stat] = {EMFILE, ENOMEM, ENOENT},
    [ID_if_indextoname] = {EMFILE, ENOMEM},
    [ID_getrandom] = {EAGAIN, EINTR},
    [ID_pthread_create] = {EAGAIN, EPERM},
    [ID_pthread_key_create] = {EAGAIN, ENOMEM},
    [ID_pthread_setspecific] = {ENOMEM},
    [ID_pthread_atfork] = {ENOMEM},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int id; /* IDS: nothing fails */
    int error;
    uint64_t from, to, calls, given;
} plan = {.id = IDS};
static int64_t blocks, pages, offsets[2];
static _Thread_local bool exempt;

static int
id_of(const char *name)
{
    int id = 0;
    while (id < IDS && strcmp(names[id], name) != 0) {
        id++;
    }
    return id;
}

const char *
nio_fault_name(unsigned n)
{
    return n < IDS ? names[n] : NULL;
}

int
nio_fault_error(const char *name, unsigned e)
{
    int id = id_of(name);
    return id < IDS && e < MAX_ERRORS ? errors[id][e] : 0;
}

bool
nio_fault_plan(const char *name, int error, uint64_t from, uint64_t to)
{
    pthread_mutex_lock(&lock);
    plan.id = id_of(name);
    plan.error = error;
    plan.from = from;
    plan.to = to;
    plan.calls = plan.given = 0;
    pthread_mutex_unlock(&lock);
    return plan.id < IDS;
}

uint64_t
nio_fault_stop(void)
{
    pthread_mutex_lock(&lock);
    uint64_t calls = plan.calls;
    plan.id = IDS;
    pthread_mutex_unlock(&lock);
    return calls;
}

uint64_t
nio_fault_given(void)
{
    pthread_mutex_lock(&lock);
    uint64_t given = plan.given;
    pthread_mutex_unlock(&lock);
    return given;
}

void
nio_fault_exempt(bool set)
{
    exempt = set;
}

int64_t
nio_fault_blocks(void)
{
    return __atomic_load_n(&blocks, __ATOMIC_SEQ_CST);
}

int64_t
nio_fault_pages(void)
{
    return __atomic_load_n(&pages, __ATOMIC_SEQ_CST);
}

void
nio_fault_clocks(int64_t realtime_ns, int64_t monotonic_ns)
{
    __atomic_store_n(&offsets[0], realtime_ns, __ATOMIC_SEQ_CST);
    __atomic_store_n(&offsets[1], monotonic_ns, __ATOMIC_SEQ_CST);
}

/* The fault of this call: 0: none; positive: an error, to which errno is set;
 * negative: NIO_FAULT_*. */
static int
fault(int id)
{
    int error = 0;
    if (exempt) {
        return 0;
    }
    pthread_mutex_lock(&lock);
    if (plan.id == id) {
        plan.calls++;
        if (plan.calls >= plan.from && plan.calls < plan.to) {
            plan.given++;
            error = plan.error;
        }
    }
    pthread_mutex_unlock(&lock);
    if (error > 0) {
        errno = error;
    }
    return error;
}

/* The wrapped functions: `type name(parameters)`, which return `failed` when
 * they are to fail. */
#define WRAP(type, name, parameters, arguments, failed)                       \
    type __real_##name parameters;                                            \
    type __wrap_##name parameters;                                            \
    type __wrap_##name parameters                                             \
    {                                                                         \
        return fault(ID_##name) ? (failed) : __real_##name arguments;         \
    }

WRAP(int, socket, (int d, int t, int p), (d, t, p), -1)
WRAP(int, setsockopt, (int fd, int l, int o, const void *v, socklen_t n),
     (fd, l, o, v, n), -1)
WRAP(int, getsockopt, (int fd, int l, int o, void *v, socklen_t *n),
     (fd, l, o, v, n), -1)
WRAP(ssize_t, sendto,
     (int fd, const void *b, size_t n, int f, const struct sockaddr *a,
      socklen_t l),
     (fd, b, n, f, a, l), -1)
WRAP(int, poll, (struct pollfd * p, nfds_t n, int t), (p, n, t), -1)
WRAP(int, ppoll,
     (struct pollfd * p, nfds_t n, const struct timespec *t,
      const sigset_t *s),
     (p, n, t, s), -1)
WRAP(int, eventfd, (unsigned v, int f), (v, f), -1)
WRAP(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n), -1)
WRAP(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), -1)
WRAP(int, dup3, (int from, int to, int f), (from, to, f), -1)
WRAP(int, stat, (const char *p, struct stat *s), (p, s), -1)
WRAP(char *, if_indextoname, (unsigned i, char *n), (i, n), NULL)
WRAP(ssize_t, getrandom, (void *b, size_t n, unsigned f), (b, n, f), -1)
/* These return the error itself. */
WRAP(int, pthread_create,
     (pthread_t * t, const pthread_attr_t *a, void *(*r)(void *), void *d),
     (t, a, r, d), errno)
WRAP(int, pthread_key_create, (pthread_key_t * k, void (*d)(void *)), (k, d),
     errno)
WRAP(int, pthread_setspecific, (pthread_key_t k, const void *p), (k, p), errno)
WRAP(int, pthread_atfork, (void (*b)(void), void (*p)(void), void (*c)(void)),
     (b, p, c), errno)

/* close() frees the descriptor, whatever it returns. */
int __real_close(int fd);
int __wrap_close(int fd);
int
__wrap_close(int fd)
{
    int closed = __real_close(fd);
    return fault(ID_close) ? -1 : closed;
}

/* ---- memory */
static void
count(int64_t *what, int64_t more)
{
    (void)__atomic_add_fetch(what, more, __ATOMIC_SEQ_CST);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *
__wrap_malloc(size_t size)
{
    void *made = fault(ID_malloc) ? NULL : __real_malloc(size);
    count(&blocks, made != NULL);
    return made;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *
__wrap_calloc(size_t n, size_t size)
{
    void *made = fault(ID_calloc) ? NULL : __real_calloc(n, size);
    count(&blocks, made != NULL);
    return made;
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *
__wrap_realloc(void *old, size_t size)
{
    bool fresh = old == NULL;
    void *made = fault(ID_realloc) ? NULL : __real_realloc(old, size);
    count(&blocks, fresh && made != NULL);
    return made;
}

void __real_free(void *block);
void __wrap_free(void *block);
void
__wrap_free(void *block)
{
    count(&blocks, block == NULL ? 0 : -1);
    __real_free(block);
}

void *__real_mmap(void *at, size_t n, int p, int f, int fd, off_t o);
void *__wrap_mmap(void *at, size_t n, int p, int f, int fd, off_t o);
void *
__wrap_mmap(void *at, size_t n, int p, int f, int fd, off_t o)
{
    void *made = fault(ID_mmap) ? MAP_FAILED : __real_mmap(at, n, p, f, fd, o);
    count(&pages, made == MAP_FAILED ? 0 : (int64_t)n);
    return made;
}

int __real_munmap(void *at, size_t n);
int __wrap_munmap(void *at, size_t n);
int
__wrap_munmap(void *at, size_t n)
{
    count(&pages, -(int64_t)n);
    return __real_munmap(at, n);
}

/* ---- received messages */
static size_t
disturb(int how, struct msghdr *message, size_t length)
{
    struct nlmsghdr first;
    if (how == NIO_FAULT_TRUNCATED) {
        message->msg_flags |= MSG_TRUNC;
    } else if (how == NIO_FAULT_SHORT) {
        return length - (length > 4 ? 4 : length);
    } else if (how == NIO_FAULT_RACED && length >= sizeof(first)) {
        memcpy(&first, message->msg_iov->iov_base, sizeof(first));
        first.nlmsg_flags |= NLM_F_DUMP_INTR;
        memcpy(message->msg_iov->iov_base, &first, sizeof(first));
    }
    return length;
}

/* A message in the form of a route deletion, sent by another process. */
static size_t
forge(struct msghdr *message)
{
    const struct nlmsghdr lie = {.nlmsg_len = sizeof(lie) + 12,
                                 .nlmsg_type = 25, /* RTM_DELROUTE */
                                 .nlmsg_seq = 1};
    struct sockaddr_nl sender = {.nl_family = AF_NETLINK, .nl_pid = 1};
    memset(message->msg_iov->iov_base, 0, sizeof(lie) + 12);
    memcpy(message->msg_iov->iov_base, &lie, sizeof(lie));
    memcpy(message->msg_name, &sender, sizeof(sender));
    message->msg_namelen = sizeof(sender);
    message->msg_flags = 0;
    return sizeof(lie) + 12;
}

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    int how = fault(ID_recvmsg);
    if (how > 0) {
        return -1;
    }
    if (how == NIO_FAULT_FOREIGN) {
        return (ssize_t)forge(message);
    }
    ssize_t length = __real_recvmsg(fd, message, flags);
    return how < 0 && length > 0
               ? (ssize_t)disturb(how, message, (size_t)length)
               : length;
}

int __real_recvmmsg(int fd, struct mmsghdr *headers, unsigned n, int flags,
                    struct timespec *limit);
int __wrap_recvmmsg(int fd, struct mmsghdr *headers, unsigned n, int flags,
                    struct timespec *limit);
int
__wrap_recvmmsg(int fd, struct mmsghdr *headers, unsigned n, int flags,
                struct timespec *limit)
{
    int how = fault(ID_recvmmsg);
    if (how > 0) {
        return -1;
    }
    if (how == NIO_FAULT_FOREIGN) {
        headers[0].msg_len = (unsigned)forge(&headers[0].msg_hdr);
        return 1;
    }
    int got = __real_recvmmsg(fd, headers, n, flags, limit);
    if (how < 0 && got > 0) {
        headers[0].msg_len =
            (unsigned)disturb(how, &headers[0].msg_hdr, headers[0].msg_len);
    }
    return got;
}

/* ---- clocks */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = __real_clock_gettime(clock, now);
    int64_t more =
        __atomic_load_n(&offsets[clock == CLOCK_MONOTONIC], __ATOMIC_SEQ_CST);
    now->tv_sec += more / 1000000000;
    return failed;
}
