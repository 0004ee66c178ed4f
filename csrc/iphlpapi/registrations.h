/* SPDX-License-Identifier: MIT */
/* The registrations of a subscription with the system: one for each kind of
 * rows. One thread at a time begins, renews and ends them. */
#pragma once

#include "base/lock.h"
#include "contract/tower.h"

typedef struct nio_registrations {
    /* On the system's threads, and on several at once. */
    void (*notified)(void *context, nio_kind kind, const void *row,
                     MIB_NOTIFICATION_TYPE type);
    void *context;
    ADDRESS_FAMILY families[NIO_KINDS];
    HANDLE handles[NIO_KINDS];
    NETIO_STATUS status; /* of the first cancel that failed */

    /* any thread */
    nio_atomic heard[NIO_KINDS]; /* notifications */
} nio_registrations;

/* `notified`, `context` and `families` are set. Bits: 1u << NIO_ROUTE, ... */
NETIO_STATUS nio_registrations_begin(nio_registrations *self, unsigned kinds);
/* Registers those of these kinds anew, without a gap. A registration that
 * cannot be made anew stays. */
void nio_registrations_renew(nio_registrations *self, unsigned kinds);
/* Returns `status`: unless it is NO_ERROR, the system may call back for ever.
 */
NETIO_STATUS nio_registrations_end(nio_registrations *self);
