/* SPDX-License-Identifier: MIT */
/* The lines of NETIOAPI_DEBUG: what a line looks like, a stderr that nothing
 * reads, and threads that report, start and stop at the same time. */
#define _GNU_SOURCE

#include "base/debug.h"
#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"

#include "check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { RING = 2048, REPORTERS = 4, ROUNDS = 30, LINES_PER_ROUND = 50 };
#define SECOND UINT64_C(1000000000)

/* ---- stderr as a pipe, which a test reads when it chooses to */
static int pipe_end;    /* to read from */
static int real_stderr; /* for a check that fails */
static char text[8 << 20];
static size_t length;

static void
begin_capture(void)
{
    int ends[2];
    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    pipe_end = ends[0];
    CHECK_EQUAL(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    CHECK_EQUAL(close(ends[1]), 0);
    length = 0;
}

/* Without waiting. */
static void
read_what_is_there(void)
{
    ssize_t count;
    CHECK_EQUAL(fcntl(pipe_end, F_SETFL, O_NONBLOCK), 0);
    while ((count = read(pipe_end, text + length, sizeof(text) - 1 - length)) >
           0) {
        length += (size_t)count;
    }
    text[length] = 0;
}

static void
end_capture(void)
{
    read_what_is_there();
    CHECK_EQUAL(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
    CHECK_EQUAL(close(pipe_end), 0);
}

/* Counts in `text` the complete lines with `word`, and the lines reported as
 * dropped. */
static void
count_lines(const char *word, uint64_t *ret_lines, uint64_t *ret_dropped)
{
    const char *end;
    *ret_lines = *ret_dropped = 0;
    for (const char *start = text; (end = strchr(start, '\n')) != NULL;
         start = end + 1) {
        char line[NIO_DEBUG_LINE];
        uint64_t dropped;
        CHECK((size_t)(end - start) < sizeof(line));
        memcpy(line, start, (size_t)(end - start));
        line[end - start] = 0;
        CHECK(strncmp(line, "netioapi: ", 10) == 0);
        *ret_lines += strstr(line, word) != NULL;
        if (strstr(line, "lines dropped") != NULL) {
            CHECK_EQUAL(sscanf(line, "netioapi: %" SCNu64, &dropped), 1);
            *ret_dropped += dropped;
        }
    }
}

static bool
is_complete(void)
{
    return length == 0 || text[length - 1] == '\n';
}

/* ---- one line */
static void
every_byte_of_a_name_is_escaped_or_printable(void)
{
    char bytes[255], escaped[4 * sizeof(bytes) + 1];
    size_t at = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i + 1);
    }
    nio_debug_escape(escaped, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        unsigned value = 0;
        if (escaped[at] == '\\') {
            CHECK_EQUAL(sscanf(escaped + at, "\\x%2x", &value), 1);
            at += 4;
        } else {
            value = (unsigned char)escaped[at++];
            CHECK(value >= ' ' && value <= '~' && value != '"');
        }
        CHECK_EQUAL(value, i + 1);
    }
    CHECK_EQUAL(escaped[at], 0);
    CHECK_EQUAL(strcmp(nio_debug_escape(escaped, "ab\0c", 4), "ab"), 0);
}

static void
a_long_line_is_cut_and_stays_one_line(void)
{
    char longest[2 * NIO_DEBUG_LINE];
    uint64_t lines, dropped;
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    begin_capture();
    nio_debug_start();
    CHECK(nio_debug_enabled);
    nio_debug_line("%s", longest);
    nio_debug_line("a\nb\x1b[31m\xff");
    nio_debug_stop();
    end_capture();
    CHECK(strstr(text, " a?b?[31m?\n") != NULL);
    count_lines("netioapi", &lines, &dropped);
    CHECK_EQUAL(lines, 2);
}

/* ---- a stderr that nothing reads */
static void
lines_without_room_are_counted_in_their_place(void)
{
    const uint64_t total = 4 * RING;
    uint64_t lines, dropped;
    const uint64_t deadline = nio_monotonic_ns() + 60 * SECOND;
    begin_capture();
    nio_debug_start();
    for (uint64_t i = 0; i < total; i++) {
        nio_debug_line("early");
    }
    do { /* until the ring is empty, so that there is room for one line */
        CHECK(nio_monotonic_ns() < deadline);
        read_what_is_there();
        count_lines("early", &lines, &dropped);
    } while (lines + dropped < total);
    nio_debug_line("late");
    nio_debug_stop();
    end_capture();
    CHECK(strstr(text, "early\nnetioapi: ") != NULL);
    CHECK(strstr(text, "late\n") > strstr(text, "dropped"));
    CHECK(is_complete());
    count_lines("early", &lines, &dropped);
    CHECK(dropped > 0);
    CHECK_EQUAL(lines + dropped, total);
}

static void
stop_does_not_wait_for_a_full_stderr(void)
{
    uint64_t began;
    begin_capture();
    nio_debug_start();
    for (int i = 0; i < 2 * RING; i++) {
        nio_debug_line("never read");
    }
    began = nio_monotonic_ns();
    nio_debug_stop();
    CHECK(nio_monotonic_ns() - began < 20 * SECOND); /* it takes 0.2 s */
    end_capture();
}

/* ---- threads */
static nio_atomic reported;

static void
report_lines(void *unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        nio_debug_start();
        for (int i = 0; i < LINES_PER_ROUND; i++) {
            nio_debug_line("line %d of round %d", i, round);
            (void)nio_atomic_add(&reported, 1);
        }
        nio_debug_stop();
    }
}

/* The stop of the last user joins the writer; the next start starts another.
 */
static void
threads_that_start_and_stop_lose_no_line(void)
{
    nio_thread threads[REPORTERS];
    uint64_t lines, dropped;
    const uint64_t total = REPORTERS * ROUNDS * LINES_PER_ROUND;
    begin_capture();
    /* Room for all: a stop discards the lines that find none for 0.2 s. */
    CHECK(fcntl(pipe_end, F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
    for (int i = 0; i < REPORTERS; i++) {
        CHECK(nio_thread_start(&threads[i], "reporter", report_lines, NULL));
    }
    while (nio_atomic_load(&reported) < total) {
        read_what_is_there();
    }
    for (int i = 0; i < REPORTERS; i++) {
        nio_thread_join(&threads[i]);
    }
    end_capture();
    count_lines("of round", &lines, &dropped);
    CHECK_EQUAL(lines + dropped, total);
}

int
main(void)
{
    real_stderr = dup(STDERR_FILENO);
    CHECK(real_stderr >= 0);
    CHECK_EQUAL(setenv("NETIOAPI_DEBUG", "1", 1), 0);
    CHECK(!nio_debug_enabled); /* read by the first start */
    RUN(every_byte_of_a_name_is_escaped_or_printable());
    RUN(a_long_line_is_cut_and_stays_one_line());
    RUN(lines_without_room_are_counted_in_their_place());
    RUN(stop_does_not_wait_for_a_full_stderr());
    RUN(threads_that_start_and_stop_lose_no_line());
    puts("ok");
    return 0;
}
