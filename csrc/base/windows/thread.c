/* SPDX-License-Identifier: MIT */
/* Windows: threads, named for debuggers where kernel32.dll has the function
 * (Windows 10 1703 and later). A thread's pointer is in a fiber-local slot:
 * unlike a thread-local one it has a callback, which runs as the thread ends,
 * also for threads of the system's pool. */
#include "base/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The task of a new thread, which owns it once it runs. */
typedef struct start {
    void (*run)(void *argument);
    void *argument;
    WCHAR name[16];
} start;

typedef HRESULT(WINAPI *set_description)(HANDLE thread, PCWSTR name);

/* Only an aid: a failure does not matter. */
static void
name_thread(const WCHAR *name)
{
    HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    FARPROC found =
        kernel == NULL ? NULL : GetProcAddress(kernel, "SetThreadDescription");
    set_description set = NULL;

    memcpy(&set, &found, sizeof(set));
    if (set != NULL) {
        (void)set(GetCurrentThread(), name);
    }
}

static DWORD WINAPI
thread_main(void *argument)
{
    start *mine = argument;
    void (*run)(void *) = mine->run;
    void *given = mine->argument;

    name_thread(mine->name);
    free(mine);
    run(given);
    return 0;
}

bool
nio_thread_start(nio_thread *thread, const char *name,
                 void (*run)(void *argument), void *argument)
{
    start *mine = calloc(1, sizeof(*mine));

    thread->started = false;
    if (mine == NULL) {
        return false;
    }
    mine->run = run;
    mine->argument = argument;
    for (size_t i = 0; name[i] != 0 && i < 15; i++) {
        mine->name[i] = (WCHAR)name[i];
    }
    thread->native = CreateThread(NULL, 0, thread_main, mine, 0, NULL);
    thread->started = thread->native != NULL;
    if (!thread->started) {
        free(mine);
    }
    return thread->started;
}

bool
nio_thread_start_unmasked(nio_thread *thread, const char *name,
                          void (*run)(void *argument), void *argument)
{
    return nio_thread_start(thread, name, run, argument); /* no signals here */
}

void
nio_thread_join(nio_thread *thread)
{
    if (!thread->started) {
        return;
    }
    DWORD ended = WaitForSingleObject(thread->native, INFINITE);
    assert(ended == WAIT_OBJECT_0);
    (void)ended;
    (void)CloseHandle(thread->native);
    thread->started = false;
}

uint64_t
nio_thread_number(void)
{
    return GetCurrentThreadId();
}

bool
nio_thread_alone_takes_signals(void)
{
    return false; /* Python's handler of Ctrl-C runs on a thread of Windows */
}

void
nio_thread_pause(uint64_t ns)
{
    const uint64_t ns_per_ms = 1000000u, max_ms = 0x7fffffffu;
    uint64_t ms = ns / ns_per_ms + (ns % ns_per_ms != 0);
    Sleep((DWORD)(ms < max_ms ? ms : max_ms));
}

static DWORD slot = FLS_OUT_OF_INDEXES;
static void (*exit_function)(void *pointer);

static VOID WINAPI
call_exit_function(PVOID pointer)
{
    if (pointer != NULL) {
        exit_function(pointer);
    }
}

bool
nio_thread_local_init(void (*on_thread_exit)(void *pointer))
{
    exit_function = on_thread_exit;
    slot = FlsAlloc(call_exit_function);
    return slot != FLS_OUT_OF_INDEXES;
}

void *
nio_thread_local_get(void)
{
    return FlsGetValue(slot);
}

bool
nio_thread_local_set(void *pointer)
{
    return FlsSetValue(slot, pointer) != 0;
}
