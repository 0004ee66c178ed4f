/* SPDX-License-Identifier: MIT */
/* What this tower gives to the binding beside netioapi.h: contract/tower.h. */
#include "contract/tower.h"

#include "base/filter.h"
#include "rtnetlink/api/rows.h"

#include <string.h>

#define MEMBER(name, parameters, since) .name = name,
static const nio_functions functions = {
    NIO_FUNCTIONS(MEMBER).FreeMibTable = FreeMibTable,
};
#undef MEMBER

/* Win32 codes that this tower answers with, in the words of the system. */
static const struct {
    DWORD code;
    const char *text;
} texts[] = {
    {NO_ERROR, "success"},
    {ERROR_FILE_NOT_FOUND, "no such interface"},
    {ERROR_TOO_MANY_OPEN_FILES, "too many open files"},
    {ERROR_ACCESS_DENIED, "access denied"},
    {ERROR_INVALID_HANDLE, "the handle is invalid"},
    {ERROR_NOT_ENOUGH_MEMORY, "not enough memory"},
    {ERROR_NOT_READY, "not ready"},
    {ERROR_GEN_FAILURE, "the kernel gave an unexpected answer"},
    {ERROR_NOT_SUPPORTED, "not supported by this kernel"},
    {ERROR_INVALID_PARAMETER, "invalid parameter"},
    {ERROR_INVALID_NAME, "invalid interface name"},
    {ERROR_PROC_NOT_FOUND, "no such function"},
    {ERROR_IO_PENDING, "pending"},
    {ERROR_POSSIBLE_DEADLOCK, "would wait for itself"},
    {ERROR_NOT_FOUND, "not found"},
    {ERROR_NETWORK_UNREACHABLE, "network unreachable"},
    {ERROR_HOST_UNREACHABLE, "host unreachable"},
    {ERROR_NO_SYSTEM_RESOURCES, "the system has no thread or socket left"},
    {ERROR_TIMEOUT, "the kernel did not answer"},
};

const nio_functions *
nio_system(void)
{
    return &functions;
}

const char *
nio_status_text(DWORD status, char *buffer, size_t size)
{
    (void)buffer;
    (void)size;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code == status) {
            return texts[i].text;
        }
    }
    return "";
}

/* The kernel says all of a row at once, and of what it deletes as well. */
const void *
nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type, const void *row,
                 void *space, bool *ret_details)
{
    (void)kind;
    (void)type;
    (void)space;
    *ret_details = true;
    return row;
}

ULONG
nio_row_table(const MIB_IPFORWARD_ROW2 *row)
{
    return row->Table;
}

/* Appends the bytes of one member of the identity. */
static size_t
append(uint8_t *key, size_t used, const void *bytes, size_t size)
{
    memcpy(key + used, bytes, size);
    return used + size;
}

static size_t
append_address(uint8_t *key, size_t used, const SOCKADDR_INET *address)
{
    uint8_t bytes[16];
    nio_sockaddr_bytes(address, bytes);
    key[used++] = (uint8_t)address->si_family;
    return append(key, used, bytes,
                  address->si_family == AF_INET ? 4 : sizeof(bytes));
}

static size_t
route_key(const MIB_IPFORWARD_ROW2 *row, uint8_t *key)
{
    size_t used = append(key, 0, &row->Table, sizeof(row->Table));
    used = append(key, used, &row->Metric, sizeof(row->Metric));
    used =
        append(key, used, &row->InterfaceIndex, sizeof(row->InterfaceIndex));
    used = append(key, used, &row->Tos, sizeof(row->Tos));
    key[used++] = row->DestinationPrefix.PrefixLength;
    used = append_address(key, used, &row->DestinationPrefix.Prefix);
    return append_address(key, used, &row->NextHop);
}

static size_t
address_key(const MIB_UNICASTIPADDRESS_ROW *row, uint8_t *key)
{
    size_t used =
        append(key, 0, &row->InterfaceIndex, sizeof(row->InterfaceIndex));
    key[used++] = row->OnLinkPrefixLength;
    used = append_address(key, used, &row->Address);
    return append(key, used, row->Peer, sizeof(row->Peer));
}

size_t
nio_row_key(nio_kind kind, const void *row, uint8_t key[NIO_KEY_SIZE])
{
    if (kind == NIO_ROUTE) {
        return route_key(row, key);
    }
    if (kind == NIO_ADDRESS) {
        return address_key(row, key);
    }
    const MIB_IPINTERFACE_ROW *interface = row;
    size_t used = append(key, 0, &interface->InterfaceIndex,
                         sizeof(interface->InterfaceIndex));
    return append(key, used, &interface->Family, sizeof(interface->Family));
}
