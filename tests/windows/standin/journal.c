/* SPDX-License-Identifier: MIT */
/* One network for several processes, as on a real machine. They share a
 * named block of memory, to which each change is appended. Every process
 * applies all changes, in that order, to its own tables, and notifies its
 * own registrations. The children of a test find the block by their
 * environment. */
#include "change.h"
#include "tables.h"

#include <string.h>

#define VARIABLE L"NETIOAPI_STANDIN_JOURNAL"
#define NAME_LENGTH 64
#define JOURNAL_SIZE (256u << 20)
#define CHECK_EVERY_MS 1
#define SPINS 64

typedef struct journal {
    volatile LONG locked;     /* by a process, or 0; guards the rest */
    volatile LONG generation; /* of a reset: the records start anew */
    volatile LONG64 written;  /* bytes of records */
    unsigned char records[];
} journal;

static INIT_ONCE begun = INIT_ONCE_STATIC_INIT;
static journal *volatile shared;    /* NULL: this process is alone */
static volatile LONG my_generation; /* guarded by the journal's lock */
static volatile LONG64 my_position;

static bool
is_dead(DWORD process)
{
    HANDLE handle = OpenProcess(SYNCHRONIZE, FALSE, process);
    if (handle == NULL) {
        return true;
    }
    bool dead = WaitForSingleObject(handle, 0) == WAIT_OBJECT_0;
    CloseHandle(handle);
    return dead;
}

/* The lock holds the process id of its owner, since a process may be killed
 * while it owns the lock: the record that it was appending is lost, and
 * nothing else. */
static void
lock_journal(journal *of)
{
    LONG self = (LONG)GetCurrentProcessId(), owner;
    for (unsigned i = 1;
         (owner = InterlockedCompareExchange(&of->locked, self, 0)) != 0;
         i++) {
        if (i % SPINS != 0) {
            SwitchToThread();
        } else if (owner == self || !is_dead((DWORD)owner)) {
            Sleep(1);
        } else if (InterlockedCompareExchange(&of->locked, self, owner) ==
                   owner) {
            return;
        }
    }
}

static void
unlock_journal(journal *of)
{
    InterlockedExchange(&of->locked, 0);
}

/* Applies the records of the other processes. */
static void
catch_up_locked(journal *of)
{
    if (my_generation != of->generation) {
        my_generation = of->generation;
        my_position = 0;
    }
    while (my_position < of->written) {
        change what;
        UINT32 size;
        const unsigned char *record = of->records + my_position;
        memset(&what, 0, sizeof(what));
        memcpy(&size, record, sizeof(size));
        memcpy(&what, record, size);
        my_position += (size + 7) & ~7u;
        change_apply(&what);
    }
}

static DWORD
append_locked(journal *of, const change *what)
{
    LONG64 size = (what->size + 7) & ~7u;
    if (what->operation == CHANGE_RESET) {
        of->written = 0;
        my_generation = ++of->generation;
    }
    if (of->written + size > (LONG64)(JOURNAL_SIZE - sizeof(journal))) {
        return ERROR_DISK_FULL;
    }
    memcpy(of->records + of->written, what, what->size);
    of->written += size;
    my_position = of->written;
    return NO_ERROR;
}

DWORD
journal_submit(const change *what)
{
    journal *of = shared;
    if (of == NULL) {
        return change_apply(what);
    }
    lock_journal(of);
    catch_up_locked(of);
    DWORD code = append_locked(of, what);
    if (code == NO_ERROR) {
        code = change_apply(what);
    }
    unlock_journal(of);
    return code;
}

/* Checks without the lock: a record missed now is seen at the next check. */
static bool
is_behind(journal *of)
{
    return InterlockedCompareExchange(&my_generation, 0, 0) !=
               of->generation ||
           InterlockedCompareExchange64(&my_position, 0, 0) != of->written;
}

static DWORD WINAPI
follow(LPVOID context)
{
    journal *of = context;
    for (;;) {
        Sleep(CHECK_EVERY_MS);
        if (is_behind(of)) {
            lock_journal(of);
            catch_up_locked(of);
            unlock_journal(of);
        }
    }
    return 0;
}

static journal *
map(const WCHAR *name)
{
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL,
                                        PAGE_READWRITE, 0, JOURNAL_SIZE, name);
    return mapping == NULL ? NULL
                           : MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0,
                                           JOURNAL_SIZE);
}

static DWORD
join(const WCHAR *name)
{
    journal *of = map(name);
    if (of == NULL) {
        return GetLastError();
    }
    lock_journal(of);
    catch_up_locked(of);
    shared = of;
    unlock_journal(of);
    HANDLE thread = CreateThread(NULL, 0, follow, of, 0, NULL);
    if (thread == NULL) {
        standin_die("no thread for the journal");
    }
    CloseHandle(thread);
    return NO_ERROR;
}

static BOOL CALLBACK
begin(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    WCHAR name[NAME_LENGTH];
    HMODULE self;
    (void)once;
    (void)parameter;
    (void)context;
    /* Loaded for ever: threads may be running in it. */
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN |
                           GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (LPCWSTR)(void *)&begun, &self);
    standin_lock();
    standin_reset_locked();
    standin_unlock();
    DWORD length = GetEnvironmentVariableW(VARIABLE, name, NAME_LENGTH);
    if (length > 0 && length < NAME_LENGTH && join(name) != NO_ERROR) {
        standin_die("the journal of NETIOAPI_STANDIN_JOURNAL is not there");
    }
    return TRUE;
}

void
journal_begin(void)
{
    InitOnceExecuteOnce(&begun, begin, NULL, NULL);
}

/* From now on the network is shared with all processes that use this name, and
 * with future ones that have it in NETIOAPI_STANDIN_JOURNAL. Begins with a
 * reset. Call once in a process. */
EXPORT DWORD WINAPI
standin_share(const WCHAR *name)
{
    journal_begin();
    if (name == NULL || shared != NULL) {
        return shared != NULL ? ERROR_ALREADY_EXISTS : ERROR_INVALID_PARAMETER;
    }
    return join(name);
}
