/* SPDX-License-Identifier: MIT */
/* Finds registrations that have gone silent. Where the service of the
 * notifications cannot take the next request of a registration, there is no
 * error. So from time to time, of each kind that was not heard of since,
 * the table is read: if it differs from the rows that are known, and still
 * does a moment later, without a notification, the registration is silent. */
#pragma once

#include "iphlpapi/registrations.h"
#include "iphlpapi/row_cache.h"

typedef struct nio_silence {
    uint64_t interval_ns; /* between two looks; 0: it never looks */
    uint64_t due;         /* the next look, by the monotonic clock */
    uint64_t heard[NIO_KINDS];
    unsigned suspects; /* kinds whose tables differed at the last look */
} nio_silence;

void nio_silence_begin(nio_silence *self, uint64_t interval_ns);
/* Until the next look; NIO_FOREVER: there is none. */
uint64_t nio_silence_wait(const nio_silence *self);
/* Looks, if it is time to. The cache has taken in all notifications. Returns
 * the kinds whose registrations are silent, as bits. */
unsigned nio_silence_look(nio_silence *self, nio_registrations *registrations,
                          const nio_row_cache *cache);
