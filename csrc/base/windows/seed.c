/* SPDX-License-Identifier: MIT */
/* Windows: the seed comes from the system's generator through rand_s(). */
#define _CRT_RAND_S
#include <stdlib.h>

#include "base/seed.h"

uint64_t
nio_seed(void)
{
    unsigned high = 0x9e3779b9u, low = 0x7f4a7c15u;

    (void)rand_s(&high); /* a failure leaves the initial value */
    (void)rand_s(&low);
    return ((uint64_t)high << 32) | low;
}
