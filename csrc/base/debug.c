/* SPDX-License-Identifier: MIT */
/* The ring of lines, and the thread that writes it: see debug.h. */
#include "base/debug.h"

#include "base/event.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/stderr.h"
#include "base/thread.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 2048 /* memory that is never written to costs nothing */
#define NS_PER_S UINT64_C(1000000000)
#define RETRY_NS UINT64_C(10000000)      /* while stderr is full */
#define LAST_WAIT_NS UINT64_C(200000000) /* for room, while stopping */

bool nio_debug_enabled;

static nio_lock lock = NIO_LOCK_INITIALIZER;
static nio_condition changed; /* `state` has changed */
static enum {
    UNREAD, /* the variable has not been read */
    STOPPED,
    RUNNING,
    STOPPING
} state NIO_GUARDED_BY(lock);
static unsigned users NIO_GUARDED_BY(lock);
static uint64_t stop_at NIO_GUARDED_BY(lock); /* while STOPPING */
/* Both are valid while the writer runs. */
static nio_event wake;  /* a line was put into an empty ring, or STOPPING */
static nio_event ended; /* the writer has finished */
static nio_thread writer;

static char lines[LINES][NIO_DEBUG_LINE] NIO_GUARDED_BY(lock);
static size_t first NIO_GUARDED_BY(lock);
static size_t count NIO_GUARDED_BY(lock);
static uint64_t
    dropped NIO_GUARDED_BY(lock); /* since the last line in the ring */

/* ---- the ring */
static void
put(const char *line) NIO_REQUIRES(lock)
{
    char *place = lines[(first + count) % LINES];
    memcpy(place, line, strlen(line) + 1);
    count++;
}

static void
put_dropped(void) NIO_REQUIRES(lock)
{
    char line[NIO_DEBUG_LINE];
    (void)snprintf(line, sizeof(line),
                   "netioapi: %" PRIu64 " lines dropped: stderr was full\n",
                   dropped);
    dropped = 0;
    put(line);
}

/* Puts a complete line into the ring, or counts it as dropped. */
static void
report(const char *line) NIO_EXCLUDES(lock)
{
    nio_lock_take(&lock);
    bool was_empty = count == 0;
    if (dropped > 0 && count + 2 <= LINES) {
        put_dropped();
    }
    if (dropped > 0 || count == LINES) {
        dropped++;
    } else {
        put(line);
    }
    if (was_empty && state == RUNNING) {
        nio_event_set(&wake);
    }
    nio_lock_drop(&lock);
}

void
nio_debug_line(const char *format, ...)
{
    char line[NIO_DEBUG_LINE];
    const size_t room = sizeof(line) - 1; /* for the end of the line */
    uint64_t now = nio_realtime_ns();
    size_t used =
        (size_t)snprintf(line, room, "netioapi: %" PRIu64 ".%06" PRIu64 " ",
                         now / NS_PER_S, now % NS_PER_S / 1000);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line + used, room - used, format, arguments);
    va_end(arguments);
    used = length < 0 ? used : strlen(line);
    for (size_t i = 0; i < used; i++) {
        line[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
    }
    line[used] = '\n';
    line[used + 1] = 0;
    report(line);
}

const char *
nio_debug_escape(char *text, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (size_t i = 0; i < length && bytes[i] != 0; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        if (byte >= ' ' && byte <= '~' && byte != '\\' && byte != '"') {
            *at++ = (char)byte;
        } else {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
        }
    }
    *at = 0;
    return text;
}

/* ---- the writer */
/* Moves as many lines to `chunk` as fit. Returns their length. */
static size_t
take(char *chunk, bool *ret_stopping)
{
    size_t used = 0;
    nio_lock_take(&lock);
    nio_event_clear(&wake);
    if (count == 0 && dropped > 0) {
        put_dropped();
    }
    while (count > 0) {
        size_t length = strlen(lines[first]);
        if (used + length > NIO_STDERR_CHUNK) {
            break;
        }
        memcpy(chunk + used, lines[first], length);
        used += length;
        first = (first + 1) % LINES;
        count--;
    }
    *ret_stopping = state == STOPPING;
    nio_lock_drop(&lock);
    return used;
}

static bool
is_overdue(void)
{
    nio_lock_take(&lock);
    bool overdue = state == STOPPING && nio_monotonic_ns() >= stop_at;
    nio_lock_drop(&lock);
    return overdue;
}

/* Writes all of the bytes. False: the writer is to stop, and stderr has no
 * room. */
static bool
write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ptrdiff_t written = nio_stderr_write(bytes, size);
        if (written < 0) {
            return true; /* stderr is closed: the lines are discarded */
        }
        bytes += written;
        size -= (size_t)written;
        if (size > 0 && is_overdue()) {
            return false;
        }
        if (written == 0) {
            nio_event_clear(&wake);
            (void)nio_event_wait(&wake, RETRY_NS);
        }
    }
    return true;
}

static void
write_lines(void *unused)
{
    char chunk[NIO_STDERR_CHUNK];
    bool stopping = false, writable = true;
    (void)unused;
    while (writable) {
        size_t size = take(chunk, &stopping);
        if (size > 0) {
            writable = write_all(chunk, size);
        } else if (stopping) {
            break;
        } else {
            (void)nio_event_wait(&wake, NIO_FOREVER);
        }
    }
    nio_event_set(&ended);
}

/* ---- fork, start and stop */
static void
before_fork(void) NIO_ACQUIRE(lock)
{
    nio_lock_take(&lock);
}

static void
after_fork_in_parent(void) NIO_RELEASE(lock)
{
    nio_lock_drop(&lock);
}

/* The child has no writer, and the lines in the ring are the parent's. */
static void
after_fork_in_child(void) NIO_RELEASE(lock)
{
    if (state == RUNNING || state == STOPPING) {
        nio_event_done(&wake);
        nio_event_done(&ended);
        state = STOPPED;
    }
    nio_condition_init(&changed);
    users = 0;
    count = 0;
    dropped = 0;
    nio_lock_drop(&lock);
}

static bool
is_set(const char *value)
{
    return value != NULL && *value != 0 && strcmp(value, "0") != 0;
}

/* Where the system refuses a thread or an event, the ring fills up, and lines
 * beyond it are dropped, until a later start. */
static void
start_writer(void) NIO_REQUIRES(lock)
{
    if (!nio_event_init(&wake)) {
        return;
    }
    if (nio_event_init(&ended)) {
        if (nio_thread_start(&writer, "netio-debug", write_lines, NULL)) {
            state = RUNNING;
            return;
        }
        nio_event_done(&ended);
    }
    nio_event_done(&wake);
}

void
nio_debug_start(void)
{
    nio_lock_take(&lock);
    if (state == UNREAD) {
        /* It fails only on allocation failure. Then a child may hang on a lock
         * that it inherits. */
        (void)nio_at_fork(before_fork, after_fork_in_parent,
                          after_fork_in_child);
        nio_condition_init(&changed);
        nio_debug_enabled = is_set(getenv("NETIOAPI_DEBUG"));
        state = STOPPED;
    }
    users++;
    while (state == STOPPING) {
        nio_condition_wait(&changed, &lock);
    }
    if (nio_debug_enabled && state == STOPPED) {
        start_writer();
    }
    nio_lock_drop(&lock);
}

void
nio_debug_stop(void)
{
    nio_lock_take(&lock);
    bool last = --users == 0 && state == RUNNING;
    if (last) {
        state = STOPPING;
        stop_at = nio_monotonic_ns() + LAST_WAIT_NS;
        nio_event_set(&wake);
    }
    nio_lock_drop(&lock);
    if (!last) {
        return;
    }
    while (nio_event_wait(&ended, LAST_WAIT_NS + RETRY_NS) != NIO_WAIT_SET) {
        nio_stderr_cancel(&writer);
    }
    nio_thread_join(&writer);
    nio_lock_take(&lock);
    nio_event_done(&wake);
    nio_event_done(&ended);
    count = 0; /* lines that found no room are discarded */
    dropped = 0;
    state = STOPPED;
    nio_condition_wake_all(&changed);
    nio_lock_drop(&lock);
}
