/* SPDX-License-Identifier: MIT */
/* Interfaces by index, LUID and name. The kernel's names are bytes: those that
 * are not UTF-8 become lone surrogates (U+DC80 and up), as in os.fsdecode, so
 * that the conversion back gives the same bytes. */
#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/one_shot.h"
#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* One character of `bytes`; its length in *ret_length. */
static WCHAR
decode_one(const uint8_t *bytes, size_t *ret_length)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes[0];
    size_t length = first < 0x80    ? 1
                    : first >= 0xf0 ? 4
                    : first >= 0xe0 ? 3
                    : first >= 0xc0 ? 2
                                    : 0;
    uint32_t value = length == 1 ? first : first & (0x7fu >> length);
    bool sound = length > 0 && first < 0xf8;
    for (size_t i = 1; sound && i < length; i++) {
        sound = (bytes[i] & 0xc0) == 0x80; /* a 0 at the end fails here */
        value = (value << 6) | (bytes[i] & 0x3fu);
    }
    if (!sound || value < smallest[length] || value > 0x10ffff ||
        (value >= 0xd800 && value < 0xe000)) {
        *ret_length = 1;
        return (WCHAR)(0xdc00u + first);
    }
    *ret_length = length;
    return (WCHAR)value;
}

static size_t
encode_one(uint32_t value, uint8_t bytes[4])
{
    if (value < 0x80) {
        bytes[0] = (uint8_t)value;
        return 1;
    }
    if (value >= 0xdc80 && value <= 0xdcff) {
        bytes[0] = (uint8_t)(value - 0xdc00);
        return 1;
    }
    size_t length = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80u | (value & 0x3fu));
        value >>= 6;
    }
    bytes[0] = (uint8_t)((0xf00u >> length) | value);
    return length;
}

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
    const uint8_t *at = (const uint8_t *)name;
    SIZE_T used = 0;
    while (*at != 0) {
        size_t step;
        if (used + 1 >= length) {
            return ERROR_NOT_ENOUGH_MEMORY;
        }
        alias[used++] = decode_one(at, &step);
        at += step;
    }
    if (used >= length) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    alias[used] = 0;
    return NO_ERROR;
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceIndexToLuid(NET_IFINDEX index, NET_LUID *luid)
{
    nio_one_shot one_shot;
    if (luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    luid->Value = 0;
    DWORD code = nio_one_shot_open(&one_shot);
    if (code == NO_ERROR) {
        const nio_link *link = nio_link_in(&one_shot.mirror.links, index);
        if (link == NULL) {
            code = ERROR_FILE_NOT_FOUND;
        } else {
            *luid = nio_luid(index, link->type);
        }
    }
    nio_one_shot_close(&one_shot);
    return code;
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
    char name[IF_NAMESIZE + 4] = {0};
    size_t used = 0;
    if (luid != NULL) {
        luid->Value = 0;
    }
    if (alias == NULL || luid == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    for (; *alias != 0; alias++) {
        if (used >= IF_NAMESIZE - 1 || *alias < 0 || *alias > 0x10ffff) {
            return impossible;
        }
        used += encode_one((uint32_t)*alias, (uint8_t *)name + used);
    }
    if (used == 0 || used >= IF_NAMESIZE) {
        return impossible;
    }
    unsigned index = if_nametoindex(name);
    return index == 0 ? code_of_lookup()
                      : ConvertInterfaceIndexToLuid(index, luid);
}

NETIO_STATUS NETIOAPI_API_
ConvertInterfaceAliasToLuid(const WCHAR *alias, NET_LUID *luid)
{
    return luid_of(alias, luid, ERROR_INVALID_PARAMETER);
}

/* Linux has only one name, which serves as name and alias. */
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
