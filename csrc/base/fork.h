/* SPDX-License-Identifier: MIT */
/* Handlers around fork(), which copies the memory of all threads and continues
 * with one of them: a lock that another thread held stays held in the child
 * for ever. For code with a lock that any thread may hold at a fork, and for
 * code that must know that it runs in a child. On a system without fork() no
 * handler is ever called. */
#pragma once

#include <stdbool.h>

/* Has the thread that forks call `before` before each fork, then `in_parent`
 * in the parent and `in_child` in the child; this cannot be undone. False on
 * allocation failure. */
bool nio_at_fork(void (*before)(void), void (*in_parent)(void),
                 void (*in_child)(void));
