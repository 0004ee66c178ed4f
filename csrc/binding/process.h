/* SPDX-License-Identifier: MIT */
/* What there is once per process, whatever interpreter it is used from: one
 * lock that stays usable across fork(), and a count of the forks. Needs no
 * GIL. */
#pragma once

#include "base/lock.h"

#include <stdbool.h>
#include <stdint.h>

/* Guards the life of registrations, the lists in nio_state, and which threads
 * are in which interpreter. Held for a few instructions, and never over a call
 * that can wait. A fork waits for it and gives it up in parent and child, so
 * that no child inherits it locked. */
extern nio_lock nio_process_lock;

/* Prepare for forks, the first time: false when an allocation failed. */
bool nio_process_init(void);
/* How many forks lie between this process and the first import. A thing that
 * notes the generation when it is made is known, by a different number, to
 * be a copy of its parent's in a forked child. */
uint64_t nio_process_generation(void);
