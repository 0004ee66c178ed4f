/* SPDX-License-Identifier: MIT */
/* Interfaces by index, LUID and name. */
#include "rtnetlink/api/errors.h"
#include "rtnetlink/decode/names.h"
#include "rtnetlink/decode/rows.h"
#include "rtnetlink/socket/request_socket.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* The C library asks the kernel through a socket of its own: an error such as
 * EMFILE does not mean that the interface is unknown. */
static DWORD
code_of_lookup(void)
{
    bool unknown = errno == ENXIO || errno == ENODEV || errno == EINVAL;
    return unknown ? ERROR_INVALID_PARAMETER : nio_code_of(-errno);
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceLuidToAlias(const NET_LUID *luid, WCHAR *alias, SIZE_T length)
{
    char name[IF_NAMESIZE + 4] = {0};
    if (luid == NULL || alias == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (if_indextoname(nio_index_of_luid(*luid), name) == NULL) {
        return code_of_lookup();
    }
    return nio_name_to_text(name, alias, length) ? NO_ERROR
                                                 : ERROR_NOT_ENOUGH_MEMORY;
}

static int
on_link(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    NET_LUID *luid = context;
    struct ifinfomsg link;
    (void)header;
    if (!nio_bytes_take(&body, &link, sizeof(link))) {
        return -EBADMSG;
    }
    *luid = nio_luid((uint32_t)link.ifi_index, link.ifi_type);
    return 0;
}

/* The LUID of one link, by its index or else by its name. */
static DWORD
ask_for_luid(uint32_t index, const char *name, NET_LUID *ret_luid,
             DWORD unknown)
{
    nio_request_socket requests;
    int status = nio_request_socket_open(&requests);
    if (status < 0) {
        return nio_code_of(status);
    }
    status = name == NULL
                 ? nio_query_link(&requests, index, on_link, ret_luid)
                 : nio_query_link_named(&requests, name, on_link, ret_luid);
    nio_request_socket_close(&requests);
    /* EINVAL: a number or a name that no link can have. */
    return status == -ENODEV || status == -EINVAL ? unknown
                                                  : nio_code_of(status);
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceIndexToLuid(NET_IFINDEX index, NET_LUID *luid)
{
    if (luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    luid->Value = 0;
    return ask_for_luid(index, NULL, luid, ERROR_FILE_NOT_FOUND);
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceLuidToIndex(const NET_LUID *luid, NET_IFINDEX *index)
{
    char name[IF_NAMESIZE];
    if (luid == NULL || index == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    *index = 0;
    if (if_indextoname(nio_index_of_luid(*luid), name) == NULL) {
        return code_of_lookup();
    }
    *index = nio_index_of_luid(*luid);
    return NO_ERROR;
}

/* `impossible` is the code for a text that cannot be an interface's name. */
static DWORD
luid_of(const WCHAR *alias, NET_LUID *luid, DWORD impossible)
{
    char name[NIO_NAME_SIZE];
    if (luid != NULL) {
        luid->Value = 0;
    }
    if (alias == NULL || luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    return nio_name_from_text(alias, name)
               ? ask_for_luid(0, name, luid, ERROR_INVALID_PARAMETER)
               : impossible;
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceAliasToLuid(const WCHAR *alias, NET_LUID *luid)
{
    return luid_of(alias, luid, ERROR_INVALID_PARAMETER);
}

/* The kernel's name serves as name and alias. The alternative names find the
 * same interface. */
NETIO_STATUS NETIOAPI_API_
ConvertInterfaceLuidToNameW(const NET_LUID *luid, WCHAR *name, SIZE_T length)
{
    return ConvertInterfaceLuidToAlias(luid, name, length);
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceNameToLuidW(const WCHAR *name, NET_LUID *luid)
{
    return luid_of(name, luid, ERROR_INVALID_NAME);
}
