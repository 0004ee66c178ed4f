/* SPDX-License-Identifier: MIT */
/* Macros that tell the compiler what we promise; none of them makes code. */
#pragma once

#if defined(__clang__)
#    define NIO_ANNOTATE(x) __attribute__((x))
#else
#    define NIO_ANNOTATE(x)
#endif

#define NIO_CAPABILITY NIO_ANNOTATE(capability("mutex"))
/* Of a lock that is a member of the same struct. In C clang tells two of them
 * apart by the address only. */
#define NIO_GUARDED_BY(lock) NIO_ANNOTATE(guarded_by(&lock))
#define NIO_REQUIRES(lock) NIO_ANNOTATE(requires_capability(lock))
#define NIO_ACQUIRE(lock) NIO_ANNOTATE(acquire_capability(lock))
#define NIO_RELEASE(lock) NIO_ANNOTATE(release_capability(lock))
#define NIO_UNCHECKED NIO_ANNOTATE(no_thread_safety_analysis)

#if defined(_MSC_VER)
#    define NIO_THREAD_LOCAL __declspec(thread)
#else
#    define NIO_THREAD_LOCAL _Thread_local
#endif
