/* SPDX-License-Identifier: MIT */
/* Macros that tell the compiler what we promise; none of them makes code. */
#pragma once

#if defined(__clang__)
#    define NIO_ANNOTATE(x) __attribute__((x))
#else
#    define NIO_ANNOTATE(x)
#endif

#define NIO_CAPABILITY NIO_ANNOTATE(capability("mutex"))
/* Of a lock that is a member of the same struct, or one for all. In C clang
 * tells two of them apart by the address only; `tools/analyze` has one that
 * finds a member, others see none of this. */
#if defined(NIO_ANALYZE)
#    define NIO_GUARDED_BY(lock) NIO_ANNOTATE(guarded_by(&lock))
#    define NIO_AFTER(lock) NIO_ANNOTATE(acquired_after(&lock))
#else
#    define NIO_GUARDED_BY(lock)
#    define NIO_AFTER(lock)
#endif
#define NIO_REQUIRES(lock) NIO_ANNOTATE(requires_capability(lock))
/* It takes the lock itself, so that whoever holds it may not call. */
#define NIO_EXCLUDES(lock) NIO_ANNOTATE(locks_excluded(lock))
#define NIO_ACQUIRE(lock) NIO_ANNOTATE(acquire_capability(lock))
#define NIO_RELEASE(lock) NIO_ANNOTATE(release_capability(lock))
/* Where it is used the reason stands. */
#define NIO_UNCHECKED NIO_ANNOTATE(no_thread_safety_analysis)

#if defined(_MSC_VER)
#    define NIO_THREAD_LOCAL __declspec(thread)
#else
#    define NIO_THREAD_LOCAL _Thread_local
#endif
