/* SPDX-License-Identifier: MIT */
/* Endless changes, by threads of their own, at full speed or with a pause
 * after each round. */
#include "change.h"
#include "tables.h"

#include <string.h>

#define MAX_THREADS 16
#define CHECK_EVERY 128 /* changes */
/* With more waiting events than this, changes are made slowly: the events of a
 * callback that hangs would otherwise use all memory. */
#define TRICKLE_ABOVE 20000
#define TRICKLE_PAUSE 10 /* ms */

typedef struct flooder {
    MIB_IPFORWARD_ROW2 first;
    ULONG count;
    ULONG rounds;
    DWORD pause_ms;
    ULONG number; /* of the thread */
    HANDLE thread;
} flooder;

static SRWLOCK lock = SRWLOCK_INIT; /* guards the flooders */
static flooder flooders[MAX_THREADS];
static ULONG flooder_count;
static volatile LONG stopped;
static volatile LONG made;

MIB_IPFORWARD_ROW2
flood_row(const MIB_IPFORWARD_ROW2 *first, ULONG number)
{
    MIB_IPFORWARD_ROW2 row = *first;
    SOCKADDR_INET *prefix = &row.DestinationPrefix.Prefix;
    UINT8 length = row.DestinationPrefix.PrefixLength;
    if (prefix->si_family == AF_INET && length > 0 && length <= 32) {
        ULONG at = _byteswap_ulong(prefix->Ipv4.sin_addr.S_un.S_addr);
        at += number << (32 - length);
        prefix->Ipv4.sin_addr.S_un.S_addr = _byteswap_ulong(at);
    }
    return row;
}

static bool
is_stopped(void)
{
    return InterlockedCompareExchange(&stopped, 0, 0) != 0;
}

static void
slow_down(void)
{
    standin_lock();
    bool enough = standin_figures[STANDIN_QUEUED] > TRICKLE_ABOVE;
    standin_unlock();
    if (enough) {
        Sleep(TRICKLE_PAUSE);
    }
}

static void
flood_routes(const flooder *of, bool add)
{
    for (ULONG i = 0; i < of->count && !is_stopped(); i++) {
        MIB_IPFORWARD_ROW2 row =
            flood_row(&of->first, of->number * of->count + i);
        standin_lock();
        if (add) {
            standin_put_locked(STANDIN_ROUTE, &row);
        } else {
            standin_delete_locked(STANDIN_ROUTE, &row);
        }
        standin_unlock();
        if (InterlockedIncrement(&made) % CHECK_EVERY == 0) {
            slow_down();
        }
    }
}

static void
flood_address_locked(const flooder *of, bool add)
{
    MIB_UNICASTIPADDRESS_ROW row;
    memset(&row, 0, sizeof(row));
    row.Address.si_family = AF_INET;
    row.Address.Ipv4.sin_addr.S_un.S_addr = _byteswap_ulong(0xC6336401u);
    row.InterfaceLuid = of->first.InterfaceLuid;
    row.InterfaceIndex = of->first.InterfaceIndex;
    row.OnLinkPrefixLength = 32;
    row.DadState = IpDadStatePreferred;
    if (add) {
        standin_put_locked(STANDIN_ADDRESS, &row);
    } else {
        standin_delete_locked(STANDIN_ADDRESS, &row);
    }
}

static void
flood_mtu_locked(const flooder *of, ADDRESS_FAMILY family, ULONG mtu)
{
    MIB_IPINTERFACE_ROW row;
    memset(&row, 0, sizeof(row));
    row.Family = family;
    row.InterfaceLuid = of->first.InterfaceLuid;
    row.InterfaceIndex = of->first.InterfaceIndex;
    const MIB_IPINTERFACE_ROW *known =
        standin_find_row_locked(STANDIN_INTERFACE, &row);
    if (known != NULL) {
        row = *known;
        row.NlMtu = mtu;
        standin_put_locked(STANDIN_INTERFACE, &row);
    }
}

static void
flood_others(const flooder *of, bool add)
{
    ULONG mtu = add ? 1400 : 1500;
    standin_lock();
    flood_address_locked(of, add);
    flood_mtu_locked(of, AF_INET, mtu);
    flood_mtu_locked(of, AF_INET6, mtu);
    standin_unlock();
}

static DWORD WINAPI
flood(LPVOID context)
{
    const flooder *of = context;
    for (ULONG i = 0; !is_stopped() && (of->rounds == 0 || i < of->rounds);
         i++) {
        for (int add = 1; add >= 0; add--) {
            flood_routes(of, add != 0);
            if (of->number == 0) {
                flood_others(of, add != 0);
            }
        }
        if (of->pause_ms > 0) {
            Sleep(of->pause_ms);
        }
    }
    return 0;
}

DWORD
flood_begin(const change *what)
{
    DWORD code = NO_ERROR;
    ULONG threads = what->numbers[2];
    if (threads == 0 || threads > MAX_THREADS) {
        return ERROR_INVALID_PARAMETER;
    }
    AcquireSRWLockExclusive(&lock);
    if (flooder_count > 0) {
        code = ERROR_BUSY;
        goto done;
    }
    InterlockedExchange(&stopped, 0);
    InterlockedExchange(&made, 0);
    for (ULONG i = 0; i < threads; i++) {
        flooder *of = &flooders[i];
        of->first = what->row.route;
        of->count = what->numbers[0];
        of->rounds = what->numbers[1];
        of->pause_ms = what->numbers[3];
        of->number = i;
        of->thread = CreateThread(NULL, 0, flood, of, 0, NULL);
        if (of->thread == NULL) {
            standin_die("no thread for a flood");
        }
        flooder_count++;
    }
done:
    ReleaseSRWLockExclusive(&lock);
    return code;
}

ULONG
flood_end(void)
{
    AcquireSRWLockExclusive(&lock);
    InterlockedExchange(&stopped, 1);
    for (ULONG i = 0; i < flooder_count; i++) {
        WaitForSingleObject(flooders[i].thread, INFINITE);
        CloseHandle(flooders[i].thread);
    }
    flooder_count = 0;
    ULONG changes = (ULONG)InterlockedExchange(&made, 0);
    ReleaseSRWLockExclusive(&lock);
    return changes;
}

/* Waits until the threads of a flood have made all rounds: 1, or 0 after the
 * time-out. Call standin_flood_stop all the same. */
EXPORT int WINAPI
standin_flood_wait(DWORD timeout_ms)
{
    ULONGLONG end = GetTickCount64() + timeout_ms;
    int finished = 1;
    AcquireSRWLockShared(&lock);
    for (ULONG i = 0; finished && i < flooder_count; i++) {
        ULONGLONG now = GetTickCount64();
        DWORD left = now >= end ? 0 : (DWORD)(end - now);
        finished =
            WaitForSingleObject(flooders[i].thread, left) == WAIT_OBJECT_0;
    }
    ReleaseSRWLockShared(&lock);
    return finished;
}
