/* SPDX-License-Identifier: MIT */
/* Converts the bytes of items: see items.h. */
#include "binding/values/items.h"

#include "binding/values/to_python.h"

#include <string.h>

PyObject *
nio_text_new(const uint8_t *bytes, size_t size)
{
    return PyUnicode_DecodeFSDefaultAndSize((const char *)bytes,
                                            (Py_ssize_t)size);
}

PyObject *
nio_texts_new(const uint8_t *bytes, size_t size)
{
    PyObject *list = PyList_New(0), *tuple = NULL;
    while (list != NULL && size > 0) {
        const uint8_t *end = memchr(bytes, 0, size);
        size_t length = end != NULL ? (size_t)(end - bytes) : size;
        PyObject *text = nio_text_new(bytes, length);
        if (text == NULL || PyList_Append(list, text) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(text);
        length += end != NULL;
        bytes += length;
        size -= length;
    }
    if (list != NULL) {
        tuple = PyList_AsTuple(list);
    }
    Py_XDECREF(list);
    return tuple;
}

PyObject *
nio_packed_prefix_new(nio_state *state, ADDRESS_FAMILY family,
                      const uint8_t *bytes, size_t size)
{
    IP_ADDRESS_PREFIX prefix;
    memset(&prefix, 0, sizeof(prefix));
    if (size != 17) {
        Py_RETURN_NONE;
    }
    prefix.Prefix.si_family = family;
    prefix.PrefixLength = bytes[16];
    if (family == AF_INET) {
        memcpy(&prefix.Prefix.Ipv4.sin_addr, bytes, 4);
    } else {
        memcpy(&prefix.Prefix.Ipv6.sin6_addr, bytes, 16);
    }
    return nio_prefix_new(state, &prefix);
}

PyObject *
nio_hardware_new(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char text[3 * 32 + 1]; /* no link-layer address is longer */
    size_t used = 0;
    for (size_t i = 0; i < size && i < 32; i++) {
        text[used++] = digits[bytes[i] >> 4];
        text[used++] = digits[bytes[i] & 15];
        text[used++] = ':';
    }
    return PyUnicode_FromStringAndSize(text,
                                       used > 0 ? (Py_ssize_t)used - 1 : 0);
}

PyObject *
nio_u32_new(const uint8_t *bytes, size_t size)
{
    uint32_t number;
    if (size != sizeof(number)) {
        Py_RETURN_NONE;
    }
    memcpy(&number, bytes, sizeof(number));
    return PyLong_FromUnsignedLong(number);
}
