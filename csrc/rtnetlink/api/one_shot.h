/* SPDX-License-Identifier: MIT */
/* One-shot reads of the kernel's tables, by the calling thread for itself: the
 * Get* functions are made of them. No engine is needed or used. All codes are
 * Win32 codes. */
#pragma once

#include "contract/tower.h"
#include "rtnetlink/engine/dump.h"
#include "rtnetlink/socket/request_socket.h"

#include <sys/types.h>

typedef struct nio_one_shot {
    nio_request_socket requests;
    nio_mirror mirror; /* links; addresses and nexthops once they are read */
    nio_dumper dumper; /* into the mirror */
    const nio_read_limit *limit; /* borrowed */
    uint64_t deadline_ns;
    uint64_t ask_ns; /* when limit->goes_on is asked next */
    pid_t process;   /* that reads */
    bool stop;       /* the limit is reached */
    DWORD stopped;   /* then: ERROR_TIMEOUT or ERROR_CANCELLED */
} nio_one_shot;

/* Open a socket and read the links. `limit` is borrowed until the close; NULL:
 * the default one. To be closed on failure, too. */
DWORD nio_one_shot_open(nio_one_shot *one_shot, const nio_read_limit *limit);
void nio_one_shot_close(nio_one_shot *one_shot);

DWORD nio_read_addresses(nio_one_shot *one_shot);
DWORD nio_read_nexthops(nio_one_shot *one_shot);
DWORD nio_read_neighbour_times(nio_one_shot *one_shot);

/* Is the limit reached? Called between the parts of each dump, which then ends
 * with -ECANCELED at the next row. */
bool nio_one_shot_is_over(nio_one_shot *one_shot);
/* Have it called there, if another function was called meanwhile. */
void nio_one_shot_watch(nio_one_shot *one_shot);
/* The code of a negative errno that ended a dump; NO_ERROR of 0. */
DWORD nio_one_shot_code(const nio_one_shot *one_shot, int status);
