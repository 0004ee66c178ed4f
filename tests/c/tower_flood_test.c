/* SPDX-License-Identifier: MIT */
/* The rtnetlink tower alone, without Python: many registrations that come and
 * go from several threads under a flood, their callbacks, forks, and what is
 * left. Arguments: a seed, and the number of registrations. */
#include "tower_support.h"

#include <sys/wait.h>

/* Sanitizers have locks and lists of threads that do not survive a fork. */
#ifndef CHILD_HAS_THREADS
#    define CHILD_HAS_THREADS 1
#endif

/* ---- a thousand registrations */
enum { WORKERS = 4, HELD = 5, FORKS = 10, LIVE_ROUNDS = 50 };

typedef struct worker {
    nio_thread thread;
    unsigned long long seed;
    unsigned rounds;
} worker;

typedef struct rival {
    nio_thread thread;
    HANDLE handle;
    nio_atomic go;
} rival;

static void
run_rival(void *argument)
{
    rival *mine = argument;
    NETIO_STATUS status = NO_ERROR;

    while (nio_atomic_load(&mine->go) == 0) {
        (void)sched_yield();
    }
    status = CancelMibChangeNotify2(mine->handle);
    CHECK(status == NO_ERROR || status == ERROR_INVALID_HANDLE);
}

/* Two threads cancel at once. The second one waits for the first, or finds no
 * registration. */
static void
cancel_twice_at_once(watch *ended)
{
    rival other = {.handle = ended->handle};
    NETIO_STATUS status = NO_ERROR;

    CHECK(nio_thread_start(&other.thread, "rival", run_rival, &other));
    nio_atomic_store(&other.go, 1);
    status = CancelMibChangeNotify2(ended->handle);
    CHECK(status == NO_ERROR || status == ERROR_INVALID_HANDLE);
    nio_atomic_store(&ended->cancelled, 1);
    CHECK_EQUAL(nio_atomic_load(&ended->inside), 0);
    nio_thread_join(&other.thread);
}

/* The memory of a watch is freed as soon as its cancel has returned: the
 * address sanitizer would catch a later callback. */
static watch *
end_watch(watch *ended, unsigned long long *seed)
{
    if (random_below(seed, 5) == 0) {
        cancel_twice_at_once(ended);
    } else {
        CHECK_EQUAL(watch_cancel(ended), NO_ERROR);
    }
    CHECK_EQUAL(CancelMibChangeNotify2(ended->handle), ERROR_INVALID_HANDLE);
    free(ended);
    return NULL;
}

static void
run_worker(void *argument)
{
    worker *mine = argument;
    watch *held[HELD] = {NULL};

    for (unsigned round = 0; round < mine->rounds; round++) {
        watch **slot = &held[random_below(&mine->seed, HELD)];
        const bool initial = random_below(&mine->seed, 2) == 0;

        if (*slot != NULL) {
            *slot = end_watch(*slot, &mine->seed);
        }
        *slot = calloc(1, sizeof(**slot));
        CHECK(*slot != NULL);
        watch_start(*slot, (watch_kind)random_below(&mine->seed, WATCH_KINDS),
                    initial);
        if (random_below(&mine->seed, 4) == 0) {
            watch *waited = *slot;
            WAIT_UNTIL(nio_atomic_load(&waited->calls) > 3);
        }
    }
    for (unsigned i = 0; i < HELD; i++) {
        if (held[i] != NULL) {
            held[i] = end_watch(held[i], &mine->seed);
        }
    }
}

static void
registrations_of_many_threads_end_cleanly(unsigned long long seed,
                                          unsigned count)
{
    worker workers[WORKERS];

    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].seed = seed + i;
        workers[i].rounds = count / WORKERS;
        CHECK(nio_thread_start(&workers[i].thread, "worker", run_worker,
                               &workers[i]));
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        nio_thread_join(&workers[i].thread);
    }
}

/* ---- the order of changes */
/* Each route of the flood is added and deleted in turn. */
typedef struct ledger {
    bool known[FLOOD_ROUTES], present[FLOOD_ROUTES];
} ledger;

static void
keep_ledger(watch *self, const void *changed, MIB_NOTIFICATION_TYPE type)
{
    const MIB_IPFORWARD_ROW2 *row = changed;
    ledger *mine = self->with;
    uint32_t destination =
        row == NULL
            ? 0
            : ntohl(row->DestinationPrefix.Prefix.Ipv4.sin_addr.s_addr);
    uint32_t number = (destination >> 8) & 0xffff;

    if (destination >> 24 != 10 || number >= FLOOD_ROUTES) {
        return;
    }
    CHECK_EQUAL(row->InterfaceIndex, LO);
    CHECK_EQUAL(row->DestinationPrefix.PrefixLength, 24);
    CHECK(type == MibAddInstance || type == MibDeleteInstance);
    CHECK(!mine->known[number] ||
          mine->present[number] == (type == MibDeleteInstance));
    mine->known[number] = true;
    mine->present[number] = type == MibAddInstance;
}

static void
changes_of_a_route_come_in_order(void)
{
    ledger kept = {.known = {false}};
    watch watched = {.then = keep_ledger, .with = &kept};

    watch_start(&watched, WATCH_ROUTE, true);
    WAIT_UNTIL(nio_atomic_load(&watched.calls) > 20000);
    CHECK_EQUAL(watch_cancel(&watched), NO_ERROR);
    for (unsigned i = 0; i < FLOOD_ROUTES; i++) {
        CHECK(kept.known[i]);
    }
}

typedef struct one {
    unsigned number;
    nio_atomic added, deleted;
} one;

static void
look_for_one(watch *self, const void *changed, MIB_NOTIFICATION_TYPE type)
{
    const MIB_IPFORWARD_ROW2 *row = changed;
    one *mine = self->with;

    if (ntohl(row->DestinationPrefix.Prefix.Ipv4.sin_addr.s_addr) ==
        0x0a000000u + (mine->number << 8)) {
        if (type == MibAddInstance) {
            (void)nio_atomic_add(&mine->added, 1);
        } else if (type == MibDeleteInstance) {
            (void)nio_atomic_add(&mine->deleted, 1);
        }
    }
}

/* There is no engine before and none after: this includes its start and
 * end. */
static void
registration_is_live_on_return(void)
{
    int fd = kernel_open();

    for (unsigned i = 0; i < LIVE_ROUNDS; i++) {
        one wanted = {.number = 1000 + i};
        watch watched = {.then = look_for_one, .with = &wanted};
        watch_start(&watched, WATCH_ROUTE, false);
        set_route(fd, true, wanted.number);
        WAIT_UNTIL(nio_atomic_load(&wanted.added) == 1);
        set_route(fd, false, wanted.number);
        WAIT_UNTIL(nio_atomic_load(&wanted.deleted) == 1);
        CHECK_EQUAL(watch_cancel(&watched), NO_ERROR);
    }
    (void)close(fd);
}

/* ---- forks */
static void
register_own(void)
{
    watch own = {.then = NULL};

    nio_lock_init(&world.lock); /* a lost thread may hold it */
    nio_condition_init(&world.changed);
    watch_start(&own, WATCH_ROUTE, true);
    CHECK(!nio_is_forked(own.handle));
    WAIT_UNTIL(nio_atomic_load(&own.calls) > 10);
    CHECK_EQUAL(watch_cancel(&own), NO_ERROR);
}

/* In the child, the parent's registrations are dead; new ones may live. */
static void
be_the_child(watch *parents)
{
    uint64_t calls = nio_atomic_load(&parents->calls);

    (void)alarm(30);
    CHECK(nio_is_forked(parents->handle));
    CHECK_EQUAL(CancelMibChangeNotify2(parents->handle), NO_ERROR);
    CHECK_EQUAL(CancelMibChangeNotify2(parents->handle), NO_ERROR);
    if (CHILD_HAS_THREADS) {
        register_own();
    }
    CHECK_EQUAL(nio_atomic_load(&parents->calls), calls);
    _exit(0);
}

static void
forked_child_inherits_no_registration(void)
{
    watch watched = {.then = NULL};

    watch_start(&watched, WATCH_ROUTE, false);
    for (int i = 0; i < FORKS; i++) {
        const uint64_t calls = nio_atomic_load(&watched.calls);
        pid_t child = fork();
        int status = 0;

        CHECK(child >= 0);
        if (child == 0) {
            be_the_child(&watched);
        }
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(!nio_is_forked(watched.handle));
        WAIT_UNTIL(nio_atomic_load(&watched.calls) > calls + 10);
    }
    CHECK_EQUAL(watch_cancel(&watched), NO_ERROR);
}

int
main(int argc, char **argv)
{
    const unsigned long long seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const unsigned count =
        argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;
    flood flooding;
    size_t threads = 0, descriptors = 0;

    printf("seed %llu\n", seed);
    tower_tests_begin();
    threads = entries_of("/proc/self/task");
    descriptors = entries_of("/proc/self/fd");
    RUN(registration_is_live_on_return());
    flood_start(&flooding);
    RUN(registrations_of_many_threads_end_cleanly(seed, count));
    RUN(changes_of_a_route_come_in_order());
    RUN(registration_is_live_on_return());
    RUN(forked_child_inherits_no_registration());
    flood_stop(&flooding);
    expect_entries("/proc/self/task", threads);
    CHECK_EQUAL(nio_atomic_load(&callers), 0);
    expect_entries("/proc/self/fd", descriptors);
    puts("ok");
    return 0;
}
