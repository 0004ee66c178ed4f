/* SPDX-License-Identifier: MIT */
/* ArrowArrayStream: a stream of one array. It uses nothing of Python. */
#pragma once

#include "binding/arrow/schema.h"

/* Takes ownership of the array and of one reference to the template. False on
 * allocation failure; then it has taken neither. */
bool nio_stream_new(nio_schema_template *template, struct ArrowArray *array,
                    struct ArrowArrayStream *ret_stream);
