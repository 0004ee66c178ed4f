/* SPDX-License-Identifier: MIT */
/* Reads for one call: see one_shot.h. */
#include "rtnetlink/api/one_shot.h"

#include "rtnetlink/api/errors.h"

#include "base/lock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_ATTEMPTS 10 /* at a dump with which no change raced */
#define ASK_EVERY_NS 50000000u

static const nio_read_limit default_limit = {.timeout_ns =
                                                 NIO_READ_TIMEOUT_NS};

bool
nio_one_shot_is_over(nio_one_shot *one_shot)
{
    const nio_read_limit *limit = one_shot->limit;
    const uint64_t now = nio_monotonic_ns();
    if (!one_shot->stop && limit->goes_on != NULL && now >= one_shot->ask_ns) {
        /* The child of a fork shares the socket with its parent. */
        one_shot->stop =
            !limit->goes_on(limit->context) || getpid() != one_shot->process;
        one_shot->stopped = ERROR_CANCELLED;
        one_shot->ask_ns = now + ASK_EVERY_NS;
    }
    if (!one_shot->stop && now >= one_shot->deadline_ns) {
        one_shot->stop = true;
        one_shot->stopped = ERROR_TIMEOUT;
    }
    return one_shot->stop;
}

static void
between_parts(void *context)
{
    (void)nio_one_shot_is_over(context);
}

void
nio_one_shot_watch(nio_one_shot *one_shot)
{
    one_shot->requests.between = between_parts;
    one_shot->requests.context = one_shot;
}

DWORD
nio_one_shot_code(const nio_one_shot *one_shot, int status)
{
    return status == -ECANCELED && one_shot->stop ? one_shot->stopped
                                                  : nio_code_of(status);
}

static uint64_t
deadline_of(const nio_read_limit *limit, uint64_t now)
{
    return limit->timeout_ns > UINT64_MAX - now ? UINT64_MAX
                                                : now + limit->timeout_ns;
}

DWORD
nio_one_shot_open(nio_one_shot *one_shot, const nio_read_limit *limit)
{
    const uint64_t now = nio_monotonic_ns();
    memset(one_shot, 0, sizeof(*one_shot));
    one_shot->limit = limit == NULL ? &default_limit : limit;
    one_shot->deadline_ns = deadline_of(one_shot->limit, now);
    one_shot->ask_ns = now + ASK_EVERY_NS;
    one_shot->process = getpid();
    nio_mirror_init(&one_shot->mirror);
    one_shot->dumper = (nio_dumper){.requests = &one_shot->requests,
                                    .mirror = &one_shot->mirror,
                                    .stop = &one_shot->stop,
                                    .max_attempts = MAX_ATTEMPTS,
                                    .accept_raced = true};
    int status = nio_request_socket_open(&one_shot->requests);
    nio_one_shot_watch(one_shot);
    return nio_one_shot_code(
        one_shot, status < 0 ? status : nio_dump_links(&one_shot->dumper));
}

void
nio_one_shot_close(nio_one_shot *one_shot)
{
    nio_request_socket_close(&one_shot->requests);
    nio_mirror_done(&one_shot->mirror);
}

DWORD
nio_read_addresses(nio_one_shot *one_shot)
{
    return nio_one_shot_code(one_shot, nio_dump_addresses(&one_shot->dumper));
}

DWORD
nio_read_nexthops(nio_one_shot *one_shot)
{
    return nio_one_shot_code(one_shot, nio_dump_nexthops(&one_shot->dumper));
}

DWORD
nio_read_neighbour_times(nio_one_shot *one_shot)
{
    return nio_one_shot_code(one_shot,
                             nio_dump_neighbour_times(&one_shot->dumper));
}
