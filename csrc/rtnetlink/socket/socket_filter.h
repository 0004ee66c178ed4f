/* SPDX-License-Identifier: MIT */
/* Has the kernel drop the route messages of unwanted tables before they reach
 * a feed. */
#pragma once

#include "rtnetlink/socket/event_socket.h"
#include "rtnetlink/socket/table_set.h"

/* From its return on, in one step, the feed gets all messages of its groups
 * but those of routes in other tables. It may get some of these too: always
 * look. Where the system allows no filter it gets all. Negative errno: it may
 * miss what is wanted. */
int nio_event_socket_filter(nio_event_socket *feed,
                            const nio_table_set *tables);
