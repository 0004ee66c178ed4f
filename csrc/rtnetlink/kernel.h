/* SPDX-License-Identifier: MIT */
/* The kernel's tables as they are now, read by the calling thread for itself:
 * what the Get* functions answer with. No engine is needed or used. Codes of
 * Windows. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/mirror.h"
#include "rtnetlink/socket.h"

/* A reading: a socket, and the tables that rows are made with. */
typedef struct nio_reading {
    nio_requester requester;
    nio_mirror mirror; /* links; addresses and nexthops where asked for */
} nio_reading;

/* Opens a socket and reads the links. On failure nothing is to be closed. */
DWORD nio_reading_open(nio_reading *reading);
void nio_reading_close(nio_reading *reading);

DWORD nio_read_addresses(nio_reading *reading);
DWORD nio_read_nexthops(nio_reading *reading);
DWORD nio_read_times(nio_reading *reading);

/* Every leg of every route of a family (AF_UNSPEC: both), as the kernel gives
 * them; a negative result of `leg` ends the walk. `index` (0: none): only
 * routes with a leg on this interface are wanted, others may come too. */
DWORD nio_read_routes(nio_reading *reading, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      void *context);
