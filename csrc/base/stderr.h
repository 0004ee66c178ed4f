/* SPDX-License-Identifier: MIT */
/* Writes to stderr that do not wait for its reader, or (on Windows) that
 * another thread can end. O_NONBLOCK is not set on stderr: other processes
 * share its open file description. */
#pragma once

#include "base/thread.h"

#include <stddef.h>

/* A write of at most this size to a pipe is never split (PIPE_BUF). */
#define NIO_STDERR_CHUNK 4096

/* Returns how many of at most NIO_STDERR_CHUNK bytes were written, 0 if there
 * is no room now, and -1 if stderr cannot be written to. */
ptrdiff_t nio_stderr_write(const char *bytes, size_t size);
/* Ends the write in which a thread waits, on a system where it can wait. */
void nio_stderr_cancel(nio_thread *thread);
