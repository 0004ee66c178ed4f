/* SPDX-License-Identifier: MIT */
/* Converts a field of a native row, as its field table describes it: to a
 * Python value, to a JSON value, and to an item of the buffer's format. No
 * field is named here. With the GIL. */
#include "binding/rows/fields.h"

#include "binding/values/items.h"
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
    [NIO_FIELD_LABEL] = {16, "16s", "str"},
    [NIO_FIELD_BIT] = {1, "B", "bool"},
    [NIO_FIELD_IDENTITY] = {0, "", "bytes"},
    [NIO_FIELD_ITEM_U32] = {0, "", "int"},
    [NIO_FIELD_ITEM_TEXT] = {0, "", "str"},
    [NIO_FIELD_ITEM_TEXTS] = {0, "", "tuple[str, ...]"},
    [NIO_FIELD_ITEM_PREFIX] = {0, "", "IPv4Network | IPv6Network"},
    [NIO_FIELD_ITEM_HARDWARE] = {0, "", "str"},
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

size_t
nio_field_size(const nio_schema *schema, const nio_field *field,
               const void *row)
{
    bool ipv4 = field->kind == NIO_FIELD_RAW_ADDRESS &&
                family_of(schema, row) == AF_INET;
    return ipv4 ? 4 : native_types[field->kind].size;
}

bool
nio_field_is_stored(const nio_field *field)
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

bool
nio_field_is_available(const nio_schema *schema, const nio_field *field,
                       const void *row)
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

const uint8_t *
nio_field_item(const nio_schema *schema, const nio_field *field,
               const void *row, size_t *ret_size)
{
    return nio_extra_find(nio_extra_of(schema->kind, row),
                          NIO_FIELD_NUMBER_OF(field), ret_size);
}

bool
nio_field_is_known(const nio_schema *schema, const nio_field *field,
                   const void *row, nio_knowledge known)
{
    if (known != NIO_ROW_WHOLE && (field->flags & NIO_FIELD_KEY) == 0) {
        return false;
    }
    if (is_missing(field)) {
        return false;
    }
    if (nio_field_is_item(field)) {
        size_t size;
        return nio_field_item(schema, field, row, &size) != NULL;
    }
    if (field->kind == NIO_FIELD_LABEL) {
        return bytes_at(row, field->offset)[0] != 0;
    }
    if ((field->flags & NIO_FIELD_OPTIONAL) != 0) {
        static const uint8_t zero[64];
        size_t size = nio_field_size(schema, field, row);
        if (memcmp(bytes_at(row, field->offset), zero, size) == 0) {
            return false;
        }
    }
    return nio_field_is_available(schema, field, row);
}

/* A text of 16 bytes, with a NUL if it is shorter. */
static PyObject *
label_value(const uint8_t *bytes)
{
    const uint8_t *end = memchr(bytes, 0, 16);
    return PyUnicode_DecodeFSDefaultAndSize((const char *)bytes,
                                            end != NULL ? end - bytes : 16);
}

static PyObject *
name_value(nio_state *state, const nio_schema *schema, const nio_field *field,
           const void *row, nio_knowledge known)
{
    NET_LUID luid;
    NET_IFINDEX index;
    if (field->offset != NIO_ABSENT && bytes_at(row, field->offset)[0] != 0) {
        return label_value(bytes_at(row, field->offset));
    }
    if (field->offset != NIO_ABSENT && known != NIO_ROW_MADE) {
        Py_RETURN_NONE; /* the tower did not know the interface */
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

static PyObject *
item_value(nio_state *state, const nio_schema *schema, const nio_field *field,
           const void *row)
{
    size_t size = 0;
    const uint8_t *bytes = nio_field_item(schema, field, row, &size);
    switch (field->kind) {
    case NIO_FIELD_ITEM_TEXT:
        return nio_text_new(bytes, size);
    case NIO_FIELD_ITEM_TEXTS:
        return nio_texts_new(bytes, size);
    case NIO_FIELD_ITEM_PREFIX:
        return nio_packed_prefix_new(state, family_of(schema, row), bytes,
                                     size);
    case NIO_FIELD_ITEM_HARDWARE:
        return nio_hardware_new(bytes, size);
    default:
        return nio_u32_new(bytes, size);
    }
}

PyObject *
nio_field_value(nio_state *state, const nio_schema *schema,
                const nio_field *field, const void *row, nio_knowledge known)
{
    const uint8_t *bytes =
        field->offset == NIO_ABSENT ? NULL : bytes_at(row, field->offset);
    SOCKADDR_INET address;
    IP_ADDRESS_PREFIX prefix;
    uint8_t key[NIO_KEY_SIZE];
    int32_t i32;

    if (!nio_field_is_known(schema, field, row, known)) {
        Py_RETURN_NONE;
    }
    if (nio_field_is_item(field)) {
        return item_value(state, schema, field, row);
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
        return name_value(state, schema, field, row, known);
    case NIO_FIELD_LABEL:
        return label_value(bytes);
    case NIO_FIELD_BIT:
        return PyBool_FromLong(bytes[0] >> NIO_FIELD_NUMBER_OF(field) & 1);
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
                const nio_field *field, const void *row, nio_knowledge known)
{
    PyObject *value = nio_field_value(state, schema, field, row, known);
    if (value == NULL || value == Py_None) {
        return value;
    }
    switch (field->kind) {
    case NIO_FIELD_ADDRESS:
    case NIO_FIELD_PREFIX:
    case NIO_FIELD_RAW_ADDRESS:
    case NIO_FIELD_ITEM_PREFIX:
        nio_replace(&value, PyObject_Str(value));
        break;
    case NIO_FIELD_ITEM_TEXTS:
        nio_replace(&value, PySequence_List(value));
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

/* The stored field with the smallest offset that is at least `position`. */
static const nio_field *
field_from(const nio_schema *schema, size_t position)
{
    const nio_field *next = NULL;
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if (nio_field_is_stored(field) && field->offset >= position &&
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
