/* SPDX-License-Identifier: MIT */
/* A number that nobody can guess, for hash tables whose keys a stranger may
 * choose. Never waits. */
#pragma once

#include <stdint.h>

uint64_t nio_seed(void);
