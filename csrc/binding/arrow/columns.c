/* SPDX-License-Identifier: MIT */
/* The columns that a field table describes, and their values; text is in
 * names.c. No field is named here. Pure.
 *
 *   kind         column                    Arrow
 *   BOOL ... U64 name                      bool, uint8 ... uint64
 *   FAMILY       name                      uint16, named in the metadata
 *   TIME         name                      timestamp[ns, UTC]
 *   ENUM8, 32    name                      uint8, int32, likewise named
 *   ADDRESS      name, name_family         fixed_size_binary[16], uint16
 *   PREFIX       name, name_length         fixed_size_binary[16], uint8
 *   RAW_ADDRESS  name                      fixed_size_binary[16]
 *   ZONES        name                      fixed_size_list<uint32>[16]
 *   NAME, LABEL  name                      utf8
 *   BIT          name                      bool
 *   ITEM_U32     name                      uint32
 *   other items  name                      utf8, as in JSON; several texts
 *                                          are separated by blanks
 *
 * An address of the row's own family needs no column for its family. An IPv4
 * address is mapped to IPv6, ::ffff:a.b.c.d: padded with zeros 10.0.0.0 would
 * equal a00::, and 0.0.0.0 would equal ::. */
#include "binding/arrow/columns.h"

#include <string.h>

/* Offsets of the address in a SOCKADDR_INET. */
#define IPV4_AT offsetof(SOCKADDR_INET, Ipv4.sin_addr)
#define IPV6_AT offsetof(SOCKADDR_INET, Ipv6.sin6_addr)

static ADDRESS_FAMILY
family_at(const uint8_t *bytes)
{
    ADDRESS_FAMILY family;
    memcpy(&family, bytes, sizeof(family));
    return family;
}

/* Writes an address of 4 or 16 bytes in network order. */
static bool
put_bytes(ADDRESS_FAMILY family, const uint8_t *bytes, uint8_t *value)
{
    if (family == AF_INET6) {
        memcpy(value, bytes, 16);
        return true;
    }
    if (family != AF_INET) {
        return false;
    }
    value[10] = value[11] = 0xff;
    memcpy(value + 12, bytes, 4);
    return true;
}

static bool
put_address(const nio_column *column, const uint8_t *row, uint8_t *value)
{
    const uint8_t *address = row + column->field->offset;
    ADDRESS_FAMILY family = family_at(address);
    return put_bytes(family, address + (family == AF_INET ? IPV4_AT : IPV6_AT),
                     value);
}

static bool
put_address_family(const nio_column *column, const uint8_t *row,
                   uint8_t *value)
{
    const uint8_t *address = row + column->field->offset;
    ADDRESS_FAMILY family = family_at(address);
    if (family != AF_INET && family != AF_INET6) {
        return false;
    }
    memcpy(value, address, sizeof(family));
    return true;
}

static bool
put_raw_address(const nio_column *column, const uint8_t *row, uint8_t *value)
{
    return put_bytes(family_at(row + column->schema->family_offset),
                     row + column->field->offset, value);
}

static bool
put_length(const nio_column *column, const uint8_t *row, uint8_t *value)
{
    const uint8_t *prefix = row + column->field->offset;
    uint8_t length = prefix[offsetof(IP_ADDRESS_PREFIX, PrefixLength)];
    ADDRESS_FAMILY family = family_at(prefix);
    if ((family != AF_INET || length > 32) &&
        (family != AF_INET6 || length > 128)) {
        return false;
    }
    value[0] = length;
    return true;
}

/* Writes a prefix without host bits, as Python shows it. */
static bool
put_prefix(const nio_column *column, const uint8_t *row, uint8_t *value)
{
    uint8_t length;
    if (!put_length(column, row, &length)) {
        return false;
    }
    (void)put_address(column, row, value);
    size_t bits = length;
    if (family_at(row + column->field->offset) == AF_INET) {
        bits += 96;
    }
    if (bits % 8 != 0) {
        value[bits / 8] = (uint8_t)(value[bits / 8] & (0xff00u >> (bits % 8)));
    }
    size_t whole = (bits + 7) / 8;
    memset(value + whole, 0, 16 - whole);
    return true;
}

/* Nanoseconds since 1970 cover the years 1677 to 2262. A time outside of them
 * is null, and so is the 0 that the system leaves where it has no time. */
static bool
put_time(const nio_column *column, const uint8_t *row, uint8_t *value)
{
    const uint64_t epoch = 116444736000000000u, most = INT64_MAX / 100;
    uint64_t ticks;
    memcpy(&ticks, row + column->field->offset, sizeof(ticks));
    if (ticks < epoch - most || ticks > epoch + most) {
        return false;
    }
    int64_t time = ((int64_t)ticks - (int64_t)epoch) * 100;
    memcpy(value, &time, sizeof(time));
    return true;
}

static bool
put_item(const nio_column *column, const uint8_t *row, uint8_t *value)
{
    size_t size;
    const uint8_t *bytes =
        nio_field_item(column->schema, column->field, row, &size);
    if (bytes == NULL || size != column->type->width) {
        return false;
    }
    memcpy(value, bytes, size);
    return true;
}

static const nio_arrow_type arrow_types[NIO_FIELD_KINDS] = {
    [NIO_FIELD_BOOL] = {.format = "b", .layout = NIO_LAYOUT_BITS},
    [NIO_FIELD_U8] = {.format = "C", .width = 1},
    [NIO_FIELD_U16] = {.format = "S", .width = 2},
    [NIO_FIELD_U32] = {.format = "I", .width = 4},
    [NIO_FIELD_U64] = {.format = "L", .width = 8},
    [NIO_FIELD_FAMILY] = {.format = "S", .width = 2},
    [NIO_FIELD_TIME] = {.format = "tsn:UTC", .width = 8, .put = put_time},
    [NIO_FIELD_ENUM8] = {.format = "C", .width = 1},
    [NIO_FIELD_ENUM32] = {.format = "i", .width = 4},
    [NIO_FIELD_ADDRESS] = {.format = "w:16", .width = 16, .put = put_address},
    [NIO_FIELD_PREFIX] = {.format = "w:16", .width = 16, .put = put_prefix},
    [NIO_FIELD_RAW_ADDRESS] = {.format = "w:16",
                               .width = 16,
                               .put = put_raw_address},
    [NIO_FIELD_ZONES] = {.format = "+w:16",
                         .layout = NIO_LAYOUT_LIST,
                         .width = 64,
                         .item = "I",
                         .items = 16},
    [NIO_FIELD_NAME] = {.format = "u", .layout = NIO_LAYOUT_TEXT},
    [NIO_FIELD_LABEL] = {.format = "u", .layout = NIO_LAYOUT_TEXT},
    [NIO_FIELD_BIT] = {.format = "b", .layout = NIO_LAYOUT_BITS},
    [NIO_FIELD_ITEM_U32] = {.format = "I", .width = 4, .put = put_item},
    [NIO_FIELD_ITEM_TEXT] = {.format = "u", .layout = NIO_LAYOUT_TEXT},
    [NIO_FIELD_ITEM_TEXTS] = {.format = "u", .layout = NIO_LAYOUT_TEXT},
    [NIO_FIELD_ITEM_PREFIX] = {.format = "u", .layout = NIO_LAYOUT_TEXT},
    [NIO_FIELD_ITEM_HARDWARE] = {.format = "u", .layout = NIO_LAYOUT_TEXT},
};
static const nio_arrow_type length_type = {
    .format = "C", .width = 1, .put = put_length};
static const nio_arrow_type family_type = {
    .format = "S", .width = 2, .put = put_address_family};

size_t
nio_columns_max(const nio_schema *schema)
{
    return 2 * schema->field_count;
}

static nio_column
column_of(const nio_schema *schema, const nio_field *field, nio_part part)
{
    const nio_arrow_type *type = part == NIO_PART_LENGTH ? &length_type
                                 : part == NIO_PART_FAMILY
                                     ? &family_type
                                     : &arrow_types[field->kind];
    return (nio_column){schema, field, part, type,
                        nio_field_nullability(field)};
}

size_t
nio_columns_of(const nio_schema *schema, nio_column *columns)
{
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if ((field->flags & NIO_FIELD_HIDDEN) != 0) {
            continue;
        }
        columns[count++] = column_of(schema, field, NIO_PART_VALUE);
        if (field->kind == NIO_FIELD_PREFIX) {
            columns[count++] = column_of(schema, field, NIO_PART_LENGTH);
        }
        if (field->kind == NIO_FIELD_ADDRESS &&
            field->offset != schema->family_offset) {
            columns[count++] = column_of(schema, field, NIO_PART_FAMILY);
        }
    }
    return count;
}

const char *
nio_column_suffix(const nio_column *column)
{
    static const char *const suffixes[] = {
        [NIO_PART_VALUE] = "",
        [NIO_PART_LENGTH] = "_length",
        [NIO_PART_FAMILY] = "_family",
    };
    return suffixes[column->part];
}

const char *
nio_column_unit(const nio_column *column)
{
    if (column->part == NIO_PART_LENGTH) {
        return "bits";
    }
    if (column->field->kind == NIO_FIELD_TIME) {
        return "nanoseconds since 1970-01-01 UTC";
    }
    return column->field->unit;
}

bool
nio_column_is_family(const nio_column *column)
{
    return column->part == NIO_PART_FAMILY ||
           column->field->kind == NIO_FIELD_FAMILY;
}

/* Writes the bits of one bit of a byte. */
static void
copy_bits(uint8_t *values, const uint8_t *bytes, size_t step, unsigned mask,
          size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++, bytes += step) {
        if (bytes[0] & mask) {
            nio_bit_set(values, i);
        }
    }
}

/* Writes one value of a column that has a put(), or can be null. */
static bool
put_one(const nio_column *column, const uint8_t *row, size_t at,
        uint8_t *values)
{
    const nio_arrow_type *type = column->type;
    if (column->nullability == NIO_NULL_BY_ROW &&
        !nio_field_is_known(column->schema, column->field, row,
                            NIO_ROW_WHOLE)) {
        return false;
    }
    if (type->put != NULL) {
        return type->put(column, row, values + at * type->width);
    }
    const uint8_t *bytes = row + column->field->offset;
    if (type->layout != NIO_LAYOUT_BITS) {
        memcpy(values + at * type->width, bytes, type->width);
    } else if (bytes[0] != 0) {
        nio_bit_set(values, at);
    }
    return true;
}

/* A shortcut for the values that most rows lack. False: put_one decides. */
static bool
is_null(const nio_column *column, const uint8_t *row)
{
    static const uint64_t zero[2];
    const nio_field *field = column->field;
    switch (field->kind) {
    case NIO_FIELD_U32:
        return (field->flags & NIO_FIELD_OPTIONAL) != 0 &&
               memcmp(row + field->offset, zero, 4) == 0;
    case NIO_FIELD_RAW_ADDRESS:
        return (field->flags & NIO_FIELD_OPTIONAL) != 0 &&
               memcmp(row + field->offset, zero, 16) == 0;
    default:
        return nio_field_is_of_ipv6(field) &&
               family_at(row + column->schema->family_offset) != AF_INET6;
    }
}

/* A memcpy of constant size compiles to a move. */
#define COPY_EACH(size)                                                       \
    for (size_t i = 0; i < count; i++) {                                      \
        memcpy(values + i * (size), bytes + i * step, (size));                \
    }

static void
copy_all(uint8_t *values, size_t width, const uint8_t *bytes, size_t step,
         size_t count)
{
    switch (width) {
    case 1:
        COPY_EACH(1)
        break;
    case 2:
        COPY_EACH(2)
        break;
    case 4:
        COPY_EACH(4)
        break;
    case 8:
        COPY_EACH(8)
        break;
    default:
        COPY_EACH(width)
        break;
    }
}

size_t
nio_column_fill(const nio_column *column, const uint8_t *rows, size_t begin,
                size_t end, uint8_t *valid, uint8_t *values)
{
    const nio_arrow_type *type = column->type;
    size_t step = column->schema->row_size, not_null = 0;
    if (column->nullability == NIO_ALWAYS_NULL) {
        return 0;
    }
    if (column->nullability == NIO_NULL_BY_ROW || type->put != NULL) {
        for (size_t i = begin; i < end; i++) {
            if (is_null(column, rows + i * step)) {
                continue;
            }
            if (put_one(column, rows + i * step, i, values)) {
                nio_bit_set(valid, i);
                not_null++;
            }
        }
        return not_null;
    }
    const uint8_t *bytes = rows + begin * step + column->field->offset;
    if (type->layout == NIO_LAYOUT_BITS) {
        const nio_field *field = column->field;
        copy_bits(values, bytes, step,
                  field->kind == NIO_FIELD_BIT
                      ? 1u << NIO_FIELD_NUMBER_OF(field)
                      : 0xffu,
                  begin, end);
    } else {
        copy_all(values + begin * type->width, type->width, bytes, step,
                 end - begin);
    }
    return end - begin;
}
