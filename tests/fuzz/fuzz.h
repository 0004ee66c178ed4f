/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: the entry point, and the split of an input into
 * pieces. tests/fuzz/README.md explains how they are run. */
#pragma once

#include "check.h"

#include "rtnetlink/socket/message.h"

/* Called by libFuzzer, or by replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A piece of an input, in an allocation of its own, so that a sanitizer finds
 * every read beyond its end. */
typedef struct piece {
    uint8_t *bytes; /* owned */
    size_t size;
    uint8_t how; /* what the target does with the piece */
} piece;

static inline nio_bytes
piece_bytes(const piece *taken)
{
    return (nio_bytes){taken->bytes, taken->size};
}

/* Take the next piece. An input is | size, low byte first | how | an unused
 * byte | bytes | ...; a size beyond the end of the input means the rest of it.
 */
static inline bool
piece_next(nio_bytes *input, piece *ret)
{
    if (input->left < 4) {
        return false;
    }
    size_t size = input->at[0] + ((size_t)input->at[1] << 8);
    ret->how = input->at[2];
    input->at += 4;
    input->left -= 4;
    ret->size = size < input->left ? size : input->left;
    ret->bytes = malloc(ret->size + (ret->size == 0));
    CHECK(ret->bytes != NULL);
    memcpy(ret->bytes, input->at, ret->size);
    input->at += ret->size;
    input->left -= ret->size;
    return true;
}
