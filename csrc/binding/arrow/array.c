/* SPDX-License-Identifier: MIT */
/* ArrowArray: rows copied into columns, each in memory of its own, so that a
 * consumer may move one away and release the rest. */
#include "binding/arrow/arrow.h"

#include <stdlib.h>
#include <string.h>

/* What Arrow recommends for buffers: where they begin, and what their sizes
 * are multiples of. */
#define ALIGNMENT ((size_t)64)
/* Rows that stay in the cache while column after column is taken of them. */
#define BLOCK ((size_t)512)
/* From here on others may have the GIL meanwhile. For fewer rows, giving it
 * away could cost a busy program a switch interval for microseconds of work.
 */
#define MANY ((size_t)4096)

/* What is private to one ArrowArray, and where its children lie; its buffers
 * follow. */
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
        if (child->release != NULL) { /* else it was moved away */
            child->release(child);
        }
    }
    free(own->text);
    free(own);
    array->release = NULL;
}

/* With children that are released still, and buffers of these sizes, which
 * are 0 all over. They are no larger than the rows, so nothing overflows. */
static bool
array_init(struct ArrowArray *array, size_t length, size_t children,
           size_t buffers, const size_t sizes[2])
{
    size_t one = sizeof(struct ArrowArray) + sizeof(struct ArrowArray *);
    size_t total = sizeof(node) + children * one + ALIGNMENT +
                   padded(sizes[0]) + padded(sizes[1]);
    node *own = calloc(1, total);
    if (own == NULL) {
        return false;
    }
    own->children = (struct ArrowArray **)&own->nodes[children];
    for (size_t i = 0; i < children; i++) {
        own->children[i] = &own->nodes[i];
    }
    uintptr_t behind = (uintptr_t)(own->children + children);
    own->buffers[0] = (const void *)(uintptr_t)padded(behind);
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

/* Where the values of a column are to be written. */
static uint8_t *
values_of(const nio_column *column, const struct ArrowArray *array)
{
    bool list = column->shape->layout == NIO_LAYOUT_LIST;
    return buffer_of(list ? array->children[0] : array, 1);
}

static bool
column_init(struct ArrowArray *array, const nio_column *column, size_t count)
{
    const nio_arrow_type *shape = column->shape;
    size_t bits = (count + 7) / 8, bytes = count * shape->width;
    switch (shape->layout) {
    case NIO_LAYOUT_BITS:
        return array_init(array, count, 0, 2, (size_t[]){bits, bits});
    case NIO_LAYOUT_TEXT:
        return array_init(array, count, 0, 3,
                          (size_t[]){bits, (count + 1) * sizeof(int32_t)});
    case NIO_LAYOUT_LIST:
        if (!array_init(array, count, 1, 1, (size_t[]){bits, 0}) ||
            !array_init(array->children[0], count * shape->items, 0, 2,
                        (size_t[]){0, bytes})) {
            return false;
        }
        array->children[0]->buffers[0] = NULL; /* its items are all there */
        return true;
    default:
        return array_init(array, count, 0, 2, (size_t[]){bits, bytes});
    }
}

/* With the GIL. While filling, null_count counts the values that are there. */
static bool
fill_text(nio_state *state, const nio_column *column, const void *rows,
          size_t count, struct ArrowArray *array)
{
    node *own = array->private_data;
    Py_ssize_t there =
        nio_text_fill(state, column, rows, count, buffer_of(array, 0),
                      (int32_t *)(void *)buffer_of(array, 1), &own->text);
    if (there < 0) {
        return false;
    }
    own->buffers[2] = own->text;
    array->null_count = (int64_t)there;
    return true;
}

/* Without Python. */
static void
fill(const nio_schema_template *description, const void *rows, size_t count,
     struct ArrowArray *whole)
{
    size_t width;
    const nio_column *columns =
        nio_schema_template_columns(description, &width);
    for (size_t begin = 0; begin < count; begin += BLOCK) {
        size_t end = count - begin < BLOCK ? count : begin + BLOCK;
        for (size_t i = 0; i < width; i++) {
            struct ArrowArray *array = whole->children[i];
            if (columns[i].shape->layout != NIO_LAYOUT_TEXT) {
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
nio_array_new(nio_state *state, const nio_schema_template *description,
              const void *rows, size_t count, struct ArrowArray *ret_array)
{
    size_t width;
    const nio_column *columns =
        nio_schema_template_columns(description, &width);
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
        if (columns[i].shape->layout == NIO_LAYOUT_TEXT &&
            !fill_text(state, &columns[i], rows, count, whole.children[i])) {
            goto done;
        }
    }
    PyThreadState *python = count < MANY ? NULL : PyEval_SaveThread();
    fill(description, rows, count, &whole);
    if (python != NULL) {
        PyEval_RestoreThread(python);
    }
    *ret_array = whole;
    good = true;
done:
    if (!good) {
        whole.release(&whole);
    }
    return good;
}
