/* SPDX-License-Identifier: MIT */
/* The equality of native rows, as == and hash() of their row objects have it.
 * Pure. */
#pragma once

#include "binding/rows/fields.h"

/* Writes the bytes that == and hash() compare, and returns how many. Items
 * are not among them. */
#define NIO_EQUALITY_SIZE 2048
size_t nio_row_equality_bytes(const nio_schema *schema, const void *row,
                              bool details,
                              uint8_t ret_bytes[NIO_EQUALITY_SIZE]);
/* Are all fields that are items equal? */
bool nio_items_equal(const nio_schema *schema, const void *a, const void *b);
