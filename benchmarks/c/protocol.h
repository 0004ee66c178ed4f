/* SPDX-License-Identifier: MIT */
/* The protocol of the C programs: a line of JSON for each event on stdout; on
 * failure one line with the reason on stderr. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t
nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline _Noreturn void
fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* The measuring process looks at this one until it sends a line or closes our
 * input. */
static inline void
wait_for_line(void)
{
    char line[100];
    fflush(stdout);
    (void)!read(STDIN_FILENO, line, sizeof(line));
}
