/* SPDX-License-Identifier: MIT */
/* The rtnetlink tower alone, without Python: each promise about cancelling,
 * under a flood of changes. */
#define _GNU_SOURCE /* gettid */

#include "tower_support.h"

/* A thread that cancels a watch, and the status it got. */
typedef struct canceller {
    nio_thread thread;
    watch *target;
    nio_atomic began; /* its thread id */
    NETIO_STATUS status;
} canceller;

static void
run_canceller(void *argument)
{
    canceller *mine = argument;

    nio_atomic_store(&mine->began, (uint64_t)gettid());
    wake_waiters();
    mine->status = watch_cancel(mine->target);
}

static void
cancel_elsewhere(canceller *started, watch *target)
{
    started->target = target;
    CHECK(nio_thread_start(&started->thread, "canceller", run_canceller,
                           started));
    WAIT_UNTIL(nio_atomic_load(&started->began) != 0);
    wait_until_asleep((pid_t)nio_atomic_load(&started->began));
}

/* A callback that blocks once, until it is released. */
typedef struct stay {
    nio_atomic entered, let_go, left;
} stay;

static void
stay_inside(watch *self, const void *row, MIB_NOTIFICATION_TYPE type)
{
    stay *mine = self->with;

    (void)row;
    (void)type;
    if (nio_atomic_exchange(&mine->entered, 1) == 0) {
        wake_waiters();
        WAIT_UNTIL(nio_atomic_load(&mine->let_go) != 0);
        nio_atomic_store(&mine->left, 1);
    }
}

static void
let_go(stay *stayed)
{
    nio_atomic_store(&stayed->let_go, 1);
    wake_waiters();
}

static void
expect_stale(HANDLE handle)
{
    CHECK_EQUAL(CancelMibChangeNotify2(handle), ERROR_INVALID_HANDLE);
}

/* ---- handles and arguments */
static void
cancel_of_no_handle_fails(void)
{
    CHECK_EQUAL(CancelMibChangeNotify2(NULL), ERROR_INVALID_PARAMETER);
    expect_stale((HANDLE)(uintptr_t)UINTPTR_MAX);
    expect_stale((HANDLE)&world); /* the address of another object */
}

static void
registration_with_wrong_arguments_fails(void)
{
    HANDLE handle = (HANDLE)&world;

    CHECK_EQUAL(NotifyRouteChange2(99, on_route, NULL, FALSE, &handle),
                ERROR_INVALID_PARAMETER);
    CHECK(handle == NULL);
    CHECK_EQUAL(NotifyRouteChange2(AF_INET, NULL, NULL, FALSE, &handle),
                ERROR_INVALID_PARAMETER);
    CHECK_EQUAL(NotifyRouteChange2(AF_INET, on_route, NULL, FALSE, NULL),
                ERROR_INVALID_PARAMETER);
    CHECK_EQUAL(
        NotifyIpInterfaceChange(AF_UNIX, on_interface, NULL, FALSE, &handle),
        ERROR_INVALID_PARAMETER);
    CHECK_EQUAL(NotifyUnicastIpAddressChange(AF_UNIX, on_address, NULL, FALSE,
                                             &handle),
                ERROR_INVALID_PARAMETER);
    CHECK(handle == NULL);
}

static void
cancelled_handle_stays_stale(void)
{
    watch first = {.then = NULL}, second = {.then = NULL};

    watch_start(&first, WATCH_ROUTE, false);
    CHECK_EQUAL(watch_cancel(&first), NO_ERROR);
    expect_stale(first.handle);
    watch_start(&second, WATCH_ROUTE, false);
    CHECK(second.handle != first.handle); /* never reused */
    expect_stale(first.handle);
    WAIT_UNTIL(nio_atomic_load(&second.calls) > 0);
    CHECK_EQUAL(watch_cancel(&second), NO_ERROR);
    expect_stale(second.handle);
}

/* ---- waiting */
static void
concurrent_cancels_wait_for_the_running_callback(void)
{
    stay stayed = {.entered = {0}};
    watch watched = {.then = stay_inside, .with = &stayed};
    canceller first = {.status = 1}, second = {.status = 1};

    watch_start(&watched, WATCH_ROUTE, false);
    WAIT_UNTIL(nio_atomic_load(&stayed.entered) != 0);
    cancel_elsewhere(&first, &watched);
    cancel_elsewhere(&second, &watched);
    CHECK_EQUAL(nio_atomic_load(&watched.cancelled), 0);
    let_go(&stayed);
    nio_thread_join(&first.thread);
    CHECK_EQUAL(nio_atomic_load(&stayed.left), 1);
    nio_thread_join(&second.thread);
    CHECK_EQUAL(first.status, NO_ERROR);
    CHECK_EQUAL(second.status, NO_ERROR);
    CHECK_EQUAL(nio_atomic_load(&watched.calls), 1); /* none began later */
    expect_stale(watched.handle);
}

static void
slow_callback_does_not_delay_others(void)
{
    stay stayed = {.entered = {0}};
    watch slow = {.then = stay_inside, .with = &stayed};
    watch other = {.then = NULL};

    watch_start(&slow, WATCH_ROUTE, false);
    WAIT_UNTIL(nio_atomic_load(&stayed.entered) != 0);
    watch_start(&other, WATCH_ROUTE, true); /* and none of a new one */
    WAIT_UNTIL(nio_atomic_load(&other.calls) > 500);
    CHECK_EQUAL(watch_cancel(&other), NO_ERROR);
    CHECK_EQUAL(nio_atomic_load(&stayed.left), 0);
    let_go(&stayed);
    CHECK_EQUAL(watch_cancel(&slow), NO_ERROR);
}

/* ---- from callbacks */
static void
cancel_itself(watch *self, const void *row, MIB_NOTIFICATION_TYPE type)
{
    (void)row;
    (void)type;
    CHECK_EQUAL(watch_cancel(self), ERROR_POSSIBLE_DEADLOCK);
}

static void
cancel_in_its_own_callback_fails(void)
{
    watch watched = {.then = cancel_itself};

    watch_start(&watched, WATCH_ROUTE, true);
    WAIT_UNTIL(nio_atomic_load(&watched.calls) > 20);
    CHECK_EQUAL(watch_cancel(&watched), NO_ERROR);
}

static void
cancel_the_other(watch *self, const void *row, MIB_NOTIFICATION_TYPE type)
{
    watch *other = self->with;

    (void)row;
    (void)type;
    if (nio_atomic_load(&other->cancelled) == 0) {
        CHECK_EQUAL(watch_cancel(other), NO_ERROR);
    }
    expect_stale(other->handle);
    CHECK_EQUAL(watch_cancel(self), ERROR_POSSIBLE_DEADLOCK);
}

static void
cancel_in_another_callback_succeeds(void)
{
    watch other = {.then = NULL};
    watch watched = {.then = cancel_the_other, .with = &other};

    watch_start(&other, WATCH_ROUTE, true);
    watch_start(&watched, WATCH_ROUTE, false);
    WAIT_UNTIL(nio_atomic_load(&watched.calls) > 2);
    CHECK_EQUAL(nio_atomic_load(&other.cancelled), 1);
    CHECK_EQUAL(watch_cancel(&watched), NO_ERROR);
}

/* Also a registration whose callback has cancelled another one before: that is
 * forgotten, even where the new registration has the memory of the old one. */
static void
callback_that_has_cancelled_can_be_cancelled(void)
{
    for (int round = 0; round < 20; round++) {
        watch old = {.then = NULL};
        watch middle = {.then = cancel_the_other, .with = &old};
        watch new = {.then = cancel_the_other, .with = &middle};

        watch_start(&old, WATCH_ROUTE, false);
        watch_start(&middle, WATCH_ROUTE, false);
        WAIT_UNTIL(nio_atomic_load(&middle.calls) > 0);
        watch_start(&new, WATCH_ROUTE, false);
        WAIT_UNTIL(nio_atomic_load(&new.calls) > 0);
        CHECK_EQUAL(nio_atomic_load(&middle.cancelled), 1);
        CHECK_EQUAL(watch_cancel(&new), NO_ERROR);
    }
}

static void
register_and_cancel(watch *self, const void *row, MIB_NOTIFICATION_TYPE type)
{
    watch inner = {.then = NULL};
    const uint64_t calls = nio_atomic_load(&self->calls);

    (void)row;
    (void)type;
    if (calls < 6) {
        watch_start(&inner, (watch_kind)(calls % WATCH_KINDS), true);
        WAIT_UNTIL(nio_atomic_load(&inner.calls) > 1);
        CHECK_EQUAL(watch_cancel(&inner), NO_ERROR);
    }
}

static void
callback_may_register_wait_and_cancel(void)
{
    watch watched = {.then = register_and_cancel};

    watch_start(&watched, WATCH_ROUTE, false);
    WAIT_UNTIL(nio_atomic_load(&watched.calls) > 6);
    CHECK_EQUAL(watch_cancel(&watched), NO_ERROR);
}

/* ---- chains */
/* A watch whose callback cancels the next one, once a thread waits for the
 * watch itself. */
typedef struct chain {
    watch *next;
    nio_atomic inside, go_on;
} chain;

static void
cancel_the_next(watch *self, const void *row, MIB_NOTIFICATION_TYPE type)
{
    chain *mine = self->with;

    (void)row;
    (void)type;
    if (nio_atomic_exchange(&mine->inside, 1) == 0) {
        wake_waiters();
        WAIT_UNTIL(nio_atomic_load(&mine->go_on) != 0);
        CHECK_EQUAL(watch_cancel(mine->next), NO_ERROR);
    }
}

static void
callback_may_cancel_while_a_thread_waits_for_it(void)
{
    watch last = {.then = NULL};
    chain made = {.next = &last};
    watch first = {.then = cancel_the_next, .with = &made};
    canceller outside = {.status = 1};

    watch_start(&last, WATCH_ROUTE, false);
    watch_start(&first, WATCH_ROUTE, false);
    WAIT_UNTIL(nio_atomic_load(&made.inside) != 0);
    cancel_elsewhere(&outside, &first);
    nio_atomic_store(&made.go_on, 1);
    wake_waiters();
    nio_thread_join(&outside.thread);
    CHECK_EQUAL(outside.status, NO_ERROR);
    expect_stale(last.handle);
}

int
main(void)
{
    flood flooding;
    size_t threads = 0, descriptors = 0;

    tower_tests_begin();
    threads = entries_of("/proc/self/task");
    descriptors = entries_of("/proc/self/fd");
    flood_start(&flooding);
    RUN(cancel_of_no_handle_fails());
    RUN(registration_with_wrong_arguments_fails());
    RUN(cancelled_handle_stays_stale());
    RUN(concurrent_cancels_wait_for_the_running_callback());
    RUN(slow_callback_does_not_delay_others());
    RUN(cancel_in_its_own_callback_fails());
    RUN(cancel_in_another_callback_succeeds());
    RUN(callback_that_has_cancelled_can_be_cancelled());
    RUN(callback_may_register_wait_and_cancel());
    RUN(callback_may_cancel_while_a_thread_waits_for_it());
    flood_stop(&flooding);
    expect_entries("/proc/self/task", threads);
    CHECK_EQUAL(nio_atomic_load(&callers), 0);
    expect_entries("/proc/self/fd", descriptors);
    puts("ok");
    return 0;
}
