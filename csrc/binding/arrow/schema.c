/* SPDX-License-Identifier: MIT */
/* ArrowSchema: the names of the columns, and in their metadata what the field
 * tables say of them. The words are put together once, with the GIL, in a
 * description; a schema of it is then made without. */
#include "binding/arrow/arrow.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that grow. */
typedef struct words {
    char *data; /* of malloc; owned */
    size_t used, room;
} words;

/* Where a column's words stand in them. */
typedef struct place {
    size_t name, metadata;
} place;

struct nio_schema_template {
    nio_atomic references;
    const nio_schema *rows;
    words words;
    size_t metadata; /* of the whole, in the words */
    place *places;   /* one a column; owned */
    size_t count;
    nio_column columns[];
};

/* What is private to one ArrowSchema: it keeps the description, and is where
 * its children lie. They may be moved away, so each does the same. */
typedef struct node {
    nio_schema_template *description;
    struct ArrowSchema **children; /* &nodes[0], ... */
    struct ArrowSchema nodes[];
} node;

/* ---- words: false with an exception */

static bool
add(words *to, const void *bytes, size_t size)
{
    if (size > to->room - to->used) {
        size_t room = 2 * to->room + size + 1024;
        char *data = realloc(to->data, room);
        if (data == NULL) {
            PyErr_NoMemory();
            return false;
        }
        to->data = data;
        to->room = room;
    }
    memcpy(to->data + to->used, bytes, size);
    to->used += size;
    return true;
}

static bool
add_text(words *to, const char *text)
{
    return add(to, text, strlen(text));
}

/* Metadata is int32 and bytes in turn: the number of pairs, then of each key
 * and each value the length and the bytes. */
static bool
add_number(words *to, size_t number)
{
    int32_t small = (int32_t)number;
    return add(to, &small, sizeof(small));
}

static bool
add_measured(words *to, const char *text)
{
    return add_number(to, strlen(text)) && add_text(to, text);
}

static bool
add_pair(words *to, const char *key, const char *value)
{
    return add_measured(to, key) && add_measured(to, value);
}

/* Begins metadata of so many pairs, where int32 can be read in place. */
static bool
begin_metadata(words *to, size_t pairs, size_t *ret_at)
{
    static const char zeros[sizeof(int32_t)];
    size_t odd = to->used % sizeof(zeros);
    if (odd != 0 && !add(to, zeros, sizeof(zeros) - odd)) {
        return false;
    }
    *ret_at = to->used;
    return add_number(to, pairs);
}

/* `"16": "UNCHANGED"`, with what separates it from those before. */
static bool
add_member(words *to, PyObject *number, PyObject *member, bool first)
{
    bool good = false;
    PyObject *name = PyObject_GetAttrString(member, "name"), *text = NULL;
    PyObject *utf8 = NULL;
    if (name != NULL) {
        /* A name is an identifier: nothing in it wants escaping. */
        text = PyUnicode_FromFormat("%s\"%S\": \"%U\"", first ? "" : ", ",
                                    number, name);
    }
    if (text != NULL) {
        utf8 = PyUnicode_AsUTF8String(text);
    }
    if (utf8 != NULL) {
        good = add(to, PyBytes_AsString(utf8), (size_t)PyBytes_Size(utf8));
    }
    Py_XDECREF(name);
    Py_XDECREF(text);
    Py_XDECREF(utf8);
    return good;
}

/* The members of an enum as a JSON object, after its length. */
static bool
add_members(words *to, PyObject *members)
{
    size_t begin = to->used;
    Py_ssize_t position = 0;
    PyObject *number, *member;
    bool good = add_number(to, 0) && add_text(to, "{");
    for (bool first = true;
         good && PyDict_Next(members, &position, &number, &member);
         first = false) {
        good = add_member(to, number, member, first);
    }
    if (good && add_text(to, "}")) {
        int32_t length = (int32_t)(to->used - begin - sizeof(length));
        memcpy(to->data + begin, &length, sizeof(length));
        return true;
    }
    return false;
}

static bool
add_families(words *to)
{
    char text[64];
    PyOS_snprintf(text, sizeof(text),
                  "{\"%d\": \"AF_INET\", \"%d\": \"AF_INET6\"}", AF_INET,
                  AF_INET6);
    return add_measured(to, text);
}

static bool
add_column(words *to, nio_state *state, const nio_column *column,
           place *ret_place)
{
    static const char enum_key[] = "netioapi.enum";
    const nio_field *field = column->field;
    bool family = nio_column_is_family(column);
    PyObject *members = nio_enum_members(state, field->enum_class);
    ret_place->name = to->used;
    bool good = add_text(to, field->name) &&
                add_text(to, nio_column_suffix(column)) && add(to, "", 1) &&
                begin_metadata(to, family || members != NULL ? 3 : 2,
                               &ret_place->metadata) &&
                add_pair(to, "netioapi.unit", nio_column_unit(column)) &&
                add_pair(to, "netioapi.source", field->source);
    if (good && family) {
        good = add_measured(to, enum_key) && add_families(to);
    } else if (good && members != NULL) {
        good = add_measured(to, enum_key) && add_members(to, members);
    }
    return good;
}

/* ---- the description */

nio_schema_template *
nio_schema_template_new(nio_state *state, nio_kind kind)
{
    const nio_schema *rows = nio_schema_of(kind);
    size_t most = nio_columns_most(rows);
    nio_schema_template *description =
        calloc(1, sizeof(*description) + most * sizeof(nio_column));
    place *places = calloc(most, sizeof(*places));
    if (description == NULL || places == NULL) {
        free(description);
        free(places);
        PyErr_NoMemory();
        return NULL;
    }
    nio_atomic_store(&description->references, 1);
    description->rows = rows;
    description->places = places;
    description->count = nio_columns_of(rows, description->columns);
    words *to = &description->words;
    bool good = begin_metadata(to, 1, &description->metadata) &&
                add_pair(to, "netioapi.kind", rows->kind_name);
    for (size_t i = 0; good && i < description->count; i++) {
        good = add_column(to, state, &description->columns[i], &places[i]);
    }
    if (!good) {
        nio_schema_template_drop(description);
        return NULL;
    }
    return description;
}

void
nio_schema_template_drop(nio_schema_template *description)
{
    if (description != NULL &&
        nio_atomic_add(&description->references, (uint64_t)-1) == 1) {
        free(description->words.data);
        free(description->places);
        free(description);
    }
}

const nio_schema *
nio_schema_template_rows(const nio_schema_template *description)
{
    return description->rows;
}

const nio_column *
nio_schema_template_columns(const nio_schema_template *description,
                            size_t *ret_count)
{
    *ret_count = description->count;
    return description->columns;
}

bool
nio_schema_template_fits(const nio_schema_template *description,
                         const struct ArrowSchema *wish)
{
    if (strcmp(wish->format, "+s") != 0 ||
        wish->n_children != (int64_t)description->count) {
        return false;
    }
    for (size_t i = 0; i < description->count; i++) {
        const char *name = wish->children[i]->name;
        const char *ours =
            description->words.data + description->places[i].name;
        if (name == NULL || strcmp(name, ours) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- schemas of it */

static void
release(struct ArrowSchema *schema)
{
    node *own = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child->release != NULL) { /* else it was moved away */
            child->release(child);
        }
    }
    nio_schema_template_drop(own->description);
    free(own);
    schema->release = NULL;
}

/* With so many children that are released still. */
static bool
schema_init(struct ArrowSchema *schema, nio_schema_template *description,
            const char *format, const char *name, const char *metadata,
            size_t children)
{
    size_t one = sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *);
    node *own = calloc(1, sizeof(*own) + children * one);
    if (own == NULL) {
        return false;
    }
    own->children = (struct ArrowSchema **)&own->nodes[children];
    for (size_t i = 0; i < children; i++) {
        own->children[i] = &own->nodes[i];
    }
    own->description = description;
    (void)nio_atomic_add(&description->references, 1);
    *schema = (struct ArrowSchema){
        .format = format,
        .name = name,
        .metadata = metadata,
        .n_children = (int64_t)children,
        .children = children > 0 ? own->children : NULL,
        .release = release,
        .private_data = own,
    };
    return true;
}

static bool
column_init(struct ArrowSchema *schema, nio_schema_template *description,
            size_t i)
{
    const char *data = description->words.data;
    const place *at = &description->places[i];
    const nio_arrow_type *shape = description->columns[i].shape;
    bool list = shape->layout == NIO_LAYOUT_LIST;
    if (!schema_init(schema, description, shape->format, data + at->name,
                     data + at->metadata, list)) {
        return false;
    }
    /* On the other system it may be unknown, and the schema is the same. */
    schema->flags = ARROW_FLAG_NULLABLE;
    return !list || schema_init(schema->children[0], description, shape->item,
                                "item", NULL, 0);
}

bool
nio_schema_template_schema(nio_schema_template *description,
                           struct ArrowSchema *ret_schema)
{
    struct ArrowSchema whole;
    bool good = schema_init(&whole, description, "+s", "",
                            description->words.data + description->metadata,
                            description->count);
    if (!good) {
        return false;
    }
    for (size_t i = 0; good && i < description->count; i++) {
        good = column_init(whole.children[i], description, i);
    }
    if (!good) {
        whole.release(&whole);
        return false;
    }
    *ret_schema = whole;
    return true;
}
