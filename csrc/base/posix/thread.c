/* SPDX-License-Identifier: MIT */
/* POSIX: threads. Each has a name for `ps -L` and debuggers. Signals are
 * blocked, so that a program's handlers run on the program's own threads. Only
 * a thread that runs a program's code (nio_thread_start_unmasked) has the
 * signal mask of the thread that started it. */
#define _GNU_SOURCE /* pthread_setname_np */

#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The process (in the upper half), and how many of its threads have all
 * signals blocked: a forked child has none of its parent's. */
static nio_atomic blocked;

static uint32_t
blocked_threads(uint64_t value)
{
    return value >> 32 == (uint64_t)getpid() ? (uint32_t)value : 0;
}

static void
count_blocked(bool begins)
{
    uint64_t before, after;
    do {
        before = nio_atomic_load(&blocked);
        after = blocked_threads(before);
        after += begins ? 1 : UINT32_MAX;
        after = (uint64_t)getpid() << 32 | (uint32_t)after;
    } while (!nio_atomic_replace(&blocked, before, after));
}

/* The task of a new thread, which owns it once it runs. */
typedef struct start {
    void (*run)(void *argument);
    void *argument;
    char name[16]; /* the kernel's limit, with the NUL */
    bool unmasked;
    sigset_t mask; /* of the thread that started it */
} start;

static void *
thread_main(void *argument)
{
    start *mine = argument;
    void (*run)(void *) = mine->run;
    void *given = mine->argument;

    (void)pthread_setname_np(pthread_self(), mine->name); /* only an aid */
    const bool unmasked = mine->unmasked;
    if (unmasked) {
        (void)pthread_sigmask(SIG_SETMASK, &mine->mask, NULL);
    } else {
        count_blocked(true);
    }
    free(mine);
    run(given);
    if (!unmasked) {
        count_blocked(false);
    }
    return NULL;
}

static bool
start_thread(nio_thread *thread, const char *name, void (*run)(void *argument),
             void *argument, bool unmasked)
{
    sigset_t all, before;
    int error;
    start *mine = calloc(1, sizeof(*mine));

    thread->started = false;
    if (mine == NULL) {
        return false;
    }
    mine->run = run;
    mine->argument = argument;
    mine->unmasked = unmasked;
    strncpy(mine->name, name, sizeof(mine->name) - 1);

    /* A thread inherits its mask. If the new thread blocked signals itself, it
     * could receive one before that. */
    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    assert(error == 0);
    mine->mask = before;
    error = pthread_create(&thread->native, NULL, thread_main, mine);
    thread->started = error == 0;
    error = pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(error == 0);
    (void)error;

    if (!thread->started) {
        free(mine);
    }
    return thread->started;
}

bool
nio_thread_start(nio_thread *thread, const char *name,
                 void (*run)(void *argument), void *argument)
{
    return start_thread(thread, name, run, argument, false);
}

bool
nio_thread_start_unmasked(nio_thread *thread, const char *name,
                          void (*run)(void *argument), void *argument)
{
    return start_thread(thread, name, run, argument, true);
}

void
nio_thread_join(nio_thread *thread)
{
    if (!thread->started) {
        return;
    }
    int error = pthread_join(thread->native, NULL);
    assert(error == 0); /* EDEADLK: a thread joins itself */
    (void)error;
    thread->started = false;
}

/* musl and glibc alike: the address of the thread's descriptor. */
uint64_t
nio_thread_number(void)
{
    return (uint64_t)(uintptr_t)pthread_self();
}

bool
nio_thread_alone_takes_signals(void)
{
    struct stat tasks; /* a directory with an entry for each thread */
    return stat("/proc/self/task", &tasks) == 0 &&
           tasks.st_nlink ==
               2 + 1 + blocked_threads(nio_atomic_load(&blocked));
}

void
nio_thread_pause(uint64_t ns)
{
    const struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000u),
                                   .tv_nsec = (long)(ns % 1000000000u)};
    (void)nanosleep(&pause, NULL);
}

static pthread_key_t local;

bool
nio_thread_local_init(void (*on_thread_exit)(void *pointer))
{
    return pthread_key_create(&local, on_thread_exit) == 0;
}

void *
nio_thread_local_get(void)
{
    return pthread_getspecific(local);
}

bool
nio_thread_local_set(void *pointer)
{
    return pthread_setspecific(local, pointer) == 0;
}
