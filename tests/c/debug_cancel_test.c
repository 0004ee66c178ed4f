/* SPDX-License-Identifier: MIT */
/* The stop of NETIOAPI_DEBUG on a system where a write to a full stderr waits
 * for its reader until another thread cancels it (base/windows/stderr.c). */
#define _GNU_SOURCE

#include "base/debug.h"
#include "base/event.h"
#include "base/stderr.h"

#include "check.h"

#include <stdlib.h>

/* One cancel suffices; on a loaded machine the writer may end late. */
enum { LINES = 4096, MOST = 4 };

static nio_event cancelled;
static nio_atomic writes, cancels, room;

ptrdiff_t
nio_stderr_write(const char *bytes, size_t size)
{
    uint64_t left = nio_atomic_load(&room);
    (void)bytes;
    (void)nio_atomic_add(&writes, 1);
    if (left >= size) {
        nio_atomic_store(&room, left - size);
        return (ptrdiff_t)size;
    }
    CHECK_EQUAL(nio_event_wait(&cancelled, NIO_FOREVER), NIO_WAIT_SET);
    nio_event_clear(&cancelled);
    nio_atomic_store(&room, 0);
    return (ptrdiff_t)left;
}

void
nio_stderr_cancel(nio_thread *thread)
{
    (void)thread;
    (void)nio_atomic_add(&cancels, 1);
    nio_event_set(&cancelled);
}

/* The first cancel comes when the time for the last lines is over. */
static void
stop_ends_with_a_cancel(uint64_t bytes)
{
    nio_atomic_store(&room, bytes);
    nio_atomic_store(&writes, 0);
    nio_atomic_store(&cancels, 0);
    nio_debug_start();
    for (int i = 0; i < LINES; i++) {
        nio_debug_line("never read");
    }
    while (nio_atomic_load(&writes) == 0) {
        nio_thread_pause(1000000);
    }
    nio_debug_stop();
    CHECK(nio_atomic_load(&cancels) >= 1);
    CHECK(nio_atomic_load(&cancels) <= MOST);
}

int
main(void)
{
    CHECK(nio_event_init(&cancelled));
    CHECK_EQUAL(setenv("NETIOAPI_DEBUG", "1", 1), 0);
    RUN(stop_ends_with_a_cancel(0));
    RUN(stop_ends_with_a_cancel(100));
    RUN(stop_ends_with_a_cancel(3 * NIO_STDERR_CHUNK));
    puts("ok");
    return 0;
}
