/* SPDX-License-Identifier: MIT */
/* Allocations and system calls that can be made to fail, and that are counted.
 * The shipped sources know nothing of it: a program, or an extension built
 * with NETIOAPI_FAULTS=1, is linked with faults.c and with --wrap for each
 * name of NIO_FAULTS, so that the calls of all linked files come here. A plan
 * says which calls of one function fail, and how. Calls of exempt threads (a
 * test's own) are neither counted nor failed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every wrapped function; faults.c lists the errors of each. */
#define NIO_FAULTS(X)                                                         \
    X(malloc)                                                                 \
    X(calloc)                                                                 \
    X(realloc)                                                                \
    X(mmap)                                                                   \
    X(socket)                                                                 \
    X(setsockopt)                                                             \
    X(getsockopt)                                                             \
    X(sendto)                                                                 \
    X(recvmsg)                                                                \
    X(recvmmsg)                                                               \
    X(poll)                                                                   \
    X(ppoll)                                                                  \
    X(eventfd)                                                                \
    X(read)                                                                   \
    X(write)                                                                  \
    X(close)                                                                  \
    X(dup3)                                                                   \
    X(stat)                                                                   \
    X(if_indextoname)                                                         \
    X(getrandom)                                                              \
    X(pthread_create)                                                         \
    X(pthread_key_create)                                                     \
    X(pthread_setspecific)                                                    \
    X(pthread_atfork)

/* What a receive may get in place of an error: negative numbers. */
enum {
    NIO_FAULT_FOREIGN = -1,   /* a message of another process comes first */
    NIO_FAULT_TRUNCATED = -2, /* longer than the buffer */
    NIO_FAULT_SHORT = -3,     /* it ends in the middle */
    NIO_FAULT_RACED = -4      /* NLM_F_DUMP_INTR */
};

#define NIO_FAULT_API __attribute__((visibility("default")))

/* The n-th function, or NULL after the last; and its e-th fault, or 0 after
 * the last. */
NIO_FAULT_API const char *nio_fault_name(unsigned n);
NIO_FAULT_API int nio_fault_error(const char *name, unsigned e);

/* From now on the calls of this function from number `from` (1 is the first)
 * up to but not including `to` give `error`. Counts anew. False: no such
 * function. */
NIO_FAULT_API bool nio_fault_plan(const char *name, int error, uint64_t from,
                                  uint64_t to);
/* Ends the plan. Returns how many calls its function had. */
NIO_FAULT_API uint64_t nio_fault_stop(void);
/* How many calls failed, or got something else. */
NIO_FAULT_API uint64_t nio_fault_given(void);
/* The calling thread is exempt. */
NIO_FAULT_API void nio_fault_exempt(bool exempt);

/* Blocks of memory, and bytes of pages, that are allocated now. */
NIO_FAULT_API int64_t nio_fault_blocks(void);
NIO_FAULT_API int64_t nio_fault_pages(void);

/* CLOCK_REALTIME and CLOCK_MONOTONIC run ahead by so much, cut to whole
 * seconds, for all threads. */
NIO_FAULT_API void nio_fault_clocks(int64_t realtime_ns, int64_t monotonic_ns);
