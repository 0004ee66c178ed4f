/* SPDX-License-Identifier: MIT */
/* SipHash-1-3, a keyed hash, for tables whose keys an attacker may choose:
 * inputs that collide cannot be chosen without the hash key. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct nio_hash_key {
    uint64_t words[2];
} nio_hash_key;

static inline uint64_t
nio_rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void
nio_sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = nio_rotate(v[1], 13) ^ v[0];
    v[3] = nio_rotate(v[3], 16) ^ v[2];
    v[0] = nio_rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[1] = nio_rotate(v[1], 17) ^ v[2];
    v[3] = nio_rotate(v[3], 21) ^ v[0];
    v[2] = nio_rotate(v[2], 32);
}

static inline void
nio_sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    nio_sip_round(v);
    v[0] ^= word;
}

static inline uint64_t
nio_siphash(const nio_hash_key *key, const uint8_t *bytes, size_t length)
{
    uint64_t v[4] = {
        key->words[0] ^ 0x736f6d6570736575u,
        key->words[1] ^ 0x646f72616e646f6du,
        key->words[0] ^ 0x6c7967656e657261u,
        key->words[1] ^ 0x7465646279746573u,
    };
    uint64_t last = 0;
    size_t at = 0;

    for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        nio_sip_word(v, word);
    }
    memcpy(&last, bytes + at, length - at);
    nio_sip_word(v, last ^ (uint64_t)length << 56);
    v[2] ^= 0xff;
    nio_sip_round(v);
    nio_sip_round(v);
    nio_sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
