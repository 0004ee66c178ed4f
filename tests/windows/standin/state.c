/* SPDX-License-Identifier: MIT */
/* The shared state of the stand-in: its one lock, the settings and figures of
 * tests, and the failures that a test requested. */
#include "change.h"

#include <stdio.h>
#include <string.h>

#define MAX_FAILURES 32
#define NAME_SIZE 64

typedef struct planned_failure {
    char function[NAME_SIZE];
    DWORD code;
    int times; /* -1: for ever */
} planned_failure;

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
static unsigned waiting;
static planned_failure failures[MAX_FAILURES];
static unsigned failure_count;

/* The ways of Windows. */
#define WAYS_OF_WINDOWS                                                       \
    {                                                                         \
        [STANDIN_SYNCHRONOUS_INITIAL] = 1,                                    \
        [STANDIN_REPEAT_STABLE] = 1,                                          \
        [STANDIN_FAMILY_QUEUES] = 1,                                          \
        [STANDIN_MERGE] = 1,                                                  \
    }

DWORD standin_settings[STANDIN_SETTINGS] = WAYS_OF_WINDOWS;
LONG standin_figures[STANDIN_FIGURES];

void
standin_lock(void)
{
    AcquireSRWLockExclusive(&lock);
}

void
standin_unlock(void)
{
    ReleaseSRWLockExclusive(&lock);
}

bool
standin_wait_locked(DWORD timeout_ms)
{
    waiting++;
    BOOL woken = SleepConditionVariableSRW(&changed, &lock, timeout_ms, 0);
    waiting--;
    return woken != FALSE;
}

void
standin_wake_locked(void)
{
    if (waiting > 0) {
        WakeAllConditionVariable(&changed);
    }
}

void
standin_default_settings_locked(void)
{
    static const DWORD defaults[STANDIN_SETTINGS] = WAYS_OF_WINDOWS;
    memcpy(standin_settings, defaults, sizeof(standin_settings));
    failure_count = 0;
    standin_wake_locked();
}

void
standin_die(const char *why)
{
    fprintf(stderr, "stand-in iphlpapi.dll: %s\n", why);
    fflush(stderr);
    TerminateProcess(GetCurrentProcess(), 99);
}

static planned_failure *
find_failure_locked(const char *function)
{
    for (unsigned i = 0; i < failure_count; i++) {
        if (strcmp(failures[i].function, function) == 0) {
            return &failures[i];
        }
    }
    return NULL;
}

DWORD
standin_failure(const char *function)
{
    DWORD code = NO_ERROR;
    journal_begin();
    standin_lock();
    planned_failure *failure = find_failure_locked(function);
    if (failure != NULL && failure->times != 0) {
        code = failure->code;
        if (failure->times > 0) {
            failure->times--;
        }
    }
    standin_unlock();
    return code;
}

/* The next `times` calls of that exported function return `code` and do
 * nothing else; -1: all calls, 0: none any more. */
EXPORT DWORD WINAPI
standin_fail(const char *function, DWORD code, int times)
{
    DWORD status = NO_ERROR;
    if (function == NULL || strlen(function) >= NAME_SIZE) {
        return ERROR_INVALID_PARAMETER;
    }
    standin_lock();
    planned_failure *failure = find_failure_locked(function);
    if (failure == NULL && failure_count < MAX_FAILURES) {
        failure = &failures[failure_count++];
        strcpy(failure->function, function);
    }
    if (failure == NULL) {
        status = ERROR_NOT_ENOUGH_MEMORY;
    } else {
        failure->code = code;
        failure->times = times;
    }
    standin_unlock();
    return status;
}

/* Returns the value before, or -1 for an unknown setting. */
EXPORT LONG WINAPI
standin_set(int what, DWORD value)
{
    if (what < 0 || what >= STANDIN_SETTINGS) {
        return -1;
    }
    standin_lock();
    LONG before = (LONG)standin_settings[what];
    standin_settings[what] = value;
    standin_wake_locked();
    standin_unlock();
    return before;
}

EXPORT LONG WINAPI
standin_stat(int what)
{
    if (what < 0 || what >= STANDIN_FIGURES) {
        return -1;
    }
    standin_lock();
    LONG figure = standin_figures[what];
    standin_unlock();
    return figure;
}

/* Waits until no event is queued and no callback runs: 1, or 0 after the
 * time-out. */
EXPORT int WINAPI
standin_drain(DWORD timeout_ms)
{
    ULONGLONG end = GetTickCount64() + timeout_ms;
    int drained = 1;
    standin_lock();
    while (standin_figures[STANDIN_QUEUED] > 0 ||
           standin_figures[STANDIN_RUNNING] > 0) {
        ULONGLONG now = GetTickCount64();
        if (now >= end) {
            drained = 0;
            break;
        }
        standin_wait_locked((DWORD)(end - now));
    }
    standin_unlock();
    return drained;
}
