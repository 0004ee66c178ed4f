/* SPDX-License-Identifier: MIT */
/* What == and hash() compare: see equality.h. */
#include "binding/rows/equality.h"

#include <string.h>

/* Writes the bytes of an address that its Python value shows: without port,
 * zone, and the bytes behind an IPv4 address. */
static size_t
equality_bytes_of_address(const uint8_t *bytes, uint8_t *ret_bytes)
{
    SOCKADDR_INET address;
    memcpy(&address, bytes, sizeof(address));
    memset(ret_bytes, 0, 18);
    memcpy(ret_bytes, &address.si_family, 2);
    if (address.si_family == AF_INET) {
        memcpy(ret_bytes + 2, &address.Ipv4.sin_addr, 4);
    } else if (address.si_family == AF_INET6) {
        memcpy(ret_bytes + 2, &address.Ipv6.sin6_addr, 16);
    }
    return 18;
}

/* Writes the bytes of one field that == compares, and returns how many. */
static size_t
equality_bytes_of_field(const nio_field *field, const uint8_t *bytes,
                        size_t size, uint8_t *ret_bytes)
{
    switch (field->kind) {
    case NIO_FIELD_ADDRESS:
        return equality_bytes_of_address(bytes, ret_bytes);
    case NIO_FIELD_PREFIX:
        ret_bytes[18] = bytes[offsetof(IP_ADDRESS_PREFIX, PrefixLength)];
        return equality_bytes_of_address(bytes, ret_bytes) + 1;
    case NIO_FIELD_BOOL:
        ret_bytes[0] = bytes[0] != 0;
        return 1;
    case NIO_FIELD_NAME:
    case NIO_FIELD_LABEL:
        memset(ret_bytes, 0, size);
        for (size_t i = 0; i < size && bytes[i] != 0; i++) {
            ret_bytes[i] = bytes[i];
        }
        return size;
    default:
        memcpy(ret_bytes, bytes, size);
        return size;
    }
}

size_t
nio_row_equality_bytes(const nio_schema *schema, const void *row, bool details,
                       uint8_t ret_bytes[NIO_EQUALITY_SIZE])
{
    size_t size = 2;
    ret_bytes[0] = (uint8_t)schema->kind;
    ret_bytes[1] = details;
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if (nio_field_is_stored(field) &&
            (field->flags & NIO_FIELD_VOLATILE) == 0 &&
            (details || (field->flags & NIO_FIELD_KEY) != 0) &&
            nio_field_is_available(schema, field, row)) {
            size += equality_bytes_of_field(
                field, (const uint8_t *)row + field->offset,
                nio_field_size(schema, field, row), ret_bytes + size);
        }
    }
    if (!details) { /* the key also has members without NIO_FIELD_KEY */
        size += nio_row_key(schema->kind, row, ret_bytes + size);
    }
    return size;
}

bool
nio_items_equal(const nio_schema *schema, const void *a, const void *b)
{
    if (nio_extra_of(schema->kind, a) == nio_extra_of(schema->kind, b)) {
        return true;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        size_t size_a = 0, size_b = 0;
        if (!nio_field_is_item(field)) {
            continue;
        }
        const uint8_t *x = nio_field_item(schema, field, a, &size_a);
        const uint8_t *y = nio_field_item(schema, field, b, &size_b);
        if ((x == NULL) != (y == NULL) || size_a != size_b ||
            (x != NULL && memcmp(x, y, size_a) != 0)) {
            return false;
        }
    }
    return true;
}
