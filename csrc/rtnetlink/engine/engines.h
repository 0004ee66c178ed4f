/* SPDX-License-Identifier: MIT */
/* One engine serves a network namespace: its thread, netio-reader, receives
 * the kernel's changes, mirrors the kernel's tables and puts the differences
 * into the queues of the subscribers. It starts with the first subscriber of
 * the namespace (that of the calling thread) and ends with the last one.
 *
 * Any thread may call these functions. They wait for the reader, and the
 * reader never waits for their callers. Errors are negative errno. */
#pragma once

#include "contract/tower.h"
#include "rtnetlink/mirror/subscriber.h"

typedef struct nio_engine nio_engine;

/* The engine of the calling thread's namespace, with one user more. */
int nio_engine_acquire(nio_engine **ret_engine);
/* One user less: the last one stops the reader and joins it. */
void nio_engine_release(nio_engine *engine);

/* When it returns, every later change reaches the subscriber, and the mirror
 * was exact at some moment since the call. `receive_buffer` is in bytes; 0
 * leaves it as it is. */
int nio_engine_attach(nio_engine *engine, nio_subscriber *subscriber,
                      int receive_buffer);
/* When it returns, nothing reaches the subscriber any more. */
void nio_engine_detach(nio_engine *engine, nio_subscriber *subscriber);

nio_statistics nio_engine_statistics(nio_engine *engine);
