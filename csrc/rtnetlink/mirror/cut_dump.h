/* SPDX-License-Identifier: MIT */
/* Dumps that the kernel cuts short. A part of a dump has at most 32 KB; at a
 * route of more legs (some 1,150 of IPv6, 2,000 of IPv4) the dump ends, and
 * reports success. What it lacks from there on may exist. */
#pragma once

#include "rtnetlink/mirror/mirror.h"

/* Where a dump was cut. */
typedef struct nio_cut {
    bool found;
    uint32_t table;
    nio_place place;
} nio_cut;

/* The first route that fits into no part, and that the dump lacks. */
nio_cut nio_find_cut(const nio_mirror *mirror, uint8_t family);
/* May the dump lack this route because it was cut? */
bool nio_is_behind_cut(const nio_cut *cut, const nio_route *route);
