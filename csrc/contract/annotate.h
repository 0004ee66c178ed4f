/* SPDX-License-Identifier: MIT */
/* Annotations for clang's thread safety analysis, which generate no code. */
#pragma once

#if defined(__clang__)
#    define NIO_ANNOTATE(x) __attribute__((x))
#else
#    define NIO_ANNOTATE(x)
#endif

#define NIO_CAPABILITY NIO_ANNOTATE(capability("mutex"))
/* The lock is a member of the same struct, or a static one; in C clang
 * identifies it by its address. Naming a member needs clang 20 or later with
 * an experimental flag, as in `tools/analyze`; for every other compiler these
 * two are empty. */
#if defined(NIO_ANALYZE)
#    define NIO_GUARDED_BY(lock) NIO_ANNOTATE(guarded_by(&lock))
#    define NIO_AFTER(lock) NIO_ANNOTATE(acquired_after(&lock))
#else
#    define NIO_GUARDED_BY(lock)
#    define NIO_AFTER(lock)
#endif
#define NIO_REQUIRES(lock) NIO_ANNOTATE(requires_capability(lock))
/* The function takes the lock itself, so its caller must not hold it. */
#define NIO_EXCLUDES(lock) NIO_ANNOTATE(locks_excluded(lock))
#define NIO_ACQUIRE(lock) NIO_ANNOTATE(acquire_capability(lock))
#define NIO_RELEASE(lock) NIO_ANNOTATE(release_capability(lock))
/* Each use states its reason. */
#define NIO_UNCHECKED NIO_ANNOTATE(no_thread_safety_analysis)
