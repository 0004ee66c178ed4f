/* SPDX-License-Identifier: MIT */
/* Events, threads, locks and conditions of base on POSIX. */
#define _GNU_SOURCE

#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

/* ---- a thread that the system refuses (the linker's --wrap) */
typedef void *(*thread_run)(void *);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          thread_run run, void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          thread_run run, void *argument);
static bool refuse;

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                      thread_run run, void *argument)
{
    return refuse ? EAGAIN
                  : __real_pthread_create(thread, attributes, run, argument);
}

/* ---- events */
static void
event_stays_set_until_it_is_cleared(void)
{
    nio_event event;

    CHECK(nio_event_init(&event));
    CHECK_EQUAL(nio_event_wait(&event, 0), NIO_WAIT_TIMEOUT);
    nio_event_clear(&event);
    for (int i = 0; i < 3; i++) { /* sets are not counted */
        nio_event_set(&event);
    }
    CHECK_EQUAL(nio_event_wait(&event, 0), NIO_WAIT_SET);
    CHECK_EQUAL(nio_event_wait(&event, NIO_FOREVER), NIO_WAIT_SET);
    nio_event_clear(&event);
    CHECK_EQUAL(nio_event_wait(&event, 0), NIO_WAIT_TIMEOUT);
    nio_event_set(&event);
    CHECK_EQUAL(nio_event_wait(&event, NIO_FOREVER - 1), NIO_WAIT_SET);
    nio_event_done(&event);
}

static void
wait_for_an_unset_event_ends_at_its_timeout_and_not_before(void)
{
    nio_event event;
    uint64_t start = 0;

    CHECK(nio_event_init(&event));
    start = nio_monotonic_ns();
    CHECK_EQUAL(nio_event_wait(&event, SECOND / 100), NIO_WAIT_TIMEOUT);
    CHECK(nio_monotonic_ns() - start >= SECOND / 100);
    CHECK(nio_realtime_ns() > UINT64_C(1700000000) * SECOND);
    nio_event_done(&event);
}

static void
event_descriptor_can_be_polled(void)
{
    nio_event event;
    struct pollfd polled = {.events = POLLIN};

    CHECK(nio_event_init(&event));
    polled.fd = nio_event_descriptor(&event);
    CHECK(fcntl(polled.fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(polled.fd, F_GETFL) & O_NONBLOCK);
    CHECK_EQUAL(poll(&polled, 1, 0), 0);
    nio_event_set(&event);
    CHECK_EQUAL(poll(&polled, 1, 0), 1);
    nio_event_done(&event);
    nio_event_done(&event); /* a second time does nothing */
    CHECK(fcntl(polled.fd, F_GETFD) < 0);
}

static void
event_init_without_descriptors_fails(void)
{
    struct rlimit limit, none;
    nio_event event;

    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK(!nio_event_init(&event));
    nio_event_done(&event);
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
event_set_and_clear_preserve_errno(void)
{
    const uint64_t full = UINT64_MAX - 1;
    nio_event event;

    CHECK(nio_event_init(&event));
    CHECK_EQUAL(write(nio_event_descriptor(&event), &full, sizeof(full)), 8);
    errno = ERANGE;
    nio_event_set(&event); /* write() gives EAGAIN */
    CHECK_EQUAL(errno, ERANGE);
    CHECK_EQUAL(nio_event_wait(&event, 0), NIO_WAIT_SET);
    nio_event_clear(&event);
    errno = ERANGE;
    nio_event_clear(&event); /* and read() */
    CHECK_EQUAL(errno, ERANGE);
    CHECK_EQUAL(nio_event_wait(&event, 0), NIO_WAIT_TIMEOUT);
    nio_event_done(&event);
}

static nio_event signalled;
static volatile sig_atomic_t handled;

static void
on_signal(int number)
{
    (void)number;
    handled = 1;
    nio_event_set(&signalled);
}

static void
ignore_signal(int number)
{
    (void)number;
    handled = 1;
}

static void
handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    CHECK_EQUAL(sigaction(number, &action, NULL), 0);
}

static void
event_can_be_set_in_a_signal_handler(void)
{
    CHECK(nio_event_init(&signalled));
    handle(SIGUSR1, on_signal);
    errno = 0;
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(errno, 0);
    CHECK(handled);
    CHECK_EQUAL(nio_event_wait(&signalled, NIO_FOREVER), NIO_WAIT_SET);
    nio_event_done(&signalled);
}

/* Signals the main thread until it has seen a signal: one that comes before
 * the wait begins does not interrupt it. */
typedef struct signaller {
    pthread_t waiter;
    nio_atomic seen;
} signaller;

static void
run_signaller(void *argument)
{
    signaller *mine = argument;
    while (nio_atomic_load(&mine->seen) == 0) {
        CHECK_EQUAL(pthread_kill(mine->waiter, SIGUSR1), 0);
        (void)sched_yield();
    }
}

static void
wait_is_interrupted_by_a_signal(void)
{
    signaller signalling = {.waiter = pthread_self()};
    nio_event never;
    nio_thread thread;

    CHECK(nio_event_init(&never));
    handle(SIGUSR1, ignore_signal);
    CHECK(nio_thread_start(&thread, "signaller", run_signaller, &signalling));
    CHECK_EQUAL(nio_event_wait(&never, NIO_FOREVER), NIO_WAIT_INTERRUPTED);
    nio_atomic_store(&signalling.seen, 1);
    nio_thread_join(&thread);
    nio_event_done(&never);
}

/* ---- threads */
typedef struct thread_description {
    char name[16];
    sigset_t blocked;
    pthread_t self;
} thread_description;

static void
describe_itself(void *argument)
{
    thread_description *mine = argument;
    mine->self = pthread_self();
    CHECK_EQUAL(pthread_getname_np(mine->self, mine->name, 16), 0);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &mine->blocked), 0);
}

static void
thread_has_its_name_and_blocks_every_signal(void)
{
    thread_description seen = {.name = ""};
    sigset_t before, after;
    nio_thread thread;

    sigemptyset(&before);
    sigaddset(&before, SIGWINCH);
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CHECK(nio_thread_start(&thread, "nio-reader", describe_itself, &seen));
    CHECK(thread.started);
    nio_thread_join(&thread);
    CHECK(!thread.started);
    nio_thread_join(&thread); /* a second time does nothing */

    CHECK(strcmp(seen.name, "nio-reader") == 0);
    CHECK(!pthread_equal(seen.self, pthread_self()));
    for (int number = 1; number <= SIGRTMAX; number++) {
        /* 32 and 33 belong to the C library; two cannot be blocked. */
        bool free_to_block = number != SIGKILL && number != SIGSTOP &&
                             !(number >= 32 && number < SIGRTMIN);
        CHECK(!free_to_block || sigismember(&seen.blocked, number) == 1);
    }
    CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int number = 1; number <= SIGRTMAX; number++) {
        CHECK_EQUAL(sigismember(&after, number), number == SIGWINCH);
    }
}

static void
thread_name_beyond_15_bytes_is_cut(void)
{
    thread_description seen = {.name = ""};
    nio_thread thread;

    CHECK(nio_thread_start(&thread, "a name of twenty byt", describe_itself,
                           &seen));
    nio_thread_join(&thread);
    CHECK(strcmp(seen.name, "a name of twent") == 0);
}

static void
thread_start_that_the_system_refuses_fails(void)
{
    nio_thread thread;
    thread_description seen;

    refuse = true;
    CHECK(!nio_thread_start(&thread, "nio", describe_itself, &seen));
    refuse = false;
    CHECK(!thread.started);
    nio_thread_join(&thread);
}

/* ---- locks */
typedef struct table_tennis {
    nio_lock lock;
    nio_condition turned;
    unsigned turn NIO_GUARDED_BY(lock);
} table_tennis;

enum { STROKES = 2000 };

static void
play(table_tennis *table, unsigned side)
{
    for (int i = 0; i < STROKES; i++) {
        nio_lock_take(&table->lock);
        while (table->turn % 2 != side) {
            nio_condition_wait(&table->turned, &table->lock);
        }
        table->turn++;
        nio_condition_wake_all(&table->turned);
        nio_lock_drop(&table->lock);
    }
}

static void
run_second_player(void *argument)
{
    play(argument, 1);
}

static void
condition_wakes_the_waiting_thread(void)
{
    table_tennis table = {.turn = 0};
    nio_thread thread;

    nio_lock_init(&table.lock);
    nio_condition_init(&table.turned);
    CHECK(nio_thread_start(&thread, "player", run_second_player, &table));
    play(&table, 0);
    nio_thread_join(&thread);
    CHECK_EQUAL(table.turn, 2 * STROKES);
    nio_condition_done(&table.turned);
    nio_lock_done(&table.lock);
}

/* ---- signals, and the threads that can be given one */
typedef struct sleeper {
    nio_thread thread;
    nio_event end;
} sleeper;

static void
sleep_until_end(void *argument)
{
    sleeper *self = argument;
    CHECK_EQUAL(nio_event_wait(&self->end, NIO_FOREVER), NIO_WAIT_SET);
}

static void
end_sleep(sleeper *self)
{
    nio_event_set(&self->end);
    nio_thread_join(&self->thread);
    nio_event_done(&self->end);
}

/* A thread is counted a moment after its start, and until it has gone. */
static void
expect_alone(bool alone)
{
    const uint64_t deadline = nio_monotonic_ns() + 60 * SECOND;
    while (nio_thread_alone_takes_signals() != alone) {
        CHECK(nio_monotonic_ns() < deadline);
        (void)sched_yield();
    }
}

static void
wait_is_cut_where_another_thread_can_take_signals(void)
{
    sleeper blocked, taker;
    uint64_t interval = NIO_FIRST_RECHECK_NS;
    int status;
    CHECK(nio_event_init(&taker.end));
    CHECK(nio_thread_start(&taker.thread, "first", sleep_until_end, &taker));
    end_sleep(&taker); /* a sanitizer adds its own thread with the first */
    if (!nio_thread_alone_takes_signals()) {
        puts("not tested: a sanitizer has a thread");
        return;
    }
    CHECK_EQUAL(nio_recheck_after(NIO_FOREVER, &interval), NIO_FOREVER);
    CHECK(nio_event_init(&blocked.end) && nio_event_init(&taker.end));
    CHECK(nio_thread_start(&blocked.thread, "blocked", sleep_until_end,
                           &blocked));
    expect_alone(true);
    const pid_t child = fork();
    if (child == 0) { /* the thread, which is not there, is not counted */
        _exit(nio_thread_alone_takes_signals() ? 0 : 1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK(nio_thread_start_unmasked(&taker.thread, "taker", sleep_until_end,
                                    &taker));
    expect_alone(false);
    CHECK_EQUAL(nio_recheck_after(NIO_FOREVER, &interval),
                NIO_FIRST_RECHECK_NS);
    CHECK_EQUAL(interval, 32 * NIO_FIRST_RECHECK_NS);
    end_sleep(&taker);
    expect_alone(true);
    end_sleep(&blocked);
    expect_alone(true);
}

int
main(void)
{
    RUN(wait_is_cut_where_another_thread_can_take_signals());
    RUN(event_stays_set_until_it_is_cleared());
    RUN(wait_for_an_unset_event_ends_at_its_timeout_and_not_before());
    RUN(event_descriptor_can_be_polled());
    RUN(event_init_without_descriptors_fails());
    RUN(event_set_and_clear_preserve_errno());
    RUN(event_can_be_set_in_a_signal_handler());
    RUN(wait_is_interrupted_by_a_signal());
    RUN(thread_has_its_name_and_blocks_every_signal());
    RUN(thread_name_beyond_15_bytes_is_cut());
    RUN(thread_start_that_the_system_refuses_fails());
    RUN(condition_wakes_the_waiting_thread());
    puts("ok");
    return 0;
}
