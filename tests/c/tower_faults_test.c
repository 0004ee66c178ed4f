/* SPDX-License-Identifier: MIT */
/* The rtnetlink tower while allocations and system calls fail: each in turn,
 * once or from then on, during a run of everything that the tower does. Each
 * function succeeds or returns a clear code, nothing leaks, nothing hangs, and
 * after the fault every stream becomes exact. */
#include "base/extra.h"
#include "faults.h"
#include "faults_stream.h"
#include "tower_support.h"

#include <signal.h>

enum { SECONDS = 20, BEFORE = 1, AFTER = 2, CALLBACKS = 5 };

static char doing[128] = "nothing";

/* ---- a hang ends the program, and prints what each thread waits for */
static void
on_alarm(int unused)
{
    static const char late[] = "hangs in: ";
    (void)unused;
    (void)!write(2, late, sizeof(late) - 1);
    (void)!write(2, doing, strlen(doing));
    (void)!write(2, "\n", 1);
    (void)!system("cd /proc/$PPID/task && grep -H . */comm */wchan */syscall"
                  " >&2");
    abort();
}

/* ---- registrations */
typedef struct listener {
    HANDLE handle;
    nio_atomic after; /* a change after the fault was delivered */
    nio_atomic over;  /* its cancel has returned */
} listener;

static void
note_change(listener *self, bool after)
{
    CHECK_EQUAL(nio_atomic_load(&self->over), 0);
    if (after) {
        nio_atomic_store(&self->after, 1);
    }
    wake_waiters();
}

static VOID NETIOAPI_API_
note_route(PVOID context, PMIB_IPFORWARD_ROW2 row, MIB_NOTIFICATION_TYPE type)
{
    note_change(context,
                type == MibAddInstance &&
                    row->DestinationPrefix.Prefix.Ipv4.sin_addr.s_addr ==
                        htonl(0x0a000000u + (AFTER << 8)));
}

static VOID NETIOAPI_API_
note_address(PVOID context, PMIB_UNICASTIPADDRESS_ROW row,
             MIB_NOTIFICATION_TYPE type)
{
    note_change(context,
                type == MibAddInstance && row->Address.Ipv4.sin_addr.s_addr ==
                                              htonl(0x7f090900u + AFTER));
}

static VOID NETIOAPI_API_
note_interface(PVOID context, PMIB_IPINTERFACE_ROW row,
               MIB_NOTIFICATION_TYPE type)
{
    note_change(context,
                type == MibParameterNotification && row->NlMtu == 60000);
}

static VOID NETIOAPI_API_
note_port(PVOID context, USHORT port, MIB_NOTIFICATION_TYPE type)
{
    (void)port;
    note_change(context, type == MibInitialNotification);
}

static VOID NETIOAPI_API_
note_hint(PVOID context, NL_NETWORK_CONNECTIVITY_HINT hint)
{
    (void)hint;
    note_change(context, true);
}

static VOID NETIOAPI_API_
note_table(PVOID context, PMIB_UNICASTIPADDRESS_TABLE table)
{
    FreeMibTable(table);
    note_change(context, false);
}

/* The status codes that a program may get during a fault. */
static bool
is_clear(NETIO_STATUS status)
{
    static const DWORD clear[] = {
        NO_ERROR,
        ERROR_TOO_MANY_OPEN_FILES,
        ERROR_ACCESS_DENIED,
        ERROR_NOT_ENOUGH_MEMORY,
        ERROR_TIMEOUT,
        ERROR_NO_SYSTEM_RESOURCES,
        ERROR_GEN_FAILURE,
    };
    for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++) {
        if (status == clear[i]) {
            return true;
        }
    }
    fprintf(stderr, "%s: code %u\n", doing, (unsigned)status);
    return false;
}

static void
ask_all(listener *calls)
{
    listener *c = calls;
    CHECK(is_clear(
        NotifyRouteChange2(AF_INET, note_route, c, TRUE, &c->handle)));
    c = calls + 1;
    CHECK(is_clear(NotifyUnicastIpAddressChange(AF_INET, note_address, c,
                                                FALSE, &c->handle)));
    c = calls + 2;
    CHECK(is_clear(NotifyIpInterfaceChange(AF_INET, note_interface, c, TRUE,
                                           &c->handle)));
    c = calls + 3;
    CHECK(is_clear(NotifyTeredoPortChange(note_port, c, TRUE, &c->handle)));
    c = calls + 4;
    CHECK(is_clear(
        NotifyNetworkConnectivityHintChange(note_hint, c, TRUE, &c->handle)));
}

/* ---- everything that returns at once */
static void
read_everything(void)
{
    PMIB_IPFORWARD_TABLE2 routes = NULL;
    PMIB_UNICASTIPADDRESS_TABLE addresses = NULL;
    PMIB_IPINTERFACE_TABLE interfaces = NULL;
    MIB_IPINTERFACE_ROW interface = {.Family = AF_INET, .InterfaceIndex = LO};
    MIB_UNICASTIPADDRESS_ROW address = {.InterfaceIndex = LO};
    MIB_IPFORWARD_ROW2 route = {.InterfaceIndex = LO};
    SOCKADDR_INET to, from;
    NL_NETWORK_CONNECTIVITY_HINT hint;
    listener stable = {.handle = NULL};
    USHORT port;
    NET_LUID luid = {.Value = 0};
    WCHAR alias[64];

    memset(&to, 0, sizeof(to));
    to.Ipv4.sin_family = AF_INET;
    to.Ipv4.sin_addr.s_addr = htonl(0x7f000001u);
    address.Address = to;
    route.DestinationPrefix.Prefix.Ipv4.sin_family = AF_INET;
    route.DestinationPrefix.Prefix.Ipv4.sin_addr.s_addr =
        htonl(0x0a000000u + (BEFORE << 8));
    route.DestinationPrefix.PrefixLength = 24;
    route.NextHop.si_family = AF_INET;
    CHECK(is_clear(GetIpForwardTable2(AF_UNSPEC, &routes)));
    FreeMibTable(routes);
    CHECK(is_clear(GetUnicastIpAddressTable(AF_UNSPEC, &addresses)));
    FreeMibTable(addresses);
    addresses = NULL;
    CHECK(is_clear(GetIpInterfaceTable(AF_UNSPEC, &interfaces)));
    FreeMibTable(interfaces);
    CHECK(is_clear(GetIpForwardEntry2(&route)));
    nio_extra_drop(route.Extra);
    route.Extra = NULL;
    CHECK(is_clear(GetUnicastIpAddressEntry(&address)));
    CHECK(is_clear(GetIpInterfaceEntry(&interface)));
    nio_extra_drop(interface.Extra);
    CHECK(is_clear(GetBestRoute2(NULL, 0, NULL, &to, 0, &route, &from)));
    nio_extra_drop(route.Extra);
    CHECK(is_clear(GetNetworkConnectivityHint(&hint)));
    NETIO_STATUS status = GetTeredoPort(&port);
    CHECK(status == ERROR_NOT_READY || status == ERROR_NOT_FOUND ||
          is_clear(status));
    if (ConvertInterfaceIndexToLuid(LO, &luid) == NO_ERROR) {
        CHECK(is_clear(ConvertInterfaceLuidToAlias(&luid, alias, 64)));
    }
    CHECK(is_clear(ConvertInterfaceAliasToLuid(L"lo", &luid)));
    status = NotifyStableUnicastIpAddressTable(AF_INET, &addresses, note_table,
                                               &stable, &stable.handle);
    CHECK(status == ERROR_IO_PENDING || is_clear(status));
    if (status == ERROR_IO_PENDING) {
        CHECK_EQUAL(CancelMibChangeNotify2(stable.handle), NO_ERROR);
    }
    FreeMibTable(addresses);
}

/* ---- the run */
/* A changed link makes the engine dump all tables, which would hide a loss: so
 * only every other run changes one (`mtu` 0: none). */
static void
change(int fd, bool add, unsigned number, uint32_t mtu)
{
    nio_fault_exempt(true);
    set_route(fd, add, number);
    set_address(fd, add, number);
    if (mtu != 0) {
        set_link(fd, true, mtu);
    }
    nio_fault_exempt(false);
}

static void
expect_exact(stream *self)
{
    while (!is_exact(self)) {
        (void)nio_event_wait(&self->readable, 50000000u);
        take(self);
    }
}

static void
end_all(listener *calls, bool with_link)
{
    for (size_t i = 0; i < CALLBACKS; i++) {
        if (calls[i].handle != NULL) {
            WAIT_UNTIL((i == 2 && !with_link) ||
                       nio_atomic_load(&calls[i].after) == 1);
            CHECK_EQUAL(CancelMibChangeNotify2(calls[i].handle), NO_ERROR);
            nio_atomic_store(&calls[i].over, 1);
        }
    }
}

/* Returns how many calls the planned function had. */
static uint64_t
run_once(int fd, bool with_link)
{
    static stream stream_of;
    stream *self = &stream_of;
    const nio_request request = {.kinds = (1u << NIO_KINDS) - 1,
                                 .snapshot = true};
    listener calls[CALLBACKS] = {{.handle = NULL}};
    bool ready = nio_event_init(&self->readable);

    self->queue = ready ? nio_queue_new(1000, row_key, &self->readable) : NULL;
    self->handle = NULL;
    self->count = 0;
    self->synced = false;
    if (self->queue != NULL) {
        NETIO_STATUS status =
            nio_subscribe(&request, self->queue, &self->handle);
        CHECK(is_clear(status));
        CHECK_EQUAL(status == NO_ERROR, self->handle != NULL);
    }
    ask_all(calls);
    change(fd, true, BEFORE, with_link ? 50000 : 0);
    read_everything();
    if (self->handle != NULL) {
        take(self);
    }
    const uint64_t count = nio_fault_stop();
    change(fd, true, AFTER, with_link ? 60000 : 0);
    if (self->handle != NULL) {
        expect_exact(self);
        CHECK_EQUAL(nio_unsubscribe(self->handle), NO_ERROR);
    }
    end_all(calls, with_link);
    nio_queue_free(self->queue);
    if (ready) {
        nio_event_done(&self->readable);
    }
    change(fd, false, BEFORE, 65536);
    change(fd, false, AFTER, 65536);
    return count;
}

typedef struct held {
    int64_t blocks, pages;
    size_t files, threads;
} held;

static void
expect_held(const held *before)
{
    expect_entries("/proc/self/fd", before->files);
    expect_entries("/proc/self/task", before->threads);
    CHECK_EQUAL(nio_fault_blocks(), before->blocks);
    CHECK_EQUAL(nio_fault_pages(), before->pages);
}

/* Kernels do not interrupt for ever or return empty reads for ever, and a
 * foreign sender does not send for ever. */
static uint64_t
max_calls_of(int error)
{
    return error == EINTR || error == EAGAIN || error == NIO_FAULT_FOREIGN
               ? 100
               : UINT32_MAX;
}

/* Every `step`-th call of one function fails with one error, alone or with all
 * later ones. */
static void
fail_each(int fd, const char *name, int error, bool alone, unsigned step,
          const held *before)
{
    uint64_t number = 1, count = 0, given = 0, runs = 0;
    do {
        (void)snprintf(doing, sizeof(doing), "%s, error %d, %s %llu", name,
                       error, alone ? "call" : "from call",
                       (unsigned long long)number);
        (void)alarm(SECONDS);
        CHECK(nio_fault_plan(name, error, number,
                             number + (alone ? 1 : max_calls_of(error))));
        count = run_once(fd, runs++ % 2 == 0);
        given += nio_fault_given();
        expect_held(before);
        number += step;
    } while (number <= count);
    printf("%-20s %4d %-9s %4llu runs %6llu given\n", name, error,
           alone ? "alone" : "from then", (unsigned long long)runs,
           (unsigned long long)given);
    (void)fflush(stdout);
}

static void
fail_all(int fd, const char *only, unsigned long long seed, unsigned max_step)
{
    held before = {nio_fault_blocks(), nio_fault_pages(),
                   entries_of("/proc/self/fd"), entries_of("/proc/self/task")};
    const char *name = NULL;
    for (unsigned n = 0; (name = nio_fault_name(n)) != NULL; n++) {
        int error = 0;
        if (only != NULL && strcmp(only, name) != 0) {
            continue;
        }
        for (unsigned e = 0; (error = nio_fault_error(name, e)) != 0; e++) {
            fail_each(fd, name, error, true, 1 + random_below(&seed, max_step),
                      &before);
            fail_each(fd, name, error, false,
                      1 + random_below(&seed, max_step), &before);
        }
    }
}

/* The wall clock is set, and the monotonic clock jumps over a suspend, while
 * an engine runs and while it waits to retry. */
static void
jumping_clocks_lose_nothing(int fd)
{
    static const int64_t hour = INT64_C(3600) * 1000000000;
    const int64_t jumps[][2] = {
        {hour, 0}, {-hour, 0}, {0, hour}, {-30000 * hour, 1000 * hour}};
    listener lasting = {.handle = NULL};

    CHECK_EQUAL(NotifyRouteChange2(AF_INET, note_route, &lasting, TRUE,
                                   &lasting.handle),
                NO_ERROR);
    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        (void)snprintf(doing, sizeof(doing), "jump %zu of the clocks", i);
        (void)alarm(SECONDS);
        CHECK(nio_fault_plan("recvmmsg", EIO, 3, 6));
        nio_fault_clocks(jumps[i][0], jumps[i][1]);
        (void)run_once(fd, false);
    }
    CHECK_EQUAL(CancelMibChangeNotify2(lasting.handle), NO_ERROR);
    nio_fault_clocks(0, 0);
}

/* tower_faults_test SEED [STEP [FUNCTION]]: at most each STEP-th call
 * fails. */
int
main(int count, char **arguments)
{
    static const nio_hooks none;
    unsigned long long seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    unsigned step = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 1;

    tower_tests_begin();
    nio_set_hooks(&none); /* for registrations that are not ours */
    (void)signal(SIGALRM, on_alarm);
    int fd = kernel_open();
    (void)run_once(fd, true); /* so that everything made once exists */
    RUN(jumping_clocks_lose_nothing(fd));
    fail_all(fd, count > 3 ? arguments[3] : NULL, seed, step);
    (void)close(fd);
    puts("ok");
    return 0;
}
