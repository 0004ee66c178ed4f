/* SPDX-License-Identifier: MIT */
/* What exists once per process and is shared by all interpreters: one lock
 * that stays usable across fork(), and a count of the forks. Needs no GIL. */
#pragma once

#include "base/lock.h"

#include <stdbool.h>
#include <stdint.h>

/* Guards the life of registrations, the lists in nio_state, and which threads
 * are in which interpreter. Held for a few instructions, and never over a call
 * that can wait. The forking thread takes it before fork() and releases it in
 * the parent and in the child, so that no child inherits it locked. */
extern nio_lock nio_process_lock;

/* Registers the fork handlers, once per process. False when an allocation
 * failed. */
bool nio_process_init(void);
/* How many forks lie between this process and the first import. An object
 * records this number when it is made. If the recorded number differs, the
 * process is a forked child, and the object is a copy of its parent's. */
uint64_t nio_process_generation(void);
