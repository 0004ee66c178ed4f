/* SPDX-License-Identifier: MIT */
/* A tower without a system, which does whatever a system may do and ours
 * never does: calls back on several threads at once, on the registering
 * thread, twice INITIAL, outside of any batch, until the very end of a cancel;
 * refuses, fails, lacks functions; runs out of threads and events. The tests
 * of the binding tell it what to do through fake_set(). */
#define NIO_PUBLIC __attribute__((visibility("default")))

#include "contract/linux/layout.h"
#include "contract/tower.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct registration {
    struct registration *next;
    /* the one that is set tells what this is */
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

enum { /* what fake_set() sets, in the order that the tests know */
       SYNCHRONOUS, /* INITIAL twice, on the registering thread */
       FAIL_CANCEL, /* the code that CancelMibChangeNotify2 returns */
       NULL_HANDLE,
       REFUSE, /* the code that registering returns */
       STABLE_NOW,
       LATE, /* callbacks during the cancel, after the binding began it */
       NO_THREADS,
       NO_EVENTS,
       BATCHES, /* all that one thread calls back is one batch */
       SETTINGS
};
static int settings[SETTINGS];
int fake_setting(int what);
void fake_hooks(const nio_hooks *set);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static registration *registrations;
static caller callers[64];
static unsigned caller_count;
static int tables; /* given away and not freed */
static int called; /* callbacks that have returned */
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
        return NULL; /* a callback forked: who knows who holds the lock */
    }
    pthread_mutex_lock(&lock);
    self->target->running--;
    pthread_cond_broadcast(&idle);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* ---- what the tests call */

NIO_PUBLIC void fake_set(int what, int value);
NIO_PUBLIC int fake_tables(void);
NIO_PUBLIC int fake_called(void);
NIO_PUBLIC void fake_call(unsigned threads, unsigned count, int type);
NIO_PUBLIC void fake_join(void);

NIO_PUBLIC void
fake_set(int what, int value)
{
    __atomic_store_n(&settings[what], value, __ATOMIC_SEQ_CST);
}

NIO_PUBLIC int
fake_tables(void)
{
    return __atomic_load_n(&tables, __ATOMIC_SEQ_CST);
}

NIO_PUBLIC int
fake_called(void)
{
    return __atomic_load_n(&called, __ATOMIC_SEQ_CST);
}

/* `threads` threads at once call the last registration back, `count` times
 * each, with the numbers thread * 100000 and up. */
NIO_PUBLIC void
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

NIO_PUBLIC void
fake_join(void)
{
    for (; caller_count > 0; caller_count--) {
        pthread_join(callers[caller_count - 1].thread, NULL);
    }
}

/* For rest.c. */
int
fake_setting(int what)
{
    return __atomic_load_n(&settings[what], __ATOMIC_SEQ_CST);
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
        abort(); /* never pass NULL */
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
        /* no NotifyNetworkConnectivityHintChange: too old a system */
        .CancelMibChangeNotify2 = cancel,
        .FreeMibTable = free_table,
    };
    return &functions;
}
