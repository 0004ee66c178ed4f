/* SPDX-License-Identifier: MIT */
/* Makes the kernel drop the route messages of unwanted tables before they
 * reach an event socket. */
#pragma once

#include "rtnetlink/socket/event_socket.h"
#include "rtnetlink/socket/table_set.h"

/* Replace the socket's filter, in one step: it then receives all messages of
 * its groups except route messages of tables outside the set. Some of those
 * still come, and all of them where the system allows no filter, so the
 * receiver must check the table itself. Negative errno: the old filter could
 * not be removed and may hide wanted messages. */
int nio_event_socket_filter(nio_event_socket *events,
                            const nio_table_set *tables);
