/* SPDX-License-Identifier: MIT */
/* The fork handlers of the binding, where several interpreters, which share no
 * GIL, import at the same time. */
#define _GNU_SOURCE

#include "base/event.h"
#include "base/thread.h"
#include "binding/process.h"

#include "check.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IMPORTERS = 8 };
#define SECOND UINT64_C(1000000000)

typedef void (*handler)(void);
int __real_pthread_atfork(handler before, handler in_parent, handler in_child);
int __wrap_pthread_atfork(handler before, handler in_parent, handler in_child);

static nio_atomic calls, prepared, inits, early;
static nio_event others; /* an importer has returned while the first waits */

/* The first call gives the other importers time, and fails. */
int
__wrap_pthread_atfork(handler before, handler in_parent, handler in_child)
{
    if (nio_atomic_add(&calls, 1) == 0) {
        (void)nio_event_wait(&others, SECOND / 5);
        return ENOMEM;
    }
    int error = __real_pthread_atfork(before, in_parent, in_child);
    nio_atomic_store(&prepared, 1);
    return error;
}

static void
import(void *unused)
{
    (void)unused;
    if (nio_process_init()) {
        (void)nio_atomic_add(&inits, 1);
        (void)nio_atomic_add(&early, nio_atomic_load(&prepared) == 0);
    }
    nio_event_set(&others);
}

static void
no_import_ends_before_the_handlers_are_registered(void)
{
    nio_thread threads[IMPORTERS];
    CHECK(nio_event_init(&others));
    for (int i = 0; i < IMPORTERS; i++) {
        CHECK(nio_thread_start(&threads[i], "importer", import, NULL));
    }
    for (int i = 0; i < IMPORTERS; i++) {
        nio_thread_join(&threads[i]);
    }
    nio_event_done(&others);
    CHECK_EQUAL(nio_atomic_load(&early), 0);
    CHECK_EQUAL(nio_atomic_load(&inits), IMPORTERS - 1); /* one has failed */
    CHECK_EQUAL(nio_atomic_load(&calls), 2);
}

static void
each_fork_counts_once(void)
{
    int status = 0;
    CHECK_EQUAL(nio_process_generation(), 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(nio_process_generation() == 1 ? 0 : 1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(nio_process_generation(), 0);
}

int
main(void)
{
    RUN(no_import_ends_before_the_handlers_are_registered());
    RUN(each_fork_counts_once());
    puts("ok");
    return 0;
}
