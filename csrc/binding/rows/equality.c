/* SPDX-License-Identifier: MIT */
/* What == and hash() compare. The stored fields are written to a buffer of
 * constant size; the items of a block, of which there may be many, are
 * compared where they are. */
#include "binding/rows/equality.h"

#include "base/system_rows.h"

#include <string.h>

/* Room for the kind, what is known, each stored field in at most the bytes
 * that it has in the row, and a key. */
enum { EQUALITY_SIZE = 2 + sizeof(nio_any_row) + NIO_KEY_SIZE };
/* No field has more bytes than the zones. */
enum { MAX_FIELD = 64 };

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

/* The name of an interface belongs to no key. */
static bool
is_compared(const nio_schema *schema, const nio_field *field, const void *row,
            bool details)
{
    return nio_field_is_stored(field) &&
           (field->flags & NIO_FIELD_VOLATILE) == 0 &&
           (details || ((field->flags & NIO_FIELD_KEY) != 0 &&
                        field->kind != NIO_FIELD_NAME)) &&
           nio_field_is_available(schema, field, row);
}

/* Writes the bytes of the stored fields that are compared, and returns how
 * many. */
static size_t
equality_bytes(const nio_schema *schema, const void *row, bool details,
               uint8_t ret_bytes[EQUALITY_SIZE])
{
    size_t size = 2;
    ret_bytes[0] = (uint8_t)schema->kind;
    ret_bytes[1] = details;
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if (is_compared(schema, field, row, details)) {
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

static bool
items_equal(const nio_schema *schema, const void *a, const void *b)
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

/* The fields of two rows of one family. */
static bool
fields_equal(const nio_schema *schema, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if (!is_compared(schema, field, a, true)) {
            continue;
        }
        uint8_t bytes_a[MAX_FIELD], bytes_b[MAX_FIELD];
        const uint8_t *x = a + field->offset, *y = b + field->offset;
        size_t size = nio_field_size(schema, field, a);
        if (memcmp(x, y, size) == 0) {
            continue;
        }
        size_t size_a = equality_bytes_of_field(field, x, size, bytes_a);
        size_t size_b = equality_bytes_of_field(field, y, size, bytes_b);
        if (size_a != size_b || memcmp(bytes_a, bytes_b, size_a) != 0) {
            return false;
        }
    }
    return true;
}

static bool
keys_equal(const nio_schema *schema, const void *a, const void *b)
{
    uint8_t bytes_a[EQUALITY_SIZE], bytes_b[EQUALITY_SIZE];
    size_t size = equality_bytes(schema, a, false, bytes_a);
    return size == equality_bytes(schema, b, false, bytes_b) &&
           memcmp(bytes_a, bytes_b, size) == 0;
}

bool
nio_row_equal(nio_kind kind, const void *a, const void *b, bool details)
{
    const nio_schema *schema = nio_schema_of(kind);
    if (!details) {
        return keys_equal(schema, a, b);
    }
    return memcmp(a, b, schema->row_size) == 0 ||
           (memcmp((const uint8_t *)a + schema->family_offset,
                   (const uint8_t *)b + schema->family_offset,
                   sizeof(ADDRESS_FAMILY)) == 0 &&
            fields_equal(schema, a, b) && items_equal(schema, a, b));
}

/* The hash of bytes, mixed with an earlier one; -1 with an exception. */
static Py_hash_t
hash_with(Py_hash_t before, const uint8_t *bytes, size_t size)
{
    PyObject *object =
        PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)size);
    Py_hash_t hash = object == NULL ? -1 : PyObject_Hash(object);
    Py_XDECREF(object);
    if (hash == -1) {
        return -1;
    }
    hash = (Py_hash_t)((size_t)before * 1000003u ^ (size_t)hash);
    return hash == -1 ? -2 : hash;
}

Py_hash_t
nio_row_hash(nio_kind kind, const void *row, bool details)
{
    const nio_schema *schema = nio_schema_of(kind);
    uint8_t bytes[EQUALITY_SIZE];
    size_t size = equality_bytes(schema, row, details, bytes);
    Py_hash_t hash = hash_with(0, bytes, size);
    if (!details || nio_extra_of(kind, row) == NULL) {
        return hash;
    }
    for (size_t i = 0; hash != -1 && i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        const uint8_t *item = nio_field_is_item(field)
                                  ? nio_field_item(schema, field, row, &size)
                                  : NULL;
        if (item != NULL) {
            hash = hash_with(hash, item, size);
        }
    }
    return hash;
}
