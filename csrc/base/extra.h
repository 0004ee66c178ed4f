/* SPDX-License-Identifier: MIT */
/* What is rare in a row (an encapsulation, alternative names): a list of items
 * in a block behind the member `Extra` of the row. The block is immutable, and
 * shared by reference count: each row in a queue, in a Table or of an object
 * has one reference. Rows of Windows have none. Any thread may call any of
 * these functions. */
#pragma once

#include "base/change.h"
#include "contract/tower.h"
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The items, in the order in which a block has them. Those up to
 * NIO_EXTRA_LAST_OF_KEY are a part of the row's identity. */
enum {
    NIO_EXTRA_SOURCE_PREFIX = 1, /* 16 bytes, and the length: RTA_SRC */
    NIO_EXTRA_ENCAPSULATION,     /* text: RTA_ENCAP_TYPE and RTA_ENCAP */
    NIO_EXTRA_LAST_OF_KEY = NIO_EXTRA_ENCAPSULATION,
    /* These two are for the tower's records alone: a row has a member for the
     * one, and nothing of the other. */
    NIO_EXTRA_PREFERRED_SOURCE, /* 16 bytes: RTA_PREFSRC */
    NIO_EXTRA_DIGEST, /* uint64_t: of the attributes without a field */
    NIO_EXTRA_LAST_OF_RECORD = NIO_EXTRA_DIGEST,
    NIO_EXTRA_ROUTE_MTU,   /* uint32_t: RTAX_MTU */
    NIO_EXTRA_LINK_KIND,   /* text: IFLA_INFO_KIND */
    NIO_EXTRA_HARDWARE,    /* bytes: IFLA_ADDRESS */
    NIO_EXTRA_ALTERNATIVES /* texts, each with its NUL: IFLA_ALT_IFNAME */
};

typedef struct nio_extra {
    nio_atomic references;
    struct nio_extra *next; /* the owner's, which interns blocks */
    uint64_t hash;          /* likewise */
    size_t uses;            /* likewise */
    uint32_t size;          /* bytes of `items` */
    uint32_t key_size;      /* bytes of the items that belong to the key */
    bool is_for_rows;       /* not only for records of the tower */
    /* Items: tag and length of 2 bytes each, then the bytes, padded with zeros
     * to 4. */
    uint8_t items[];
} nio_extra;

enum {
    NIO_EXTRA_HEADER = 4,
    /* The items of one block, so that a row always fits a buffer; longer lists
     * end early. */
    NIO_EXTRA_MAX = 16384,
    /* The items of a key: a longer encapsulation is cut, and ends with a
     * digest. */
    NIO_EXTRA_KEY_MAX = 512
};

/* Whether the items are whole, and not too many, also those of the key. */
bool nio_extra_is_well_formed(const uint8_t *items, size_t size);
/* A block with a copy of these items and one reference, the caller's. NULL:
 * allocation failure, or items that are not well-formed. */
nio_extra *nio_extra_new(const uint8_t *items, size_t size);
const nio_extra *nio_extra_keep(const nio_extra *extra); /* accepts NULL */
void nio_extra_drop(const nio_extra *extra);             /* accepts NULL */

/* The bytes of an item; NULL: there is none. Accepts NULL. */
const uint8_t *nio_extra_find(const nio_extra *extra, unsigned tag,
                              size_t *ret_size);

/* Are the items of the key up to `last_tag` equal? Accepts NULL. */
bool nio_extra_same_key(const nio_extra *a, const nio_extra *b,
                        unsigned last_tag);

/* Appends an item to `items` (NIO_EXTRA_MAX bytes), of which `used` are in
 * use, and returns the new number; the old one where it does not fit. */
size_t nio_extra_append(uint8_t *items, size_t used, unsigned tag,
                        const void *bytes, size_t size);

/* ---- rows */
/* Where the rows of a kind have their `Extra`; NIO_ABSENT: nowhere. */
static inline size_t
nio_extra_offset(unsigned kind)
{
    switch (kind) {
    case NIO_ROUTE:
        return NIO_LINUX_OFFSET(MIB_IPFORWARD_ROW2, Extra);
    case NIO_INTERFACE:
        return NIO_LINUX_OFFSET(MIB_IPINTERFACE_ROW, Extra);
    default:
        return NIO_ABSENT;
    }
}

/* The block of a row, borrowed; NULL: none. */
static inline const nio_extra *
nio_extra_of(unsigned kind, const void *row)
{
    const nio_extra *extra = NULL;
    size_t offset = nio_extra_offset(kind);
    if (offset != NIO_ABSENT) {
        memcpy(&extra, (const uint8_t *)row + offset, sizeof(extra));
    }
    return extra;
}

/* Sets the block of a row, without a look at the reference of the old one. */
static inline void
nio_extra_set(unsigned kind, void *row, const nio_extra *extra)
{
    size_t offset = nio_extra_offset(kind);
    if (offset != NIO_ABSENT) {
        memcpy((uint8_t *)row + offset, &extra, sizeof(extra));
    }
}

/* What a table of Linux begins with (MIB_IPFORWARD_TABLE2, ...): its padding
 * says of which kind the rows are, if some of them have blocks. */
typedef struct nio_table_header {
    ULONG count;       /* NumEntries */
    ULONG extras_kind; /* a nio_kind; NIO_KINDS: no row has a block */
} nio_table_header;

static inline bool
nio_table_has_extras(unsigned kind, const void *table)
{
    nio_table_header header;
    memcpy(&header, table, sizeof(header));
    return nio_extra_offset(kind) != NIO_ABSENT &&
           header.extras_kind == (ULONG)kind;
}

/* The block of the row of a change. */
static inline const nio_extra *
nio_change_extra(nio_change *change)
{
    return change->has_extra
               ? nio_extra_of(change->kind, nio_change_row(change))
               : NULL;
}
