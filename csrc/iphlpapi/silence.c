/* SPDX-License-Identifier: MIT */
/* See silence.h. */
#include "iphlpapi/silence.h"

#include "base/event.h"
#include "iphlpapi/row_tables.h"

/* The longest time that a notification can be late. */
#define LATE_NS UINT64_C(2000000000)

void
nio_silence_begin(nio_silence *self, uint64_t interval_ns)
{
    *self = (nio_silence){.interval_ns = interval_ns,
                          .due = nio_monotonic_ns() + interval_ns};
}

uint64_t
nio_silence_wait(const nio_silence *self)
{
    const uint64_t now = nio_monotonic_ns();

    return self->interval_ns == 0 ? NIO_FOREVER
           : self->due > now      ? self->due - now
                                  : 0;
}

unsigned
nio_silence_look(nio_silence *self, nio_registrations *registrations,
                 const nio_row_cache *cache)
{
    unsigned suspects = 0, silent = 0;

    if (nio_silence_wait(self) != 0) {
        return 0;
    }
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        const unsigned bit = 1u << kind;
        const uint64_t heard = nio_atomic_load(&registrations->heard[kind]);
        const bool quiet = heard == self->heard[kind];
        self->heard[kind] = heard;
        if ((cache->kinds & bit) == 0 || !quiet || cache->dirty ||
            cache->stale != 0 ||
            !nio_row_cache_differs(cache, (nio_kind)kind)) {
            continue;
        }
        if ((self->suspects & bit) != 0) {
            silent |= bit;
        } else {
            suspects |= bit;
        }
    }
    self->suspects = suspects;
    self->due =
        nio_monotonic_ns() + (suspects != 0 && self->interval_ns > LATE_NS
                                  ? LATE_NS
                                  : self->interval_ns);
    return silent;
}
