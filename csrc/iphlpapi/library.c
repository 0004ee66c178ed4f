/* SPDX-License-Identifier: MIT */
/* The system's functions, looked up by name in iphlpapi.dll at the first call,
 * and its texts. A static import of a missing function would keep the whole
 * module from loading, on an older Windows or under Wine. On any thread. */
#include "iphlpapi/library.h"

#include "iphlpapi/families.h"

#include "contract/windows/layout.h"

#include <string.h>

static nio_functions functions;
static nio_windows_functions windows_functions;

/* Writes a function pointer to `ret_function`; NULL: the library lacks it. */
static void
find(HMODULE library, const char *name, void *ret_function)
{
    FARPROC found = library == NULL ? NULL : GetProcAddress(library, name);
    memcpy(ret_function, &found, sizeof(found));
}

/* Only the system's own folder is searched, so that no other DLL of this name
 * can take its place. The library stays loaded until the process ends. */
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
#define FIND(type, name, parameters)                                          \
    find(library, #name, &windows_functions.name);
    NIO_WINDOWS_FUNCTIONS(FIND)
#undef FIND
    nio_families_wrap(&functions);
    return TRUE;
}

static void
resolve_once(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    (void)InitOnceExecuteOnce(&once, resolve, NULL, NULL);
}

const nio_functions *
nio_system(void)
{
    resolve_once();
    return &functions;
}

const nio_windows_functions *
nio_windows(void)
{
    resolve_once();
    return &windows_functions;
}

/* The system reads without a limit of ours. */
NETIO_STATUS
nio_get_route_table(ADDRESS_FAMILY family, const nio_read_limit *limit,
                    PMIB_IPFORWARD_TABLE2 *ret_table)
{
    (void)limit;
    return NIO_CALL(nio_system(), GetIpForwardTable2, family, ret_table);
}

NETIO_STATUS
nio_get_route_entry(PMIB_IPFORWARD_ROW2 row, const nio_read_limit *limit)
{
    (void)limit;
    return NIO_CALL(nio_system(), GetIpForwardEntry2, row);
}

NETIO_STATUS
nio_get_connectivity_hint(NL_NETWORK_CONNECTIVITY_HINT *hint,
                          const nio_read_limit *limit)
{
    (void)limit;
    return NIO_CALL(nio_system(), GetNetworkConnectivityHint, hint);
}

/* In the user's language, as in other programs of this machine. */
const char *
nio_status_text(DWORD status, char *buffer, size_t size)
{
    WCHAR wide[256];
    DWORD length = FormatMessageW(
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
            FORMAT_MESSAGE_MAX_WIDTH_MASK, /* without line ends inside */
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

/* Windows calls back inside of Notify*. */
bool
nio_makes_initial_calls(void)
{
    return false;
}

/* Hooks are for towers that queue callbacks; here the system calls back
 * directly. */
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
