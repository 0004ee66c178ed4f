/* SPDX-License-Identifier: MIT */
/* An unpredictable number, for hash tables whose keys an attacker may choose.
 */
#pragma once

#include <stdint.h>

/* Never waits for entropy. */
uint64_t nio_seed(void);
