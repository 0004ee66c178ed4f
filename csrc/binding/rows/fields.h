/* SPDX-License-Identifier: MIT */
/* One table per native struct says everything about its fields: the name in
 * Python, kind, place, unit, who says it, source, documentation. Getters,
 * docstrings, repr, equality, hash, dictionaries, the buffer's format, the
 * columns of Arrow and the stub are all made from it. A field is added by one
 * line in fields_interface.c, fields_address.c or fields_route.c. */
#pragma once

#include "binding/values/enums.h"

#include <stddef.h>

/* How a field lies in the native row, and so what it reads as. A kind also
 * stands in the tables of fields.c and arrow_columns.c. */
typedef enum nio_field_kind {
    NIO_FIELD_BOOL, /* BOOLEAN */
    NIO_FIELD_U8,
    NIO_FIELD_U16,
    NIO_FIELD_U32,
    NIO_FIELD_U64,
    NIO_FIELD_FAMILY, /* ADDRESS_FAMILY, in this system's numbers */
    NIO_FIELD_TIME,   /* 100 nanoseconds since 1601, UTC */
    NIO_FIELD_LAST_NUMBER = NIO_FIELD_TIME, /* no objects but int and bool */
    NIO_FIELD_ENUM8,       /* a byte that a Python enum names */
    NIO_FIELD_ENUM32,      /* a C enum */
    NIO_FIELD_ADDRESS,     /* SOCKADDR_INET */
    NIO_FIELD_PREFIX,      /* IP_ADDRESS_PREFIX */
    NIO_FIELD_RAW_ADDRESS, /* 16 bytes, an address of the row's family */
    NIO_FIELD_ZONES,       /* ULONG[16] */
    NIO_FIELD_NAME,        /* CHAR[16], or asked of the system if absent */
    NIO_FIELD_IDENTITY,    /* nothing stored: nio_row_key() */
    NIO_FIELD_KINDS
} nio_field_kind;

enum {
    NIO_FIELD_KEY = 1,       /* known without details, too */
    NIO_FIELD_VOLATILE = 2,  /* counts down or is random: not compared */
    NIO_FIELD_VIRTUAL = 4,   /* stored as a part of another field */
    NIO_FIELD_BRIEF = 8,     /* worth a place in repr() */
    NIO_FIELD_OPTIONAL = 16, /* zero means that there is none: None */
    NIO_FIELD_HIDDEN = 32    /* an attribute, but not one of _fields */
};

/* Who says it: bits like NIO_THIS_SYSTEM, and one more. */
enum {
    NIO_ON_LINUX = NIO_SYSTEM_LINUX,
    NIO_ON_WINDOWS = NIO_SYSTEM_WINDOWS,
    NIO_ON_LINUX_IPV6 = 4 /* Linux, in rows of AF_INET6 only */
};

typedef struct nio_field {
    const char *name;
    nio_field_kind kind;
    size_t offset;  /* in the native row; NIO_ABSENT: not in there */
    unsigned flags; /* NIO_FIELD_KEY, ... */
    unsigned says;  /* NIO_ON_LINUX, ... */
    nio_enum which; /* of enums.py, or NIO_ENUM_NULL */
    const char *unit;
    const char *source;
    const char *doc; /* the whole docstring */
    bool always;     /* in the native row, and known in all with details */
} nio_field;

/* A struct: its Python type and its fields. */
typedef struct nio_schema {
    nio_kind kind;
    const char *type_name; /* "netioapi.IpForwardRow" */
    const char *noun;      /* "route" */
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
#define NIO_ON_TEXT_BOTH ""
#define NIO_ON_TEXT_LINUX "\nLinux only: None on Windows."
#define NIO_ON_TEXT_WINDOWS "\nNone on Linux, which does not say."
#define NIO_ON_TEXT_IPV6 "\nNone on Linux in rows of IPv4."

#define NIO_FIELD_DOC(says, unit, source, text)                               \
    text "\n\nUnit: " unit ".\nSource: " source "." NIO_ON_TEXT_##says

#define NIO_FIELD_INDEX(name, kind, offset, flags, says, enum_name, unit,     \
                        source, text)                                         \
    FIELD_##name,
#define NIO_FIELD_ROW(name, kind, offset, flags, says, enum_name, unit,       \
                      source, text)                                           \
    {#name,                                                                   \
     NIO_FIELD_##kind,                                                        \
     offset,                                                                  \
     (flags),                                                                 \
     NIO_ON_BITS_##says,                                                      \
     NIO_ENUM_##enum_name,                                                    \
     unit,                                                                    \
     source,                                                                  \
     NIO_FIELD_DOC(says, unit, source, text),                                 \
     (offset) != NIO_ABSENT && ((flags) & NIO_FIELD_OPTIONAL) == 0 &&         \
         (NIO_ON_BITS_##says & NIO_THIS_SYSTEM) != 0},
/* The closure of a getter is its field; a table file names it `fields`, and
 * includes row.h. */
#define NIO_FIELD_GETTER(name, kind, offset, flags, says, enum_name, unit,    \
                         source, text)                                        \
    {#name, nio_row_get, NULL, NIO_FIELD_DOC(says, unit, source, text),       \
     (void *)&fields[FIELD_##name]},

/* ---- fields.c: pure functions of a native row */
const nio_schema *nio_schema_of(nio_kind kind);
/* A new reference to the value of a field; None where it is not known. */
PyObject *nio_field_value(nio_state *state, const nio_schema *schema,
                          const nio_field *field, const void *row,
                          bool details);
/* Of a field up to NIO_FIELD_LAST_NUMBER, from where it lies in a row. */
PyObject *nio_number_value(nio_field_kind kind, const uint8_t *bytes);
/* As nio_field_value, but as JSON can write it: text for addresses, names for
 * enums. */
PyObject *nio_field_plain(nio_state *state, const nio_schema *schema,
                          const nio_field *field, const void *row,
                          bool details);
/* What == and hash() look at, as bytes. Returns how many. */
#define NIO_PACK_SIZE 512
size_t nio_row_pack(const nio_schema *schema, const void *row, bool details,
                    uint8_t pack[NIO_PACK_SIZE]);
/* Which rows with details know a field: the answer that needs no row, and
 * the question to a row. A value may be none all the same: an address of no
 * family that we know, a name that nobody knows. */
typedef enum nio_nullability {
    NIO_ALWAYS_NULL,
    NIO_NEVER_NULL,
    NIO_NULL_BY_ROW /* ask nio_field_is_known */
} nio_nullability;
nio_nullability nio_field_nullability(const nio_field *field);
bool nio_field_is_known(const nio_schema *schema, const nio_field *field,
                        const void *row, bool details);
/* The format of the native row for the buffer protocol (PEP 3118), to be
 * given to PyMem_Free; NULL with MemoryError. */
char *nio_schema_format_new(const nio_schema *schema);
/* What the stub writes for a field of this kind, borrowed for ever. */
const char *nio_field_type(const nio_field *field);
