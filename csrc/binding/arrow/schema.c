/* SPDX-License-Identifier: MIT */
/* ArrowSchema: the names of the columns, and the descriptions of the field
 * tables as their metadata. */
#include "binding/arrow/schema.h"

#include "base/lock.h"
#include "binding/arrow/columns.h"

#include <stdlib.h>
#include <string.h>

/* A buffer that grows. */
typedef struct byte_buffer {
    char *data; /* of malloc; owned */
    size_t used, room;
} byte_buffer;

/* Offsets of a column's texts in the buffer. */
typedef struct text_ref {
    size_t name, metadata;
} text_ref;

struct nio_schema_template {
    nio_atomic references;
    const nio_schema *rows;
    byte_buffer text;
    size_t metadata; /* of the whole schema: an offset in `text` */
    text_ref *refs;  /* one per column; owned */
    size_t count;
    nio_column columns[];
};

/* The private data of one ArrowSchema: its reference to the template, and the
 * memory of its children. A consumer may move a child away and release the
 * parent, so each child has private data of its own. */
typedef struct node {
    nio_schema_template *template;
    struct ArrowSchema **children; /* &nodes[0], ... */
    struct ArrowSchema nodes[];
} node;

/* ---- appending: false with an exception */

static bool
append(byte_buffer *to, const void *bytes, size_t size)
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
add_text(byte_buffer *to, const char *text)
{
    return append(to, text, strlen(text));
}

/* Metadata is the number of pairs, and then for each key and each value its
 * length and its bytes; the numbers are int32. */
static bool
add_number(byte_buffer *to, size_t number)
{
    int32_t as_int32 = (int32_t)number;
    return append(to, &as_int32, sizeof(as_int32));
}

static bool
append_with_length(byte_buffer *to, const char *text)
{
    return add_number(to, strlen(text)) && add_text(to, text);
}

static bool
add_pair(byte_buffer *to, const char *key, const char *value)
{
    return append_with_length(to, key) && append_with_length(to, value);
}

/* Begins the metadata of `pairs` pairs, aligned for int32. */
static bool
begin_metadata(byte_buffer *to, size_t pairs, size_t *ret_at)
{
    static const char zeros[sizeof(int32_t)];
    size_t excess = to->used % sizeof(zeros);
    if (excess != 0 && !append(to, zeros, sizeof(zeros) - excess)) {
        return false;
    }
    *ret_at = to->used;
    return add_number(to, pairs);
}

/* Appends `"16": "UNCHANGED"`, after a comma unless it is the first. */
static bool
add_member(byte_buffer *to, PyObject *number, PyObject *member, bool first)
{
    bool good = false;
    PyObject *name = PyObject_GetAttrString(member, "name"), *text = NULL;
    PyObject *utf8 = NULL;
    if (name != NULL) {
        /* A name is an identifier, so JSON needs no escapes in it. */
        text = PyUnicode_FromFormat("%s\"%S\": \"%U\"", first ? "" : ", ",
                                    number, name);
    }
    if (text != NULL) {
        utf8 = PyUnicode_AsUTF8String(text);
    }
    if (utf8 != NULL) {
        good = append(to, PyBytes_AsString(utf8), (size_t)PyBytes_Size(utf8));
    }
    Py_XDECREF(name);
    Py_XDECREF(text);
    Py_XDECREF(utf8);
    return good;
}

/* Appends the members of an enum as a JSON object, after its length. */
static bool
add_members(byte_buffer *to, PyObject *members)
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
add_families(byte_buffer *to)
{
    char text[64];
    PyOS_snprintf(text, sizeof(text),
                  "{\"%d\": \"AF_INET\", \"%d\": \"AF_INET6\"}", AF_INET,
                  AF_INET6);
    return append_with_length(to, text);
}

static bool
add_column(byte_buffer *to, nio_state *state, const nio_column *column,
           text_ref *ret_ref)
{
    static const char enum_key[] = "netioapi.enum";
    const nio_field *field = column->field;
    bool family = nio_column_is_family(column);
    PyObject *members = nio_enum_members(state, field->enum_class);
    ret_ref->name = to->used;
    bool good = add_text(to, field->name) &&
                add_text(to, nio_column_suffix(column)) && append(to, "", 1) &&
                begin_metadata(to, family || members != NULL ? 3 : 2,
                               &ret_ref->metadata) &&
                add_pair(to, "netioapi.unit", nio_column_unit(column)) &&
                add_pair(to, "netioapi.source", field->source);
    if (good && family) {
        good = append_with_length(to, enum_key) && add_families(to);
    } else if (good && members != NULL) {
        good = append_with_length(to, enum_key) && add_members(to, members);
    }
    return good;
}

/* ---- the template */

nio_schema_template *
nio_schema_template_new(nio_state *state, nio_kind kind)
{
    const nio_schema *rows = nio_schema_of(kind);
    size_t most = nio_columns_max(rows);
    nio_schema_template *template =
        calloc(1, sizeof(*template) + most * sizeof(nio_column));
    text_ref *refs = calloc(most, sizeof(*refs));
    if (template == NULL || refs == NULL) {
        free(template);
        free(refs);
        PyErr_NoMemory();
        return NULL;
    }
    nio_atomic_store(&template->references, 1);
    template->rows = rows;
    template->refs = refs;
    template->count = nio_columns_of(rows, template->columns);
    byte_buffer *to = &template->text;
    bool good = begin_metadata(to, 1, &template->metadata) &&
                add_pair(to, "netioapi.kind", rows->kind_name);
    for (size_t i = 0; good && i < template->count; i++) {
        good = add_column(to, state, &template->columns[i], &refs[i]);
    }
    if (!good) {
        nio_schema_template_drop(template);
        return NULL;
    }
    return template;
}

void
nio_schema_template_drop(nio_schema_template *template)
{
    if (template != NULL &&
        nio_atomic_add(&template->references, (uint64_t)-1) == 1) {
        free(template->text.data);
        free(template->refs);
        free(template);
    }
}

const nio_schema *
nio_schema_template_rows(const nio_schema_template *template)
{
    return template->rows;
}

const nio_column *
nio_schema_template_columns(const nio_schema_template *template,
                            size_t *ret_count)
{
    *ret_count = template->count;
    return template->columns;
}

bool
nio_schema_template_fits(const nio_schema_template *template,
                         const struct ArrowSchema *requested)
{
    if (strcmp(requested->format, "+s") != 0 ||
        requested->n_children != (int64_t)template->count) {
        return false;
    }
    for (size_t i = 0; i < template->count; i++) {
        const char *name = requested->children[i]->name;
        const char *ours = template->text.data + template->refs[i].name;
        if (name == NULL || strcmp(name, ours) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- schemas made of it */

static void
release(struct ArrowSchema *schema)
{
    node *own = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child->release != NULL) { /* NULL: it was moved away */
            child->release(child);
        }
    }
    nio_schema_template_drop(own->template);
    free(own);
    schema->release = NULL;
}

/* Initializes a schema with `children` children, which are marked released. */
static bool
schema_init(struct ArrowSchema *schema, nio_schema_template *template,
            const char *format, const char *name, const char *metadata,
            size_t children)
{
    size_t per_child =
        sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *);
    node *own = calloc(1, sizeof(*own) + children * per_child);
    if (own == NULL) {
        return false;
    }
    own->children = (struct ArrowSchema **)&own->nodes[children];
    for (size_t i = 0; i < children; i++) {
        own->children[i] = &own->nodes[i];
    }
    own->template = template;
    (void)nio_atomic_add(&template->references, 1);
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
column_init(struct ArrowSchema *schema, nio_schema_template *template,
            size_t i)
{
    const char *data = template->text.data;
    const text_ref *at = &template->refs[i];
    const nio_arrow_type *type = template->columns[i].type;
    bool list = type->layout == NIO_LAYOUT_LIST;
    if (!schema_init(schema, template, type->format, data + at->name,
                     data + at->metadata, list)) {
        return false;
    }
    /* The schema is the same on every system, and another one may not provide
     * the field. */
    schema->flags = ARROW_FLAG_NULLABLE;
    return !list || schema_init(schema->children[0], template, type->item,
                                "item", NULL, 0);
}

bool
nio_schema_template_schema(nio_schema_template *template,
                           struct ArrowSchema *ret_schema)
{
    struct ArrowSchema whole;
    bool good =
        schema_init(&whole, template, "+s", "",
                    template->text.data + template->metadata, template->count);
    if (!good) {
        return false;
    }
    for (size_t i = 0; good && i < template->count; i++) {
        good = column_init(whole.children[i], template, i);
    }
    if (!good) {
        whole.release(&whole);
        return false;
    }
    *ret_schema = whole;
    return true;
}
