/* SPDX-License-Identifier: MIT */
/* The checks of the C tests. A program that passes all its checks prints "ok"
 * and exits with 0; the first check that fails ends it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: in %s: failed: %s\n", __FILE__, __LINE__, \
                    __func__, #condition);                                    \
            abort();                                                          \
        }                                                                     \
    } while (0)

#define CHECK_EQUAL(left, right)                                              \
    do {                                                                      \
        const long long left_ = (long long)(left);                            \
        const long long right_ = (long long)(right);                          \
        if (left_ != right_) {                                                \
            fprintf(stderr, "%s:%d: in %s: %s is %lld, and %s is %lld\n",     \
                    __FILE__, __LINE__, __func__, #left, left_, #right,       \
                    right_);                                                  \
            abort();                                                          \
        }                                                                     \
    } while (0)

#define RUN(test)                                                             \
    do {                                                                      \
        printf("%s\n", #test);                                                \
        (void)fflush(stdout);                                                 \
        test;                                                                 \
    } while (0)

/* A seeded generator (splitmix64), the same on every machine. */
static inline unsigned long long
next_random(unsigned long long *state)
{
    unsigned long long mixed = *state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

static inline unsigned
random_below(unsigned long long *state, unsigned limit)
{
    return (unsigned)(next_random(state) % limit);
}
