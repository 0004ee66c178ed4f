/* SPDX-License-Identifier: MIT */
/* The system's functions, found by name in iphlpapi.dll at the first call. A
 * static import of one that is missing would keep the whole module from
 * loading, on an older Windows as under Wine. Any thread. */
#include "contract/tower.h"

#include "contract/windows/layout.h"

#include <string.h>

static nio_functions functions;

/* `ret_function` has the size of a function pointer; NULL: not there. */
static void
find(HMODULE library, const char *name, void *ret_function)
{
    FARPROC found = library == NULL ? NULL : GetProcAddress(library, name);
    memcpy(ret_function, &found, sizeof(found));
}

/* Only the system's own folder is looked in: nobody puts another DLL of this
 * name before it. The library stays loaded, as long as the process lives. */
static BOOL CALLBACK
resolve(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    HMODULE library =
        LoadLibraryExW(L"iphlpapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    (void)once;
    (void)parameter;
    (void)context;
#define FIND(name, parameters, since) find(library, #name, &functions.name);
    NIO_FUNCTIONS(FIND)
#undef FIND
    find(library, "FreeMibTable", &functions.FreeMibTable);
    return TRUE;
}

const nio_functions *
nio_system(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

    (void)InitOnceExecuteOnce(&once, resolve, NULL, NULL);
    return &functions;
}

/* In the user's language, as every program of this machine says it. */
const char *
nio_status_text(DWORD status, char *buffer, size_t size)
{
    WCHAR wide[256];
    DWORD length = FormatMessageW(
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
            FORMAT_MESSAGE_MAX_WIDTH_MASK, /* no line ends within */
        NULL, status, 0, wide, (DWORD)(sizeof(wide) / sizeof(wide[0])), NULL);

    while (length > 0 &&
           (wide[length - 1] == L' ' || wide[length - 1] == L'\r' ||
            wide[length - 1] == L'\n')) {
        length--;
    }
    int bytes = length == 0
                    ? 0
                    : WideCharToMultiByte(CP_UTF8, 0, wide, (int)length,
                                          buffer, (int)size - 1, NULL, NULL);
    buffer[bytes > 0 ? bytes : 0] = 0;
    return buffer;
}

/* The binding's hooks are for towers that queue: this one's callbacks come
 * straight from the system. */
void
nio_set_hooks(const nio_hooks *hooks)
{
    (void)hooks;
}

bool
nio_is_forked(HANDLE handle)
{
    (void)handle; /* Windows has no fork() */
    return false;
}
