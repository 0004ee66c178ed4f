/* SPDX-License-Identifier: MIT */
/* ConvertInterface*: a name is derived from the LUID ("ethernet_32770"), an
 * alias is what users see and change. And if_nametoindex and if_indextoname,
 * which Python's socket module calls. */
#include "change.h"
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct type_name {
    ULONG type;
    const WCHAR *name;
} type_name;

static const type_name type_names[] = {
    {6, L"ethernet"},  {23, L"ppp"},     {24, L"loopback"},
    {71, L"wireless"}, {131, L"tunnel"}, {1, L"other"},
};
#define TYPE_NAMES (sizeof(type_names) / sizeof(type_names[0]))

static void
make_name(NET_LUID luid, WCHAR name[IF_MAX_STRING_SIZE + 1])
{
    unsigned type = (unsigned)luid.Info.IfType;
    unsigned number = (unsigned)luid.Info.NetLuidIndex;
    for (size_t i = 0; i < TYPE_NAMES; i++) {
        if (type_names[i].type == type) {
            _snwprintf(name, IF_MAX_STRING_SIZE, L"%ls_%u", type_names[i].name,
                       number);
            return;
        }
    }
    _snwprintf(name, IF_MAX_STRING_SIZE, L"iftype%u_%u", type, number);
}

static bool
parse_name(const WCHAR *name, NET_LUID *ret_luid)
{
    const WCHAR *line = wcsrchr(name, L'_');
    WCHAR *end;
    size_t length = line == NULL ? 0 : (size_t)(line - name);
    NET_LUID luid = {0};
    if (length == 0 || line[1] < L'0' || line[1] > L'9') {
        return false;
    }
    luid.Info.NetLuidIndex = wcstoul(line + 1, &end, 10) & 0xffffffu;
    if (*end != L'\0') {
        return false;
    }
    for (size_t i = 0; i < TYPE_NAMES; i++) {
        if (wcslen(type_names[i].name) == length &&
            wcsncmp(type_names[i].name, name, length) == 0) {
            luid.Info.IfType = type_names[i].type & 0xffffu;
        }
    }
    if (luid.Info.IfType == 0 && wcsncmp(name, L"iftype", 6) == 0) {
        luid.Info.IfType = wcstoul(name + 6, &end, 10) & 0xffffu;
    }
    *ret_luid = luid;
    return luid.Info.IfType != 0;
}

/* The length counts characters, with the terminator. */
static DWORD
copy_out(const WCHAR *text, WCHAR *ret_text, SIZE_T length)
{
    if (wcslen(text) >= length) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    wcscpy(ret_text, text);
    return NO_ERROR;
}

static const standin_link *
find_alias_locked(const WCHAR *alias)
{
    const store *links = standin_links_locked();
    for (size_t i = 0; i < links->count; i++) {
        const standin_link *link = store_row(links, i);
        if (_wcsicmp(link->alias, alias) == 0) {
            return link;
        }
    }
    return NULL;
}

EXPORT DWORD WINAPI
ConvertInterfaceIndexToLuid(NET_IFINDEX index, PNET_LUID ret_luid)
{
    const NET_LUID none = {0};
    DWORD code = standin_failure(__func__);
    if (ret_luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    *ret_luid = none;
    standin_lock();
    const standin_link *link = standin_find_link_locked(none, index);
    if (code == NO_ERROR && link == NULL) {
        code = ERROR_FILE_NOT_FOUND;
    } else if (code == NO_ERROR) {
        *ret_luid = link->luid;
    }
    standin_unlock();
    return code;
}

EXPORT DWORD WINAPI
ConvertInterfaceLuidToIndex(const NET_LUID *luid, PNET_IFINDEX ret_index)
{
    DWORD code = standin_failure(__func__);
    if (luid == NULL || ret_index == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    *ret_index = 0;
    standin_lock();
    const standin_link *link = standin_find_link_locked(*luid, 0);
    if (code == NO_ERROR && link == NULL) {
        code = ERROR_INVALID_PARAMETER;
    } else if (code == NO_ERROR) {
        *ret_index = link->index;
    }
    standin_unlock();
    return code;
}

EXPORT DWORD WINAPI
ConvertInterfaceLuidToNameW(const NET_LUID *luid, PWSTR ret_name,
                            SIZE_T length)
{
    DWORD code = standin_failure(__func__);
    WCHAR name[IF_MAX_STRING_SIZE + 1];
    if (luid == NULL || ret_name == NULL || luid->Value == 0) {
        return ERROR_INVALID_PARAMETER;
    }
    make_name(*luid, name);
    return code != NO_ERROR ? code : copy_out(name, ret_name, length);
}

EXPORT DWORD WINAPI
ConvertInterfaceNameToLuidW(const WCHAR *name, PNET_LUID ret_luid)
{
    const NET_LUID none = {0};
    DWORD code = standin_failure(__func__);
    if (ret_luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    *ret_luid = none;
    if (code == NO_ERROR && (name == NULL || !parse_name(name, ret_luid))) {
        code = ERROR_INVALID_NAME;
    }
    return code;
}

EXPORT DWORD WINAPI
ConvertInterfaceLuidToAlias(const NET_LUID *luid, PWSTR ret_alias,
                            SIZE_T length)
{
    DWORD code = standin_failure(__func__);
    if (luid == NULL || ret_alias == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    standin_lock();
    const standin_link *link = standin_find_link_locked(*luid, 0);
    if (code == NO_ERROR) {
        code = link == NULL ? ERROR_INVALID_PARAMETER
                            : copy_out(link->alias, ret_alias, length);
    }
    standin_unlock();
    return code;
}

EXPORT DWORD WINAPI
ConvertInterfaceAliasToLuid(const WCHAR *alias, PNET_LUID ret_luid)
{
    const NET_LUID none = {0};
    DWORD code = standin_failure(__func__);
    if (ret_luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    *ret_luid = none;
    standin_lock();
    const standin_link *link = alias == NULL ? NULL : find_alias_locked(alias);
    if (code == NO_ERROR && link == NULL) {
        code = ERROR_INVALID_PARAMETER;
    } else if (code == NO_ERROR) {
        *ret_luid = link->luid;
    }
    standin_unlock();
    return code;
}

/* Windows accepts a name alone. Here an alias is accepted too, since the tests
 * of both systems look a link up by the name that they gave it. */
EXPORT NET_IFINDEX WINAPI
if_nametoindex(PCSTR name)
{
    WCHAR wide[IF_MAX_STRING_SIZE + 1];
    NET_LUID luid = {0};
    NET_IFINDEX index = 0;
    if (name == NULL || MultiByteToWideChar(CP_UTF8, 0, name, -1, wide,
                                            IF_MAX_STRING_SIZE + 1) == 0) {
        return 0;
    }
    journal_begin();
    standin_lock();
    const standin_link *link = parse_name(wide, &luid)
                                   ? standin_find_link_locked(luid, 0)
                                   : find_alias_locked(wide);
    if (link != NULL) {
        index = link->index;
    }
    standin_unlock();
    return index;
}

EXPORT PCHAR WINAPI
if_indextoname(NET_IFINDEX index, PCHAR ret_name)
{
    WCHAR name[IF_MAX_STRING_SIZE + 1];
    NET_LUID luid;
    if (ret_name == NULL ||
        ConvertInterfaceIndexToLuid(index, &luid) != NO_ERROR) {
        return NULL;
    }
    make_name(luid, name);
    WideCharToMultiByte(CP_UTF8, 0, name, -1, ret_name, IF_MAX_STRING_SIZE,
                        NULL, NULL);
    return ret_name;
}
