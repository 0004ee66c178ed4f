/* SPDX-License-Identifier: MIT */
/* Appends members of a row to its key: each tower's nio_row_key is a sequence
 * of these. Returns the new length of the key. */
#pragma once

#include "contract/netio.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline size_t
nio_key_append(uint8_t *key, size_t used, const void *bytes, size_t size)
{
    memcpy(key + used, bytes, size);
    return used + size;
}

static inline size_t
nio_key_append_address(uint8_t *key, size_t used, const SOCKADDR_INET *address)
{
    key[used++] = (uint8_t)address->si_family;
    return address->si_family == AF_INET6
               ? nio_key_append(key, used, &address->Ipv6.sin6_addr, 16)
               : nio_key_append(key, used, &address->Ipv4.sin_addr, 4);
}
