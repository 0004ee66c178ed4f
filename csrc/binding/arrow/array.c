/* SPDX-License-Identifier: MIT */
/* ArrowArray: rows copied into columns. Each column has memory of its own,
 * since a consumer may move one column away and release the others. */
#include "binding/arrow/array.h"

#include "binding/arrow/columns.h"
#include "binding/arrow/names.h"

#include <stdlib.h>
#include <string.h>

/* Arrow's recommendation for the addresses and sizes of buffers. */
#define ALIGNMENT ((size_t)64)
/* Rows that fit in the cache while all columns are copied from them. */
#define BLOCK ((size_t)512)
/* From this many rows on they are copied without the GIL. For fewer rows, to
 * release it could cost a busy program a switch interval for microseconds of
 * work. */
#define MANY_ROWS ((size_t)4096)

/* The private data of one ArrowArray, and the memory of its children. Its
 * buffers follow in the same block. */
typedef struct node {
    const void *buffers[3];
    char *text;                   /* owned; NULL: none */
    struct ArrowArray **children; /* &nodes[0], ... */
    struct ArrowArray nodes[];
} node;

static size_t
padded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void
release(struct ArrowArray *array)
{
    node *own = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child->release != NULL) { /* NULL: it was moved away */
            child->release(child);
        }
    }
    free(own->text);
    free(own);
    array->release = NULL;
}

/* Initializes an array with `children` children, which are marked released,
 * and zeroed buffers of these sizes. The sizes are at most those of the rows,
 * so their sum does not overflow. */
static bool
array_init(struct ArrowArray *array, size_t length, size_t children,
           size_t buffers, const size_t sizes[2])
{
    size_t per_child = sizeof(struct ArrowArray) + sizeof(struct ArrowArray *);
    size_t total = sizeof(node) + children * per_child + ALIGNMENT +
                   padded(sizes[0]) + padded(sizes[1]);
    node *own = calloc(1, total);
    if (own == NULL) {
        return false;
    }
    own->children = (struct ArrowArray **)&own->nodes[children];
    for (size_t i = 0; i < children; i++) {
        own->children[i] = &own->nodes[i];
    }
    uintptr_t end = (uintptr_t)(own->children + children);
    own->buffers[0] = (const void *)(uintptr_t)padded(end);
    own->buffers[1] = (const uint8_t *)own->buffers[0] + padded(sizes[0]);
    *array = (struct ArrowArray){
        .length = (int64_t)length,
        .n_buffers = (int64_t)buffers,
        .n_children = (int64_t)children,
        .buffers = own->buffers,
        .children = children > 0 ? own->children : NULL,
        .release = release,
        .private_data = own,
    };
    return true;
}

static uint8_t *
buffer_of(const struct ArrowArray *array, size_t which)
{
    return (uint8_t *)(uintptr_t)array->buffers[which];
}

/* The buffer for the values of a column. */
static uint8_t *
values_of(const nio_column *column, const struct ArrowArray *array)
{
    bool list = column->type->layout == NIO_LAYOUT_LIST;
    return buffer_of(list ? array->children[0] : array, 1);
}

static bool
column_init(struct ArrowArray *array, const nio_column *column, size_t count)
{
    const nio_arrow_type *type = column->type;
    size_t bits = (count + 7) / 8, bytes = count * type->width;
    switch (type->layout) {
    case NIO_LAYOUT_BITS:
        return array_init(array, count, 0, 2, (size_t[]){bits, bits});
    case NIO_LAYOUT_TEXT:
        return array_init(array, count, 0, 3,
                          (size_t[]){bits, (count + 1) * sizeof(int32_t)});
    case NIO_LAYOUT_LIST:
        if (!array_init(array, count, 1, 1, (size_t[]){bits, 0}) ||
            !array_init(array->children[0], count * type->items, 0, 2,
                        (size_t[]){0, bytes})) {
            return false;
        }
        array->children[0]->buffers[0] = NULL; /* no item is null */
        return true;
    default:
        return array_init(array, count, 0, 2, (size_t[]){bits, bytes});
    }
}

/* True where all values are null, since no row has an item. */
static bool
is_empty(const nio_column *column, bool has_extras)
{
    return !has_extras && nio_field_is_item(column->field);
}

/* With the GIL. Until fill() has ended, null_count is the number of values
 * that are not null. */
static bool
fill_text(nio_state *state, const nio_column *column, const void *rows,
          size_t count, bool has_extras, struct ArrowArray *array)
{
    node *own = array->private_data;
    if (is_empty(column, has_extras)) { /* a text without bytes has a buffer */
        own->buffers[2] = own->buffers[1];
        return true;
    }
    Py_ssize_t not_null =
        nio_text_fill(state, column, rows, count, buffer_of(array, 0),
                      (int32_t *)(void *)buffer_of(array, 1), &own->text);
    if (not_null < 0) {
        return false;
    }
    own->buffers[2] = own->text;
    array->null_count = (int64_t)not_null;
    return true;
}

/* Called with or without the GIL. */
static void
fill(const nio_schema_template *template, const void *rows, size_t count,
     bool has_extras, struct ArrowArray *whole)
{
    size_t width;
    const nio_column *columns = nio_schema_template_columns(template, &width);
    for (size_t begin = 0; begin < count; begin += BLOCK) {
        size_t end = count - begin < BLOCK ? count : begin + BLOCK;
        for (size_t i = 0; i < width; i++) {
            struct ArrowArray *array = whole->children[i];
            if (columns[i].type->layout != NIO_LAYOUT_TEXT &&
                !is_empty(&columns[i], has_extras)) {
                array->null_count += (int64_t)nio_column_fill(
                    &columns[i], rows, begin, end, buffer_of(array, 0),
                    values_of(&columns[i], array));
            }
        }
    }
    for (size_t i = 0; i < width; i++) {
        struct ArrowArray *array = whole->children[i];
        array->null_count = array->length - array->null_count;
        if (array->null_count == 0) {
            array->buffers[0] = NULL;
        }
    }
}

bool
nio_array_new(nio_state *state, const nio_schema_template *template,
              const void *rows, size_t count, bool has_extras,
              struct ArrowArray *ret_array)
{
    size_t width;
    const nio_column *columns = nio_schema_template_columns(template, &width);
    struct ArrowArray whole;
    bool good = false;
    if (!array_init(&whole, count, width, 1, (size_t[]){0, 0})) {
        PyErr_NoMemory();
        return false;
    }
    whole.buffers[0] = NULL; /* a row is never null */
    for (size_t i = 0; i < width; i++) {
        if (!column_init(whole.children[i], &columns[i], count)) {
            PyErr_NoMemory();
            goto done;
        }
        if (columns[i].type->layout == NIO_LAYOUT_TEXT &&
            !fill_text(state, &columns[i], rows, count, has_extras,
                       whole.children[i])) {
            goto done;
        }
    }
    PyThreadState *released = count < MANY_ROWS ? NULL : PyEval_SaveThread();
    fill(template, rows, count, has_extras, &whole);
    if (released != NULL) {
        PyEval_RestoreThread(released);
    }
    *ret_array = whole;
    good = true;
done:
    if (!good) {
        whole.release(&whole);
    }
    return good;
}
