/* SPDX-License-Identifier: MIT */
/* Linux: the seed comes from getrandom(). */
#include "base/seed.h"

#include <sys/random.h>

uint64_t
nio_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) !=
        (ssize_t)sizeof(seed)) {
        seed = 0x9e3779b97f4a7c15u; /* early boot: no entropy yet */
    }
    return seed;
}
