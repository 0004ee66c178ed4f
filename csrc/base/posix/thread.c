/* SPDX-License-Identifier: MIT */
/* POSIX: threads. Each is named for `ps -L` and debuggers, and takes no
 * signal, so that a program's handlers run on the program's own threads; but
 * those that run a program's code are such. */
#define _GNU_SOURCE /* pthread_setname_np */

#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What the new thread is to do; owned by it once it runs. */
typedef struct start {
    void (*run)(void *argument);
    void *argument;
    char name[16]; /* the kernel's limit, with the NUL */
    bool open;
    sigset_t blocked; /* where it was started */
} start;

static void *
thread_main(void *argument)
{
    start *mine = argument;
    void (*run)(void *) = mine->run;
    void *given = mine->argument;

    (void)pthread_setname_np(pthread_self(), mine->name); /* a help only */
    if (mine->open) {
        (void)pthread_sigmask(SIG_SETMASK, &mine->blocked, NULL);
    }
    free(mine);
    run(given);
    return NULL;
}

static bool
start_thread(nio_thread *thread, const char *name, void (*run)(void *argument),
             void *argument, bool open)
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
    mine->open = open;
    strncpy(mine->name, name, sizeof(mine->name) - 1);

    /* A thread inherits its mask: blocking after the start would leave a
     * moment in which it can be picked for a signal. */
    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    assert(error == 0);
    mine->blocked = before;
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

static pthread_key_t own;

bool
nio_thread_local_init(void (*at_end)(void *own))
{
    return pthread_key_create(&own, at_end) == 0;
}

void *
nio_thread_local_get(void)
{
    return pthread_getspecific(own);
}

bool
nio_thread_local_set(void *pointer)
{
    return pthread_setspecific(own, pointer) == 0;
}
