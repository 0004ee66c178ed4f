/* SPDX-License-Identifier: MIT */
/* The schema of a kind of rows: the names of its columns and their metadata.
 * A template is made once, with the GIL; every ArrowSchema made of it, without
 * the GIL, keeps a reference to it. */
#pragma once

#include "binding/arrow/layout.h"

/* Immutable, and reference-counted. */
typedef struct nio_schema_template nio_schema_template;

/* Returns one reference. With the GIL; NULL with an exception. */
nio_schema_template *nio_schema_template_new(nio_state *state, nio_kind kind);

/* ---- any thread, without the GIL */
/* Accepts NULL. */
void nio_schema_template_drop(nio_schema_template *template);
const nio_schema *
nio_schema_template_rows(const nio_schema_template *template);
/* Borrowed from the template. */
const nio_column *
nio_schema_template_columns(const nio_schema_template *template,
                            size_t *ret_count);
/* True when the requested schema has the same columns, of whatever types. */
bool nio_schema_template_fits(const nio_schema_template *template,
                              const struct ArrowSchema *requested);
/* False on allocation failure; then *ret_schema is as it was. */
bool nio_schema_template_schema(nio_schema_template *template,
                                struct ArrowSchema *ret_schema);
