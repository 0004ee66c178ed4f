/* SPDX-License-Identifier: MIT */
/* Registrations that check themselves: a callback that overlaps another of
 * its registration, or that runs after its cancel has returned, ends the
 * program. */
#pragma once

#include "base/lock.h"
#include "contract/tower.h"

#include "rtnetlink_flood.h"

#include <dirent.h>
#include <sched.h>

/* How threads wait for each other: wake_waiters() follows each change of an
 * atomic that a thread may wait for. */
static struct {
    nio_lock lock;
    nio_condition changed;
} world;

static inline void
wake_waiters(void)
{
    nio_lock_take(&world.lock);
    nio_condition_wake_all(&world.changed);
    nio_lock_drop(&world.lock);
}

#define WAIT_UNTIL(condition)                                                 \
    do {                                                                      \
        nio_lock_take(&world.lock);                                           \
        while (!(condition)) {                                                \
            nio_condition_wait(&world.changed, &world.lock);                  \
        }                                                                     \
        nio_lock_drop(&world.lock);                                           \
    } while (0)

typedef enum watch_kind {
    WATCH_ROUTE,
    WATCH_ADDRESS,
    WATCH_INTERFACE,
    WATCH_KINDS
} watch_kind;

typedef struct watch watch;
struct watch {
    HANDLE handle;
    bool initial;
    /* Called in each callback, if not NULL. */
    void (*then)(watch *self, const void *row, MIB_NOTIFICATION_TYPE type);
    void *with;
    nio_atomic calls;
    nio_atomic inside;
    nio_atomic cancelled; /* cancel has returned */
};

/* ---- callbacks and batches */
static _Thread_local watch *batch;
static _Thread_local bool has_called, has_ended; /* this thread */
static nio_atomic callers; /* threads that have called back, and not ended */

static inline void
on_begin(void *context)
{
    CHECK(batch == NULL);
    batch = context;
}

static inline void
on_end(void *context)
{
    CHECK(batch == context);
    batch = NULL;
}

static inline void
on_thread_end(void *context)
{
    watch *self = context;

    CHECK(batch == NULL);
    CHECK_EQUAL(nio_atomic_load(&self->cancelled), 0);
    CHECK(!has_ended);
    has_ended = true;
    if (has_called) {
        (void)nio_atomic_add(&callers, UINT64_MAX);
    }
}

static inline void
on_change(watch *self, const void *row, MIB_NOTIFICATION_TYPE type)
{
    CHECK_EQUAL(nio_atomic_add(&self->inside, 1), 0);
    CHECK_EQUAL(nio_atomic_load(&self->cancelled), 0);
    CHECK(!has_ended);
    if (!has_called) {
        has_called = true;
        (void)nio_atomic_add(&callers, 1);
    }
    CHECK(batch == NULL || batch == self);
    CHECK_EQUAL(type == MibInitialNotification, row == NULL);
    CHECK_EQUAL(type == MibInitialNotification,
                self->initial && nio_atomic_load(&self->calls) == 0);
    if (self->then != NULL) {
        self->then(self, row, type);
    }
    (void)nio_atomic_add(&self->calls, 1);
    CHECK_EQUAL(nio_atomic_load(&self->cancelled), 0);
    CHECK_EQUAL(nio_atomic_add(&self->inside, UINT64_MAX), 1);
    wake_waiters();
}

static inline VOID NETIOAPI_API_
on_route(PVOID context, PMIB_IPFORWARD_ROW2 row, MIB_NOTIFICATION_TYPE type)
{
    on_change(context, row, type);
}

static inline VOID NETIOAPI_API_
on_address(PVOID context, PMIB_UNICASTIPADDRESS_ROW row,
           MIB_NOTIFICATION_TYPE type)
{
    on_change(context, row, type);
}

static inline VOID NETIOAPI_API_
on_interface(PVOID context, PMIB_IPINTERFACE_ROW row,
             MIB_NOTIFICATION_TYPE type)
{
    on_change(context, row, type);
}

/* ---- registrations */
static inline void
watch_start(watch *self, watch_kind kind, bool initial)
{
    NETIO_STATUS status = ERROR_GEN_FAILURE;

    self->initial = initial;
    if (kind == WATCH_ROUTE) {
        status = NotifyRouteChange2(AF_INET, on_route, self, initial,
                                    &self->handle);
    } else if (kind == WATCH_ADDRESS) {
        status = NotifyUnicastIpAddressChange(AF_UNSPEC, on_address, self,
                                              initial, &self->handle);
    } else {
        status = NotifyIpInterfaceChange(AF_INET, on_interface, self, initial,
                                         &self->handle);
    }
    CHECK_EQUAL(status, NO_ERROR);
    CHECK(self->handle != NULL);
}

static inline NETIO_STATUS
watch_cancel(watch *self)
{
    NETIO_STATUS status = CancelMibChangeNotify2(self->handle);

    if (status == NO_ERROR) {
        nio_atomic_store(&self->cancelled, 1);
        CHECK_EQUAL(nio_atomic_load(&self->inside), 0);
    }
    return status;
}

/* ---- the process */
static inline size_t
entries_of(const char *folder)
{
    DIR *opened = opendir(folder);
    size_t count = 0;

    CHECK(opened != NULL);
    while (readdir(opened) != NULL) {
        count++;
    }
    CHECK_EQUAL(closedir(opened), 0);
    return count;
}

/* A joined thread may still be listed for a moment. */
static inline void
expect_entries(const char *folder, size_t wanted)
{
    const uint64_t deadline = nio_monotonic_ns() + UINT64_C(10000000000);

    while (entries_of(folder) != wanted && nio_monotonic_ns() < deadline) {
        (void)sched_yield();
    }
    CHECK_EQUAL(entries_of(folder), wanted);
}

/* Waits until a thread of ours sleeps: it has nothing more to do. */
static inline void
wait_until_asleep(pid_t thread)
{
    char path[64], line[256] = "";

    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/stat",
                   (long)thread);
    for (;;) {
        FILE *file = fopen(path, "r");
        CHECK(file != NULL);
        CHECK(fgets(line, sizeof(line), file) != NULL);
        CHECK_EQUAL(fclose(file), 0);
        if (strstr(line, ") S ") != NULL) {
            return;
        }
        (void)sched_yield();
    }
}

static inline void
do_nothing(void *unused)
{
    (void)unused;
}

/* In a network namespace of our own, only lo is up. */
static inline bool
is_alone(void)
{
    PMIB_IPINTERFACE_TABLE table = NULL;
    bool alone = true;

    CHECK_EQUAL(GetIpInterfaceTable(AF_INET, &table), NO_ERROR);
    for (ULONG i = 0; i < table->NumEntries; i++) {
        alone = alone && (table->Table[i].InterfaceIndex == LO ||
                          !(table->Table[i].Flags & 1u)); /* IFF_UP */
    }
    FreeMibTable(table);
    return alone;
}

static inline void
tower_tests_begin(void)
{
    static const nio_hooks hooks = {on_begin, on_end, on_thread_end, NULL};
    nio_thread first;
    int fd = -1;

    if (!is_alone()) {
        fprintf(stderr, "run me in an empty network: unshare -Urn ...\n");
        exit(2);
    }
    (void)alarm(200); /* ends a hang */
    nio_lock_init(&world.lock);
    nio_condition_init(&world.changed);
    nio_set_hooks(&hooks);
    /* A sanitizer adds a thread of its own with our first one. */
    CHECK(nio_thread_start(&first, "first", do_nothing, NULL));
    nio_thread_join(&first);
    fd = kernel_open();
    set_link(fd, true, 65536);
    (void)close(fd);
}
