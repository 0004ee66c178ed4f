/* SPDX-License-Identifier: MIT */
/* Writes to stderr that do not wait for its reader. The flags of the file
 * behind it stay as they are: other processes share them. */
#pragma once

#include "base/thread.h"

#include <stddef.h>

/* A write of so many bytes to a pipe is never split (PIPE_BUF). */
#define NIO_STDERR_CHUNK 4096

/* Returns how many of at most NIO_STDERR_CHUNK bytes were written, 0 if there
 * is no room now, and -1 if stderr cannot be written to. */
ptrdiff_t nio_stderr_write(const char *bytes, size_t size);
/* Ends the write in which a thread waits, on a system where it can wait. */
void nio_stderr_cancel(nio_thread *thread);
