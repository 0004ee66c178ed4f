/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: their one entry, and an input that is several
 * pieces. tests/fuzz/README.md says how they are run. */
#pragma once

#include "check.h"

#include "rtnetlink/socket/message.h"

/* libFuzzer calls it, or replay.c does. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A piece of an input, in a block of its own: what reads past its end is
 * seen. */
typedef struct piece {
    uint8_t *bytes; /* owned */
    size_t size;
    uint8_t how; /* what the target does with it */
} piece;

static inline nio_bytes
piece_span(const piece *taken)
{
    nio_bytes span = {taken->bytes, taken->size};
    return span;
}

/* | size, low byte first | how | a byte that is skipped | bytes | ... A size
 * of more than there is means all that there is. */
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
