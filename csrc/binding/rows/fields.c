/* SPDX-License-Identifier: MIT */
/* Converts a field of a native row, as its field table describes it: to a
 * Python value, to a JSON value, to bytes for ==, and to an item of the
 * buffer's format. No field is named here. With the GIL. */
#include "binding/rows/fields.h"

#include "binding/values/to_python.h"

#include <string.h>

const nio_schema *
nio_schema_of(nio_kind kind)
{
    static const nio_schema *const schemas[NIO_KINDS] = {
        [NIO_INTERFACE] = &nio_interface_schema,
        [NIO_ADDRESS] = &nio_address_schema,
        [NIO_ROUTE] = &nio_route_schema,
    };
    return schemas[kind];
}

/* For each kind of field its size in the native row, its format in PEP 3118,
 * and its type in _native.pyi. */
static const struct {
    size_t size;
    const char *format;
    const char *python;
} native_types[NIO_FIELD_KINDS] = {
    [NIO_FIELD_BOOL] = {1, "?", "bool"},
    [NIO_FIELD_U8] = {1, "B", "int"},
    [NIO_FIELD_U16] = {2, "H", "int"},
    [NIO_FIELD_U32] = {4, "I", "int"},
    [NIO_FIELD_U64] = {8, "Q", "int"},
    [NIO_FIELD_FAMILY] = {2, "H", "int"},
    [NIO_FIELD_TIME] = {8, "Q", "int"},
    [NIO_FIELD_ENUM8] = {1, "B", "int"},
    [NIO_FIELD_ENUM32] = {4, "i", "int"},
    [NIO_FIELD_ADDRESS] = {28,
                           "T{H:family:2x(4)B:ipv4:(16)B:ipv6:I:scope_id:}",
                           "IPv4Address | IPv6Address"},
    [NIO_FIELD_PREFIX] = {32,
                          "T{H:family:2x(4)B:ipv4:(16)B:ipv6:I:scope_id:"
                          "B:length:3x}",
                          "IPv4Network | IPv6Network"},
    [NIO_FIELD_RAW_ADDRESS] = {16, "(16)B", "IPv4Address | IPv6Address"},
    [NIO_FIELD_ZONES] = {64, "(16)I", "tuple[int, ...]"},
    [NIO_FIELD_NAME] = {16, "16s", "str"},
    [NIO_FIELD_IDENTITY] = {0, "", "bytes"},
};

static const uint8_t *
bytes_at(const void *row, size_t offset)
{
    return (const uint8_t *)row + offset;
}

static ADDRESS_FAMILY
family_of(const nio_schema *schema, const void *row)
{
    ADDRESS_FAMILY family;
    memcpy(&family, bytes_at(row, schema->family_offset), sizeof(family));
    return family;
}

/* How many bytes of the field are used: an IPv4 address uses four. */
static size_t
size_of(const nio_schema *schema, const nio_field *field, const void *row)
{
    bool ipv4 = field->kind == NIO_FIELD_RAW_ADDRESS &&
                family_of(schema, row) == AF_INET;
    return ipv4 ? 4 : native_types[field->kind].size;
}

/* True for a member of the native row that is not a part of another field. */
static bool
is_stored(const nio_field *field)
{
    return field->offset != NIO_ABSENT &&
           (field->flags & NIO_FIELD_VIRTUAL) == 0;
}

/* True when this system provides the field in rows of that family. */
static bool
is_available_in(const nio_field *field, bool ipv6)
{
    unsigned systems = field->available_on;
    if (ipv6 && (systems & NIO_ON_LINUX_IPV6)) {
        systems |= NIO_ON_LINUX;
    }
    return (systems & NIO_THIS_SYSTEM) != 0;
}

static bool
is_available(const nio_schema *schema, const nio_field *field, const void *row)
{
    return is_available_in(field, family_of(schema, row) == AF_INET6);
}

/* True when the row has no such member, and its value cannot be computed. */
static bool
is_missing(const nio_field *field)
{
    return field->offset == NIO_ABSENT && field->kind != NIO_FIELD_NAME &&
           field->kind != NIO_FIELD_IDENTITY;
}

nio_nullability
nio_field_nullability(const nio_field *field)
{
    if (is_missing(field) || !is_available_in(field, true)) {
        return NIO_ALWAYS_NULL;
    }
    bool by_row = (field->flags & NIO_FIELD_OPTIONAL) != 0 ||
                  !is_available_in(field, false);
    return by_row ? NIO_NULL_BY_ROW : NIO_NEVER_NULL;
}

bool
nio_field_is_known(const nio_schema *schema, const nio_field *field,
                   const void *row, bool details)
{
    if (!details && (field->flags & NIO_FIELD_KEY) == 0) {
        return false;
    }
    if (is_missing(field)) {
        return false;
    }
    if ((field->flags & NIO_FIELD_OPTIONAL) != 0) {
        static const uint8_t zero[64];
        size_t size = size_of(schema, field, row);
        if (memcmp(bytes_at(row, field->offset), zero, size) == 0) {
            return false;
        }
    }
    return is_available(schema, field, row);
}

static PyObject *
name_value(nio_state *state, const nio_schema *schema, const nio_field *field,
           const void *row)
{
    NET_LUID luid;
    NET_IFINDEX index;
    if (field->offset != NIO_ABSENT && bytes_at(row, field->offset)[0] != 0) {
        const char *name = (const char *)bytes_at(row, field->offset);
        const char *end = memchr(name, 0, native_types[field->kind].size);
        size_t length = end != NULL ? (size_t)(end - name)
                                    : native_types[field->kind].size;
        return PyUnicode_DecodeFSDefaultAndSize(name, (Py_ssize_t)length);
    }
    memcpy(&luid, bytes_at(row, schema->luid_offset), sizeof(luid));
    memcpy(&index, bytes_at(row, schema->index_offset), sizeof(index));
    return nio_interface_name_new(state, luid, index);
}

static PyObject *
zones_value(const uint8_t *bytes)
{
    PyObject *zones = PyTuple_New(16);
    for (Py_ssize_t i = 0; zones != NULL && i < 16; i++) {
        uint32_t zone;
        memcpy(&zone, bytes + i * 4, sizeof(zone));
        PyObject *number = PyLong_FromUnsignedLong(zone);
        if (number == NULL || PyTuple_SetItem(zones, i, number) < 0) {
            Py_CLEAR(zones);
        }
    }
    return zones;
}

PyObject *
nio_number_value(nio_field_kind kind, const uint8_t *bytes)
{
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (kind) {
    case NIO_FIELD_BOOL:
        return PyBool_FromLong(bytes[0] != 0);
    case NIO_FIELD_U8:
        return PyLong_FromLong(bytes[0]);
    case NIO_FIELD_U16:
    case NIO_FIELD_FAMILY:
        memcpy(&u16, bytes, sizeof(u16));
        return PyLong_FromLong(u16);
    case NIO_FIELD_U64:
    case NIO_FIELD_TIME:
        memcpy(&u64, bytes, sizeof(u64));
        return PyLong_FromUnsignedLongLong(u64);
    default:
        memcpy(&u32, bytes, sizeof(u32));
        return PyLong_FromUnsignedLong(u32);
    }
}

PyObject *
nio_field_value(nio_state *state, const nio_schema *schema,
                const nio_field *field, const void *row, bool details)
{
    const uint8_t *bytes =
        field->offset == NIO_ABSENT ? NULL : bytes_at(row, field->offset);
    SOCKADDR_INET address;
    IP_ADDRESS_PREFIX prefix;
    uint8_t key[NIO_KEY_SIZE];
    int32_t i32;

    if (!nio_field_is_known(schema, field, row, details)) {
        Py_RETURN_NONE;
    }
    switch (field->kind) {
    case NIO_FIELD_ADDRESS:
        memcpy(&address, bytes, sizeof(address));
        return nio_address_new(state, &address);
    case NIO_FIELD_PREFIX:
        memcpy(&prefix, bytes, sizeof(prefix));
        return nio_prefix_new(state, &prefix);
    case NIO_FIELD_RAW_ADDRESS:
        return nio_raw_address_new(state, family_of(schema, row), bytes);
    case NIO_FIELD_ZONES:
        return zones_value(bytes);
    case NIO_FIELD_NAME:
        return name_value(state, schema, field, row);
    case NIO_FIELD_IDENTITY:
        return PyBytes_FromStringAndSize(
            (const char *)key,
            (Py_ssize_t)nio_row_key(schema->kind, row, key));
    case NIO_FIELD_ENUM8:
        return nio_enum_new(state, field->enum_class, bytes[0]);
    case NIO_FIELD_ENUM32:
        memcpy(&i32, bytes, sizeof(i32));
        return nio_enum_new(state, field->enum_class, i32);
    default:
        return nio_number_value(field->kind, bytes);
    }
}

PyObject *
nio_field_plain(nio_state *state, const nio_schema *schema,
                const nio_field *field, const void *row, bool details)
{
    PyObject *value = nio_field_value(state, schema, field, row, details);
    if (value == NULL || value == Py_None) {
        return value;
    }
    switch (field->kind) {
    case NIO_FIELD_ADDRESS:
    case NIO_FIELD_PREFIX:
    case NIO_FIELD_RAW_ADDRESS:
        nio_replace(&value, PyObject_Str(value));
        break;
    case NIO_FIELD_ENUM8:
    case NIO_FIELD_ENUM32:
        if (!PyLong_CheckExact(value)) {
            nio_replace(&value, PyObject_GetAttrString(value, "name"));
        }
        break;
    default:
        break;
    }
    return value;
}

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
        if (is_stored(field) && (field->flags & NIO_FIELD_VOLATILE) == 0 &&
            (details || (field->flags & NIO_FIELD_KEY) != 0) &&
            is_available(schema, field, row)) {
            size += equality_bytes_of_field(
                field, bytes_at(row, field->offset),
                size_of(schema, field, row), ret_bytes + size);
        }
    }
    if (!details) { /* the key also has members without NIO_FIELD_KEY */
        size += nio_row_key(schema->kind, row, ret_bytes + size);
    }
    return size;
}

/* The stored field with the smallest offset that is at least `position`. */
static const nio_field *
field_from(const nio_schema *schema, size_t position)
{
    const nio_field *next = NULL;
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if (is_stored(field) && field->offset >= position &&
            (next == NULL || field->offset < next->offset)) {
            next = field;
        }
    }
    return next;
}

char *
nio_schema_format_new(const nio_schema *schema)
{
    size_t length = 16, used, position = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        length += strlen(schema->fields[i].name) +
                  strlen(native_types[schema->fields[i].kind].format) + 16;
    }
    char *format = PyMem_Malloc(length);
    if (format == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    used = (size_t)PyOS_snprintf(format, length, "T{=");
    while (position < schema->row_size) {
        const nio_field *field = field_from(schema, position);
        size_t next = field != NULL ? field->offset : schema->row_size;
        if (next > position) {
            used += (size_t)PyOS_snprintf(format + used, length - used, "%lux",
                                          (unsigned long)(next - position));
        }
        position = next;
        if (field != NULL) {
            used += (size_t)PyOS_snprintf(
                format + used, length - used,
                "%s:%s:", native_types[field->kind].format, field->name);
            position += native_types[field->kind].size;
        }
    }
    PyOS_snprintf(format + used, length - used, "}");
    return format;
}

const char *
nio_field_type(const nio_field *field)
{
    return native_types[field->kind].python;
}
