/* SPDX-License-Identifier: MIT */
/* Reads a corpus as corpus.py writes it, and gives each input to a function,
 * in an allocation of exactly its size. */
#pragma once

#include "check.h"

#include <stdint.h>
#include <string.h>

static inline size_t
replay(const char *path, int (*take)(const uint8_t *bytes, size_t size))
{
    FILE *file = fopen(path, "rb");
    uint8_t head[8];
    size_t count = 0;
    CHECK(file != NULL);
    CHECK_EQUAL(fread(head, 1, sizeof(head), file), sizeof(head));
    CHECK(memcmp(head, "fuzz in\n", sizeof(head)) == 0);
    while (fread(head, 1, 4, file) == 4) {
        size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
        uint8_t *bytes = malloc(size + (size == 0));
        CHECK(bytes != NULL);
        CHECK_EQUAL(fread(bytes, 1, size, file), size);
        CHECK_EQUAL(take(bytes, size), 0);
        free(bytes);
        count++;
    }
    CHECK_EQUAL(fclose(file), 0);
    return count;
}
