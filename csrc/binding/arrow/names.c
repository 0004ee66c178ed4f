/* SPDX-License-Identifier: MIT */
/* Columns of text: names of interfaces, which the system is asked for, once
 * for each interface and not for each row. With the GIL. */
#include "binding/arrow/arrow.h"

#include <stdlib.h>
#include <string.h>

/* All that a name depends on; no more of it is set than that. */
typedef struct key {
    uint8_t stored[16];
    uint64_t luid;
    uint64_t index; /* as wide as it is for want of padding */
} key;

/* The texts that the rows have, each once, found by their keys. */
typedef struct texts {
    key *keys;
    PyObject **utf8; /* bytes; NULL: none */
    size_t count;
    size_t *slots; /* a power of two; 1 + place in `keys`, or 0 */
    size_t slot_count;
} texts;

static void
done(texts *known)
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
    size_t offset = column->field->offset;
    if (offset != NIO_ABSENT && row[offset] != 0) {
        memcpy(found.stored, row + offset, sizeof(found.stored));
        return found;
    }
    memcpy(&found.luid, row + column->schema->luid_offset, sizeof(found.luid));
    memcpy(&index, row + column->schema->index_offset, sizeof(index));
    found.index = index;
    return found;
}

/* The slot of a key: its own, or the free one where it belongs. */
static size_t *
slot_of(const texts *known, const key *wanted)
{
    uint64_t words[4], hash = 0;
    memcpy(words, wanted, sizeof(words));
    for (size_t i = 0; i < 4; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    size_t at = (size_t)hash & (known->slot_count - 1);
    while (known->slots[at] != 0 && memcmp(&known->keys[known->slots[at] - 1],
                                           wanted, sizeof(*wanted)) != 0) {
        at = (at + 1) & (known->slot_count - 1);
    }
    return &known->slots[at];
}

/* Room for one more, with half of the slots free. False: no memory. */
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

/* What the attribute says, in UTF-8; *ret_utf8 is NULL for none. A name on
 * Linux is bytes: one that is not UTF-8 reads as lone surrogates, which Arrow
 * does not take, so they are written out, as JSON does it. */
static bool
ask(nio_state *state, const nio_column *column, const uint8_t *row,
    PyObject **ret_utf8)
{
    PyObject *utf8 = NULL;
    PyObject *value =
        nio_field_value(state, column->schema, column->field, row, true);
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

/* The place of the row's text in `known`; -1 with an exception. */
static Py_ssize_t
place_of(texts *known, nio_state *state, const nio_column *column,
         const uint8_t *row, size_t last)
{
    key wanted = key_of(column, row);
    if (last < known->count &&
        memcmp(&known->keys[last], &wanted, sizeof(wanted)) == 0) {
        return (Py_ssize_t)last;
    }
    if (!make_room(known)) {
        PyErr_NoMemory();
        return -1;
    }
    size_t *slot = slot_of(known, &wanted);
    if (*slot == 0) {
        PyObject *utf8;
        if (!ask(state, column, row, &utf8)) {
            return -1;
        }
        known->keys[known->count] = wanted;
        known->utf8[known->count] = utf8;
        *slot = ++known->count;
    }
    return (Py_ssize_t)(*slot - 1);
}

/* Places become offsets and text. */
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
    Py_ssize_t there = -1, found = 0, place = 0;
    size_t total = 0;
    char *text = NULL;
    /* An offset first holds the place of its row's text: how long all of them
     * are is known at the end only. */
    for (size_t i = 0; i < count; i++) {
        place = place_of(&known, state, column,
                         rows + i * column->schema->row_size, (size_t)place);
        if (place < 0) {
            goto done;
        }
        offsets[i + 1] = (int32_t)place;
        if (known.utf8[place] != NULL) {
            total += (size_t)PyBytes_Size(known.utf8[place]);
            found++;
        }
        if (total > INT32_MAX || place == INT32_MAX) {
            PyErr_SetString(PyExc_OverflowError,
                            "the interface names of so many rows do not fit "
                            "in one column of Arrow: export a slice");
            goto done;
        }
    }
    text = malloc(total + 1); /* even of nothing there is a buffer */
    if (text == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    write_texts(&known, count, valid, offsets, text);
    *ret_text = text;
    there = found;
done:
    done(&known);
    return there;
}
