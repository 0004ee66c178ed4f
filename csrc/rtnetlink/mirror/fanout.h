/* SPDX-License-Identifier: MIT */
/* From one mirror to all its subscribers: makes the row of a changed record
 * once and gives it to those that want it. Not locked: the reader's alone. */
#pragma once

#include "base/store.h"
#include "contract/tower.h"
#include "rtnetlink/decode/record.h"
#include "rtnetlink/mirror/subscriber.h"

typedef struct nio_fanout {
    nio_subscriber *subscribers;
    unsigned kinds;         /* that any subscriber wants */
    bool lifetimes;         /* a subscriber follows them */
    bool has_names;         /* the filter of a subscriber has names */
    const nio_store *links; /* the mirror's: for LUIDs and names */
    const uint32_t *now_s;  /* the mirror's clock of lifetimes */
    uint64_t time_ns;       /* when the message being applied was read */
    uint8_t flags; /* NIO_FLAG_SYNTHESIZED if no message reports the change */
} nio_fanout;

void nio_fanout_attach(nio_fanout *fanout, nio_subscriber *subscriber);
void nio_fanout_detach(nio_fanout *fanout, nio_subscriber *subscriber);

/* Reserve memory in every queue for the changes of one message. The mirror
 * changes a record only after this has succeeded, so that every change that it
 * knows reaches the subscribers. False: allocation failure. */
bool nio_fanout_reserve(const nio_fanout *fanout);

/* Report a change of one record. */
void nio_fanout_route(const nio_fanout *fanout, uint8_t type,
                      const nio_route *route);
/* For those that read tables of the system beside their queue: a route that
 * the mirror has, and that such a table may have lacked. */
void nio_fanout_uncovered_route(const nio_fanout *fanout,
                                const nio_route *route);
/* For those that follow lifetimes: this one was set anew. */
void nio_fanout_renewed_route(const nio_fanout *fanout,
                              const nio_route *route);
void nio_fanout_renewed_address(const nio_fanout *fanout,
                                const nio_address *address);
void nio_fanout_address(const nio_fanout *fanout, uint8_t type,
                        const nio_address *address);
/* Compare the rows of both families before (NULL: the link is new) and after
 * (NULL: it is gone), and report each difference. */
void nio_fanout_link(const nio_fanout *fanout, const nio_link *before,
                     const nio_link *after);
/* Report to all that changes were lost. The repair follows, and a SYNCED mark
 * after it. */
void nio_fanout_mark_overflow(const nio_fanout *fanout);

/* Wake every thread that waits for changes put since the last signal. The
 * reader calls this before it waits itself. */
void nio_fanout_signal(nio_fanout *fanout);
