/* SPDX-License-Identifier: MIT */
/* A Windows that lacks a function: its name is removed from the names that
 * GetProcAddress searches. */
#include "standin.h"

#include <string.h>

/* The address of this DLL in memory. */
static unsigned char *
image(void)
{
    static const char inside;
    HMODULE self = NULL;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       (LPCWSTR)(const void *)&inside, &self);
    return (unsigned char *)self;
}

static const IMAGE_EXPORT_DIRECTORY *
exports(const unsigned char *base)
{
    const IMAGE_DOS_HEADER *dos = (const void *)base;
    const IMAGE_NT_HEADERS *headers = (const void *)(base + dos->e_lfanew);
    return (const void *)(base +
                          headers->OptionalHeader
                              .DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT]
                              .VirtualAddress);
}

/* For the rest of the process, for lookups from now on. */
EXPORT DWORD WINAPI
standin_hide(const char *function)
{
    unsigned char *base = image();
    const IMAGE_EXPORT_DIRECTORY *of = exports(base);
    const DWORD *names = (const void *)(base + of->AddressOfNames);
    for (DWORD i = 0; function != NULL && i < of->NumberOfNames; i++) {
        char *name = (char *)base + names[i];
        if (strcmp(name, function) == 0) {
            DWORD before;
            char *last = name + strlen(name) - 1;
            if (!VirtualProtect(last, 1, PAGE_READWRITE, &before)) {
                return GetLastError();
            }
            ++*last; /* the names stay in their order */
            VirtualProtect(last, 1, before, &before);
            return NO_ERROR;
        }
    }
    return ERROR_PROC_NOT_FOUND;
}
