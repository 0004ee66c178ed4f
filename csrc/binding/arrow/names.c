/* SPDX-License-Identifier: MIT */
/* Columns of text: names of interfaces, and items of the rows' blocks. Each
 * text is made once, not for each row. With the GIL. */
#include "binding/arrow/names.h"

#include <stdlib.h>
#include <string.h>

/* Everything that a text depends on. Members that it does not depend on are
 * 0. */
typedef struct key {
    uint8_t stored[16];
    uint64_t luid;  /* of a name that is looked up */
    uint64_t index; /* likewise, or the family of a row with an item; 64 bits,
                       so that the struct has no padding */
} key;

/* The different texts of the rows, in a hash table by their keys. */
typedef struct texts {
    key *keys;
    PyObject **utf8; /* bytes; NULL: null */
    size_t count;
    size_t *slots;     /* 1 + index in `keys`; 0: free */
    size_t slot_count; /* a power of two */
} texts;

static void
texts_free(texts *known)
{
    for (size_t i = 0; i < known->count; i++) {
        Py_XDECREF(known->utf8[i]);
    }
    free(known->keys);
    free(known->utf8);
    free(known->slots);
}

static key
key_of(const nio_column *column, const uint8_t *row)
{
    key found = {{0}, 0, 0};
    NET_IFINDEX index;
    size_t offset = column->field->offset, size;
    if (nio_field_is_item(column->field)) {
        const uint8_t *item =
            nio_field_item(column->schema, column->field, row, &size);
        ADDRESS_FAMILY family; /* which a prefix depends on */
        memcpy(&family, row + column->schema->family_offset, sizeof(family));
        memcpy(found.stored, &item, sizeof(item)); /* blocks are shared */
        found.index = item == NULL ? 0 : family;
        return found;
    }
    if (offset != NIO_ABSENT) {
        memcpy(found.stored, row + offset, sizeof(found.stored));
        return found;
    }
    memcpy(&found.luid, row + column->schema->luid_offset, sizeof(found.luid));
    memcpy(&index, row + column->schema->index_offset, sizeof(index));
    found.index = index;
    return found;
}

/* The slot of a key, or the free slot where it is to be inserted. */
static size_t *
slot_of(const texts *known, const key *own)
{
    uint64_t words[4], hash = 0;
    memcpy(words, own, sizeof(words));
    for (size_t i = 0; i < 4; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    size_t at = (size_t)hash & (known->slot_count - 1);
    while (known->slots[at] != 0 && memcmp(&known->keys[known->slots[at] - 1],
                                           own, sizeof(*own)) != 0) {
        at = (at + 1) & (known->slot_count - 1);
    }
    return &known->slots[at];
}

/* Makes room for one more key, with half of the slots free. False on
 * allocation failure. */
static bool
make_room(texts *known)
{
    if (2 * (known->count + 1) <= known->slot_count) {
        return true;
    }
    size_t room = known->slot_count == 0 ? 16 : known->slot_count;
    size_t *slots = calloc(2 * room, sizeof(*slots));
    key *keys = realloc(known->keys, room * sizeof(*keys));
    known->keys = keys != NULL ? keys : known->keys;
    PyObject **utf8 = realloc(known->utf8, room * sizeof(PyObject *));
    known->utf8 = utf8 != NULL ? utf8 : known->utf8;
    if (slots == NULL || keys == NULL || utf8 == NULL) {
        free(slots);
        return false;
    }
    free(known->slots);
    known->slots = slots;
    known->slot_count = 2 * room;
    for (size_t i = 0; i < known->count; i++) {
        *slot_of(known, &known->keys[i]) = i + 1;
    }
    return true;
}

/* The value of the attribute in UTF-8; *ret_utf8 is NULL for None. On Linux a
 * name consists of bytes. Bytes that are not UTF-8 become lone surrogates in
 * Python, which Arrow does not allow; so they are written out as in JSON. */
static bool
utf8_of(nio_state *state, const nio_column *column, const uint8_t *row,
        PyObject **ret_utf8)
{
    PyObject *utf8 = NULL;
    PyObject *value = nio_field_plain(state, column->schema, column->field,
                                      row, NIO_ROW_WHOLE);
    if (value != NULL && PyList_Check(value)) {
        PyObject *blank = PyUnicode_FromString(" ");
        nio_replace(&value,
                    blank == NULL ? NULL : PyUnicode_Join(blank, value));
        Py_XDECREF(blank);
    }
    if (value == NULL) {
        return false;
    }
    if (value != Py_None) {
        utf8 = PyUnicode_AsEncodedString(value, "utf-8", "backslashreplace");
    }
    bool good = utf8 != NULL || value == Py_None;
    Py_DECREF(value);
    if (good) {
        *ret_utf8 = utf8;
    }
    return good;
}

/* The index of the row's text in `known`; -1 with an exception. */
static Py_ssize_t
index_of(texts *known, nio_state *state, const nio_column *column,
         const uint8_t *row, size_t last)
{
    key own = key_of(column, row);
    if (last < known->count &&
        memcmp(&known->keys[last], &own, sizeof(own)) == 0) {
        return (Py_ssize_t)last;
    }
    if (!make_room(known)) {
        PyErr_NoMemory();
        return -1;
    }
    size_t *slot = slot_of(known, &own);
    if (*slot == 0) {
        PyObject *utf8;
        if (!utf8_of(state, column, row, &utf8)) {
            return -1;
        }
        known->keys[known->count] = own;
        known->utf8[known->count] = utf8;
        *slot = ++known->count;
    }
    return (Py_ssize_t)(*slot - 1);
}

/* Replaces the indices in `offsets` by offsets, and writes the text. */
static void
write_texts(const texts *known, size_t count, uint8_t *valid, int32_t *offsets,
            char *text)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        PyObject *utf8 = known->utf8[offsets[i + 1]];
        if (utf8 != NULL) {
            size_t length = (size_t)PyBytes_Size(utf8);
            memcpy(text + used, PyBytes_AsString(utf8), length);
            used += length;
            nio_bit_set(valid, i);
        }
        offsets[i + 1] = (int32_t)used;
    }
}

Py_ssize_t
nio_text_fill(nio_state *state, const nio_column *column, const uint8_t *rows,
              size_t count, uint8_t *valid, int32_t *offsets, char **ret_text)
{
    texts known = {NULL, NULL, 0, NULL, 0};
    Py_ssize_t result = -1, not_null = 0, index = 0;
    size_t total = 0;
    char *text = NULL;
    /* `offsets` first holds the index of each row's text, since the total
     * length is known only at the end. */
    for (size_t i = 0; i < count; i++) {
        index = index_of(&known, state, column,
                         rows + i * column->schema->row_size, (size_t)index);
        if (index < 0) {
            goto done;
        }
        offsets[i + 1] = (int32_t)index;
        if (known.utf8[index] != NULL) {
            total += (size_t)PyBytes_Size(known.utf8[index]);
            not_null++;
        }
        if (total > INT32_MAX || index == INT32_MAX) {
            PyErr_SetString(PyExc_OverflowError,
                            "the texts of these rows exceed the 2 GiB of "
                            "one Arrow column: export a slice");
            goto done;
        }
    }
    text = malloc(total + 1); /* an empty text has a buffer, too */
    if (text == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    write_texts(&known, count, valid, offsets, text);
    *ret_text = text;
    result = not_null;
done:
    texts_free(&known);
    return result;
}
