/* SPDX-License-Identifier: MIT */
/* Conversion and comparison of names: see names.h. */
#include "rtnetlink/decode/names.h"

#include <string.h>

/* One character of `bytes`; its length in *ret_length. */
static WCHAR
decode_one(const uint8_t *bytes, size_t *ret_length)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes[0];
    size_t length = first < 0x80    ? 1
                    : first >= 0xf0 ? 4
                    : first >= 0xe0 ? 3
                    : first >= 0xc0 ? 2
                                    : 0;
    uint32_t value = length == 1 ? first : first & (0x7fu >> length);
    bool sound = length > 0 && first < 0xf8;
    for (size_t i = 1; sound && i < length; i++) {
        sound = (bytes[i] & 0xc0) == 0x80; /* a 0 at the end fails here */
        value = (value << 6) | (bytes[i] & 0x3fu);
    }
    if (!sound || value < smallest[length] || value > 0x10ffff ||
        (value >= 0xd800 && value < 0xe000)) {
        *ret_length = 1;
        return (WCHAR)(0xdc00u + first);
    }
    *ret_length = length;
    return (WCHAR)value;
}

static size_t
encode_one(uint32_t value, uint8_t bytes[4])
{
    if (value < 0x80) {
        bytes[0] = (uint8_t)value;
        return 1;
    }
    if (value >= 0xdc80 && value <= 0xdcff) {
        bytes[0] = (uint8_t)(value - 0xdc00);
        return 1;
    }
    size_t length = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80u | (value & 0x3fu));
        value >>= 6;
    }
    bytes[0] = (uint8_t)((0xf00u >> length) | value);
    return length;
}

bool
nio_name_to_text(const char *name, WCHAR *text, size_t length)
{
    const uint8_t *at = (const uint8_t *)name;
    size_t used = 0;
    while (*at != 0) {
        size_t step;
        if (used + 1 >= length) {
            return false;
        }
        text[used++] = decode_one(at, &step);
        at += step;
    }
    if (used >= length) {
        return false;
    }
    text[used] = 0;
    return true;
}

bool
nio_name_from_text(const WCHAR *text, char ret_name[NIO_NAME_SIZE])
{
    size_t used = 0;
    for (; *text != 0; text++) {
        uint8_t bytes[4];
        if (*text < 0 || *text > 0x10ffff) {
            return false;
        }
        size_t size = encode_one((uint32_t)*text, bytes);
        if (size >= NIO_NAME_SIZE - used) {
            return false;
        }
        memcpy(ret_name + used, bytes, size);
        used += size;
    }
    ret_name[used] = 0;
    return used > 0;
}

/* Is the text that of these bytes? */
static bool
is_name(const char *name, const WCHAR *text)
{
    const uint8_t *at = (const uint8_t *)name;
    while (*at != 0 && *text != 0) {
        size_t step;
        if (decode_one(at, &step) != *text) {
            return false;
        }
        at += step;
        text++;
    }
    return *at == 0 && *text == 0;
}

bool
nio_link_has_name(const nio_link *link, const WCHAR *text)
{
    size_t size = 0;
    const char *names = (const char *)nio_extra_find(
        link->extra, NIO_EXTRA_ALTERNATIVES, &size);
    bool has = !link->is_gone && is_name(link->name, text);
    for (size_t at = 0; !link->is_gone && !has && names != NULL && at < size;
         at += strlen(names + at) + 1) {
        has = is_name(names + at, text);
    }
    return has;
}
