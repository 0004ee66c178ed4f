/* SPDX-License-Identifier: MIT */
/* fork() copies the memory of all threads and goes on with one of them: what
 * the others held stays held in the child for ever. Who has a lock that any
 * thread may hold then, or must know that it is a child, registers here.
 * Where there is no fork nothing is ever called. */
#pragma once

#include <stdbool.h>

/* From now on and for ever, in the thread that forks: `before` before each
 * fork, then `in_parent` in the parent and `in_child` in the child. False
 * when memory is short. */
bool nio_at_fork(void (*before)(void), void (*in_parent)(void),
                 void (*in_child)(void));
