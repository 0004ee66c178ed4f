/* SPDX-License-Identifier: MIT */
/* A tower without a system, for the tests of the binding. It does what a
 * system may do and our towers never do: it calls back on several threads at
 * once, on the registering thread, twice with INITIAL, outside of a batch and
 * until the end of a cancel; it refuses, fails and lacks functions. */
#define EXPORT __attribute__((visibility("default")))

#include "settings.h"

#include "contract/linux/layout.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct registration {
    struct registration *next;
    /* one of these is set, by the kind of registration */
    PIPINTERFACE_CHANGE_CALLBACK interface;
    PUNICAST_IPADDRESS_CHANGE_CALLBACK address;
    PIPFORWARD_CHANGE_CALLBACK route;
    PTEREDO_PORT_CHANGE_CALLBACK teredo;
    PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK hint;
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK stable;
    void *context;
    int running; /* threads that may call back */
} registration;

typedef struct caller {
    registration *target;
    unsigned first, count;
    int type;
    pthread_t thread;
} caller;

static int settings[SETTINGS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static registration *registrations;
static caller callers[64];
static unsigned caller_count;
static int tables; /* given to callbacks and not yet freed */
static int called; /* callbacks that have returned */
static int held;   /* threads in a held function */
static nio_hooks hooks;

static PMIB_UNICASTIPADDRESS_TABLE
table_new(void)
{
    PMIB_UNICASTIPADDRESS_TABLE table = calloc(1, sizeof(*table));
    table->NumEntries = 1;
    table->Table[0].Address.si_family = AF_INET;
    __atomic_add_fetch(&tables, 1, __ATOMIC_SEQ_CST);
    return table;
}

static void
call_back(const registration *to, unsigned number, MIB_NOTIFICATION_TYPE type)
{
    bool initial = type == MibInitialNotification;
    if (to->interface != NULL) {
        MIB_IPINTERFACE_ROW row = {.Family = AF_INET, .Metric = number};
        to->interface(to->context, initial ? NULL : &row, type);
    }
    if (to->address != NULL) {
        MIB_UNICASTIPADDRESS_ROW row = {.ValidLifetime = number};
        row.Address.si_family = AF_INET;
        to->address(to->context, initial ? NULL : &row, type);
    }
    if (to->route != NULL) {
        MIB_IPFORWARD_ROW2 row = {.Metric = number};
        row.DestinationPrefix.Prefix.si_family = AF_INET;
        row.NextHop.si_family = AF_INET;
        to->route(to->context, initial ? NULL : &row, type);
    }
    if (to->teredo != NULL) {
        to->teredo(to->context, (USHORT)number, type);
    }
    if (to->hint != NULL) {
        NL_NETWORK_CONNECTIVITY_HINT hint = {.ConnectivityLevel = 3};
        to->hint(to->context, hint);
    }
    if (to->stable != NULL) {
        to->stable(to->context, table_new());
    }
}

static void *
run_caller(void *argument)
{
    const caller *self = argument;
    pid_t process = getpid();
    bool batch = fake_setting(BATCHES) != 0;
    if (batch) {
        hooks.begin(self->target->context);
    }
    for (unsigned i = 0; i < self->count; i++) {
        call_back(self->target, self->first + i,
                  (MIB_NOTIFICATION_TYPE)self->type);
        __atomic_add_fetch(&called, 1, __ATOMIC_SEQ_CST);
    }
    if (batch) {
        hooks.end(self->target->context);
    }
    hooks.thread_end(self->target->context);
    if (getpid() != process) {
        return NULL; /* the child of a callback that forked: the lock may stay
                        held */
    }
    pthread_mutex_lock(&lock);
    self->target->running--;
    pthread_cond_broadcast(&idle);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* ---- for the tests, through ctypes */

EXPORT void fake_set(int setting, int value);
EXPORT int fake_tables(void);
EXPORT int fake_called(void);
EXPORT int fake_registered(void);
EXPORT int fake_waiting(void);
EXPORT void fake_call(unsigned threads, unsigned count, int type);
EXPORT void fake_join(void);

EXPORT void
fake_set(int setting, int value)
{
    __atomic_store_n(&settings[setting], value, __ATOMIC_SEQ_CST);
}

EXPORT int
fake_tables(void)
{
    return __atomic_load_n(&tables, __ATOMIC_SEQ_CST);
}

EXPORT int
fake_called(void)
{
    return __atomic_load_n(&called, __ATOMIC_SEQ_CST);
}

EXPORT int
fake_waiting(void)
{
    return __atomic_load_n(&held, __ATOMIC_SEQ_CST);
}

EXPORT int
fake_registered(void)
{
    int count = 0;
    pthread_mutex_lock(&lock);
    for (registration *one = registrations; one != NULL; one = one->next) {
        count++;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

/* Starts `threads` threads that call the last registration back, `count` times
 * each, with the numbers from thread * 100000 on. */
EXPORT void
fake_call(unsigned threads, unsigned count, int type)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < threads; i++) {
        caller *one = &callers[caller_count++];
        *one = (caller){registrations, i * 100000, count, type, 0};
        registrations->running++;
        pthread_create(&one->thread, NULL, run_caller, one);
    }
    pthread_mutex_unlock(&lock);
}

EXPORT void
fake_join(void)
{
    for (; caller_count > 0; caller_count--) {
        pthread_join(callers[caller_count - 1].thread, NULL);
    }
}

/* ---- for stubs.c */
int
fake_setting(int setting)
{
    return __atomic_load_n(&settings[setting], __ATOMIC_SEQ_CST);
}

void
fake_held(int change)
{
    __atomic_add_fetch(&held, change, __ATOMIC_SEQ_CST);
}

void
fake_hooks(const nio_hooks *set)
{
    hooks = *set;
}

/* ---- the system */

static NETIO_STATUS
start(registration made, BOOLEAN initial, HANDLE *ret_handle)
{
    if (fake_setting(REFUSE) != 0) {
        return (NETIO_STATUS)fake_setting(REFUSE);
    }
    registration *kept = malloc(sizeof(*kept));
    *kept = made;
    if (initial && fake_setting(SYNCHRONOUS)) {
        call_back(kept, 0, MibInitialNotification);
        call_back(kept, 0, MibInitialNotification);
    }
    pthread_mutex_lock(&lock);
    kept->next = registrations;
    registrations = kept;
    pthread_mutex_unlock(&lock);
    *ret_handle = fake_setting(NULL_HANDLE) ? NULL : kept;
    return NO_ERROR;
}

#define START(Name, Callback, member)                                         \
    static NETIO_STATUS Name(ADDRESS_FAMILY family, Callback callback,        \
                             PVOID context, BOOLEAN initial, HANDLE *ret)     \
    {                                                                         \
        (void)family;                                                         \
        return start((registration){.member = callback, .context = context},  \
                     initial, ret);                                           \
    }
START(start_interface, PIPINTERFACE_CHANGE_CALLBACK, interface)
START(start_address, PUNICAST_IPADDRESS_CHANGE_CALLBACK, address)
START(start_route, PIPFORWARD_CHANGE_CALLBACK, route)

static NETIO_STATUS
start_teredo(PTEREDO_PORT_CHANGE_CALLBACK callback, PVOID context,
             BOOLEAN initial, HANDLE *ret)
{
    return start((registration){.teredo = callback, .context = context},
                 initial, ret);
}

static NETIO_STATUS
start_stable(ADDRESS_FAMILY family, PMIB_UNICASTIPADDRESS_TABLE *ret_table,
             PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK callback, PVOID context,
             HANDLE *ret)
{
    (void)family;
    if (fake_setting(STABLE_NOW)) {
        *ret_table = table_new();
        return NO_ERROR;
    }
    NETIO_STATUS status = start(
        (registration){.stable = callback, .context = context}, FALSE, ret);
    return status == NO_ERROR ? ERROR_IO_PENDING : status;
}

static NETIO_STATUS
cancel(HANDLE handle)
{
    registration *gone = handle;
    if (handle == NULL) {
        abort(); /* the binding must never pass NULL */
    }
    if (fake_setting(FAIL_CANCEL) != 0) {
        return (NETIO_STATUS)fake_setting(FAIL_CANCEL);
    }
    for (int i = 0; i < fake_setting(LATE); i++) {
        call_back(gone, 7, MibAddInstance);
    }
    pthread_mutex_lock(&lock);
    registration **link = &registrations;
    while (*link != gone) {
        link = &(*link)->next;
    }
    *link = gone->next;
    while (gone->running > 0) {
        pthread_cond_wait(&idle, &lock);
    }
    pthread_mutex_unlock(&lock);
    free(gone);
    return NO_ERROR;
}

static VOID
free_table(PVOID table)
{
    __atomic_sub_fetch(&tables, 1, __ATOMIC_SEQ_CST);
    free(table);
}

const nio_functions *
nio_system(void)
{
    static const nio_functions functions = {
        .NotifyIpInterfaceChange = start_interface,
        .NotifyUnicastIpAddressChange = start_address,
        .NotifyRouteChange2 = start_route,
        .NotifyTeredoPortChange = start_teredo,
        .NotifyStableUnicastIpAddressTable = start_stable,
        /* no NotifyNetworkConnectivityHintChange: the system is too old */
        .CancelMibChangeNotify2 = cancel,
        .FreeMibTable = free_table,
    };
    return &functions;
}
