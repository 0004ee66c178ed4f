/* SPDX-License-Identifier: MIT */
/* What the fake tower does differently from ours, as a test sets it through
 * fake_set(). The tests know the numbers (system.py). */
#pragma once

#include "contract/tower.h"

enum {
    SYNCHRONOUS, /* two INITIAL callbacks on the registering thread */
    FAIL_CANCEL, /* the code that CancelMibChangeNotify2 returns */
    NULL_HANDLE, /* registering succeeds with NULL as the handle */
    REFUSE,      /* the code that registering returns */
    STABLE_NOW,  /* the stable table is ready at once */
    LATE,        /* the number of callbacks during a cancel */
    NO_THREADS,  /* pthread_create fails */
    NO_EVENTS,   /* eventfd fails */
    BATCHES,     /* all callbacks of one thread are one batch */
    HOLD_DELETE, /* PyThreadState_Delete waits until this is 0 again */
    NO_INITIAL,  /* the binding makes the INITIAL calls */
    SETTINGS
};

int fake_setting(int setting);
/* Counts the threads in the held PyThreadState_Delete. */
void fake_held(int change);
void fake_hooks(const nio_hooks *hooks);
