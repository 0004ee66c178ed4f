/* SPDX-License-Identifier: MIT */
/* One table per native struct describes its fields: the name in Python, kind,
 * offset, unit, the systems that provide it, source, documentation. Getters,
 * docstrings, repr, equality, hash, dictionaries, the buffer's format, Arrow's
 * columns and the stub are made from it. One entry in fields_interface.c,
 * fields_address.c or fields_route.c adds a field. */
#pragma once

#include "base/extra.h"
#include "binding/values/enums.h"

#include <stddef.h>

/* The type of a field in the native row, which determines its type in Python.
 * Each has an entry in the tables of fields.c and arrow/columns.c. */
typedef enum nio_field_kind {
    NIO_FIELD_BOOL, /* BOOLEAN */
    NIO_FIELD_U8,
    NIO_FIELD_U16,
    NIO_FIELD_U32,
    NIO_FIELD_U64,
    NIO_FIELD_FAMILY, /* ADDRESS_FAMILY, in this system's numbers */
    NIO_FIELD_TIME,   /* 100 nanoseconds since 1601, UTC */
    NIO_FIELD_LAST_NUMBER = NIO_FIELD_TIME, /* up to here an int or a bool */
    NIO_FIELD_ENUM8,       /* a byte; Python has an enum for it */
    NIO_FIELD_ENUM32,      /* a C enum */
    NIO_FIELD_ADDRESS,     /* SOCKADDR_INET */
    NIO_FIELD_PREFIX,      /* IP_ADDRESS_PREFIX */
    NIO_FIELD_RAW_ADDRESS, /* 16 bytes, an address of the row's family */
    NIO_FIELD_ZONES,       /* ULONG[16] */
    NIO_FIELD_NAME,        /* CHAR[16]; where it is absent, and in a row that
                              a program made, it is looked up */
    NIO_FIELD_LABEL,       /* CHAR[16] */
    NIO_FIELD_BIT,         /* a bit of a byte, by NIO_FIELD_NUMBER */
    NIO_FIELD_IDENTITY,    /* not stored: nio_row_key() computes it */
    /* Items of the row's block (base/extra.h), by NIO_FIELD_NUMBER; the offset
     * is that of `Extra`. */
    NIO_FIELD_FIRST_ITEM,
    NIO_FIELD_ITEM_U32 = NIO_FIELD_FIRST_ITEM,
    NIO_FIELD_ITEM_TEXT,
    NIO_FIELD_ITEM_TEXTS,
    NIO_FIELD_ITEM_PREFIX,   /* 16 bytes and a length, of the row's family */
    NIO_FIELD_ITEM_HARDWARE, /* the bytes of a link-layer address */
    NIO_FIELD_KINDS
} nio_field_kind;

enum {
    NIO_FIELD_KEY = 1,       /* known even without details */
    NIO_FIELD_VOLATILE = 2,  /* changes by itself, so it is not compared */
    NIO_FIELD_VIRTUAL = 4,   /* stored as a part of another field */
    NIO_FIELD_BRIEF = 8,     /* shown by repr() */
    NIO_FIELD_OPTIONAL = 16, /* zero stands for None */
    NIO_FIELD_HIDDEN = 32    /* an attribute that is not in _fields */
};
/* The number of a bit, or the tag of an item: the upper bits of the flags. */
#define NIO_FIELD_NUMBER(number) ((unsigned)(number) << 8)
#define NIO_FIELD_NUMBER_OF(field) ((field)->flags >> 8)
/* A field that is an item: None where the row has no such item. */
#define NIO_FIELD_ITEM(tag)                                                   \
    (NIO_FIELD_OPTIONAL | NIO_FIELD_VIRTUAL | NIO_FIELD_NUMBER(tag))

/* The systems that provide a field: the bits that NIO_THIS_SYSTEM can have,
 * and one more. */
enum {
    NIO_ON_LINUX = NIO_SYSTEM_LINUX,
    NIO_ON_WINDOWS = NIO_SYSTEM_WINDOWS,
    NIO_ON_LINUX_IPV6 = 4 /* Linux, in rows of AF_INET6 only */
};

typedef struct nio_field {
    const char *name;
    nio_field_kind kind;
    size_t offset;  /* in the native row; NIO_ABSENT: this system has none */
    unsigned flags; /* NIO_FIELD_KEY, ... */
    unsigned available_on; /* NIO_ON_LINUX, ... */
    nio_enum enum_class;   /* a class of enums.py, or NIO_ENUM_NULL */
    const char *unit;
    const char *source;
    const char *doc;   /* the whole docstring */
    bool always_known; /* stored, and never None in a row with details */
} nio_field;

/* A struct: its Python type and its fields. */
typedef struct nio_schema {
    nio_kind kind;
    const char *type_name; /* "netioapi.IpForwardRow" */
    const char *kind_name; /* "route" */
    const char *doc;
    const nio_field *fields;
    size_t field_count;
    PyGetSetDef *getters; /* one per field, and the end mark */
    size_t row_size;
    size_t family_offset, luid_offset, index_offset;
} nio_schema;

extern const nio_schema nio_interface_schema, nio_address_schema,
    nio_route_schema;

/* ---- the macros that make a table (see fields_route.c) */
#define NIO_ON_BITS_BOTH (NIO_ON_LINUX | NIO_ON_WINDOWS)
#define NIO_ON_BITS_LINUX NIO_ON_LINUX
#define NIO_ON_BITS_WINDOWS NIO_ON_WINDOWS
#define NIO_ON_BITS_IPV6 (NIO_ON_LINUX_IPV6 | NIO_ON_WINDOWS)
#define NIO_ON_BITS_LINUX_IPV6 NIO_ON_LINUX_IPV6
#define NIO_ON_TEXT_BOTH ""
#define NIO_ON_TEXT_LINUX "\nLinux only: None on Windows."
#define NIO_ON_TEXT_WINDOWS "\nWindows only: None on Linux."
#define NIO_ON_TEXT_IPV6 "\nNone on Linux in IPv4 rows."
#define NIO_ON_TEXT_LINUX_IPV6                                                \
    "\nLinux only: None on Windows, and in IPv4 rows."

#define NIO_FIELD_DOC(systems, unit, source, text)                            \
    text "\n\nUnit: " unit ".\nSource: " source "." NIO_ON_TEXT_##systems

#define NIO_FIELD_INDEX(name, kind, offset, flags, systems, enum_name, unit,  \
                        source, text)                                         \
    FIELD_##name,
#define NIO_FIELD_ROW(name, kind, offset, flags, systems, enum_name, unit,    \
                      source, text)                                           \
    {#name,                                                                   \
     NIO_FIELD_##kind,                                                        \
     offset,                                                                  \
     (flags),                                                                 \
     NIO_ON_BITS_##systems,                                                   \
     NIO_ENUM_##enum_name,                                                    \
     unit,                                                                    \
     source,                                                                  \
     NIO_FIELD_DOC(systems, unit, source, text),                              \
     (offset) != NIO_ABSENT && ((flags) & NIO_FIELD_OPTIONAL) == 0 &&         \
         (NIO_ON_BITS_##systems & NIO_THIS_SYSTEM) != 0},
/* The closure of a getter is its field. A file that uses this macro calls its
 * array `fields`, and includes row.h. */
#define NIO_FIELD_GETTER(name, kind, offset, flags, systems, enum_name, unit, \
                         source, text)                                        \
    {#name, nio_row_get, NULL, NIO_FIELD_DOC(systems, unit, source, text),    \
     (void *)&fields[FIELD_##name]},

/* ---- fields.c: pure functions of a native row */
static inline bool
nio_field_is_item(const nio_field *field)
{
    return field->kind >= NIO_FIELD_FIRST_ITEM;
}
/* The bytes of the item that is the field's value; NULL: the row lacks it. */
const uint8_t *nio_field_item(const nio_schema *schema, const nio_field *field,
                              const void *row, size_t *ret_size);
const nio_schema *nio_schema_of(nio_kind kind);
/* What is known of a row. */
typedef enum nio_knowledge {
    NIO_ROW_KEY,   /* from the system: the fields with NIO_FIELD_KEY */
    NIO_ROW_WHOLE, /* all fields: a row with details */
    NIO_ROW_MADE   /* as KEY, but a program made the row, so that the name of
                      its interface is looked up on every system */
} nio_knowledge;
/* A new reference to the value of a field; None when it is not known. */
PyObject *nio_field_value(nio_state *state, const nio_schema *schema,
                          const nio_field *field, const void *row,
                          nio_knowledge known);
/* The value of a field of a kind up to NIO_FIELD_LAST_NUMBER, from its bytes
 * in a row. */
PyObject *nio_number_value(nio_field_kind kind, const uint8_t *bytes);
/* As nio_field_value, but of a type that JSON has: text for addresses, names
 * for members of an enum. */
PyObject *nio_field_plain(nio_state *state, const nio_schema *schema,
                          const nio_field *field, const void *row,
                          nio_knowledge known);
/* A member of the native row that is not a part of another field; the bytes of
 * it that are used (an IPv4 address uses four); whether this system provides
 * the field in rows of this family. */
bool nio_field_is_stored(const nio_field *field);
size_t nio_field_size(const nio_schema *schema, const nio_field *field,
                      const void *row);
bool nio_field_is_available(const nio_schema *schema, const nio_field *field,
                            const void *row);
/* Whether the field table alone determines if a field is None in rows with
 * details. The value of a known field can be None, too: an address of an
 * unknown family, or a name that the system does not have. */
typedef enum nio_nullability {
    NIO_ALWAYS_NULL,
    NIO_NEVER_NULL,
    NIO_NULL_BY_ROW /* nio_field_is_known decides for each row */
} nio_nullability;
nio_nullability nio_field_nullability(const nio_field *field);
/* True when this system provides the field in rows of AF_INET6 only. */
static inline bool
nio_field_is_of_ipv6(const nio_field *field)
{
    return (field->available_on & NIO_THIS_SYSTEM) == 0 &&
           (field->available_on & NIO_ON_LINUX_IPV6) != 0 &&
           NIO_THIS_SYSTEM == NIO_SYSTEM_LINUX;
}
bool nio_field_is_known(const nio_schema *schema, const nio_field *field,
                        const void *row, nio_knowledge known);
/* The format of the native row for the buffer protocol (PEP 3118), which the
 * caller frees with PyMem_Free. NULL with MemoryError. */
char *nio_schema_format_new(const nio_schema *schema);
/* The type of the field in _native.pyi; static. */
const char *nio_field_type(const nio_field *field);
