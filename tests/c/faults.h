/* SPDX-License-Identifier: MIT */
/* Allocations and system calls that can be made to fail, and that are
 * counted. The shipped sources know nothing of it: a program, or an extension
 * that was built with NETIOAPI_FAULTS=1, is linked with faults.c and --wrap of
 * each name of NIO_FAULTS, so that calls from all files linked come here.
 *
 * A plan says which calls of one function fail, and how. Calls of threads that
 * are exempt (a test's own) are neither counted nor failed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every function that is wrapped; what they may fail with is in faults.c. */
#define NIO_FAULTS(X)                                                         \
    X(malloc)                                                                 \
    X(calloc)                                                                 \
    X(realloc)                                                                \
    X(mmap)                                                                   \
    X(socket)                                                                 \
    X(bind)                                                                   \
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
    X(if_nametoindex)                                                         \
    X(if_indextoname)                                                         \
    X(getrandom)                                                              \
    X(pthread_create)                                                         \
    X(pthread_key_create)                                                     \
    X(pthread_setspecific)                                                    \
    X(pthread_atfork)

/* What a receive may be given instead of an error: negative numbers. */
enum {
    NIO_FAULT_FOREIGN = -1,   /* sent by another process; the kernel's waits */
    NIO_FAULT_TRUNCATED = -2, /* longer than the buffer */
    NIO_FAULT_SHORT = -3,     /* it ends in the middle */
    NIO_FAULT_RACED = -4      /* NLM_F_DUMP_INTR */
};

#define NIO_FAULT_API __attribute__((visibility("default")))

/* The n-th function, NULL behind the last one; and the e-th thing that it may
 * be made to give, 0 behind the last one. */
NIO_FAULT_API const char *nio_fault_name(unsigned n);
NIO_FAULT_API int nio_fault_error(const char *name, unsigned e);

/* From now on the calls number `from` (from 1 on) up to but without `to` of
 * this function give `error`. Counts anew. False: no such function. */
NIO_FAULT_API bool nio_fault_plan(const char *name, int error, uint64_t from,
                                  uint64_t to);
/* Nothing fails any more. Returns how many calls the plan's function had. */
NIO_FAULT_API uint64_t nio_fault_stop(void);
/* How many calls were made to fail, or were given something else. */
NIO_FAULT_API uint64_t nio_fault_given(void);
/* The calling thread is the test's own. */
NIO_FAULT_API void nio_fault_exempt(bool exempt);

/* Blocks of memory, and bytes of pages, that are held now. */
NIO_FAULT_API int64_t nio_fault_blocks(void);
NIO_FAULT_API int64_t nio_fault_pages(void);

/* CLOCK_REALTIME and CLOCK_MONOTONIC show so much more, for all threads. */
NIO_FAULT_API void nio_fault_clocks(int64_t realtime_ns, int64_t monotonic_ns);
