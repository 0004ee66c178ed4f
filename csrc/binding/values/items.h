/* SPDX-License-Identifier: MIT */
/* From the bytes of items (base/extra.h) to Python values. Pickled rows may
 * hold any bytes, so that each length is checked: None for bytes that are no
 * such value. New references. With the GIL. */
#pragma once

#include "binding/state.h"
#include "contract/netio.h"

PyObject *nio_text_new(const uint8_t *bytes, size_t size);
/* A tuple of texts, which have a NUL each. */
PyObject *nio_texts_new(const uint8_t *bytes, size_t size);
/* A prefix of this family: an address of 16 bytes, then the length. */
PyObject *nio_packed_prefix_new(nio_state *state, ADDRESS_FAMILY family,
                                const uint8_t *bytes, size_t size);
/* "02:00:00:00:00:01" */
PyObject *nio_hardware_new(const uint8_t *bytes, size_t size);
PyObject *nio_u32_new(const uint8_t *bytes, size_t size);
