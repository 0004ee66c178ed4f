/* SPDX-License-Identifier: MIT */
/* ArrowArrayStream: a stream of one array, which was made before, so that the
 * consumer's thread needs nothing of Python. */
#include "binding/arrow/arrow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct stream {
    nio_schema_template *description; /* a reference */
    struct ArrowArray array;          /* released once it was given */
    const char *error;                /* of the last call; NULL: none */
} stream;

static int
get_schema(struct ArrowArrayStream *self, struct ArrowSchema *ret_schema)
{
    stream *own = self->private_data;
    if (!nio_schema_template_schema(own->description, ret_schema)) {
        own->error = "not enough memory for a schema";
        return ENOMEM;
    }
    own->error = NULL;
    return 0;
}

static int
get_next(struct ArrowArrayStream *self, struct ArrowArray *ret_array)
{
    stream *own = self->private_data;
    *ret_array = own->array; /* at the end: one that is released */
    memset(&own->array, 0, sizeof(own->array));
    own->error = NULL;
    return 0;
}

static const char *
get_last_error(struct ArrowArrayStream *self)
{
    stream *own = self->private_data;
    return own->error;
}

static void
release(struct ArrowArrayStream *self)
{
    stream *own = self->private_data;
    if (own->array.release != NULL) {
        own->array.release(&own->array);
    }
    nio_schema_template_drop(own->description);
    free(own);
    self->release = NULL;
}

bool
nio_stream_new(nio_schema_template *description, struct ArrowArray *array,
               struct ArrowArrayStream *ret_stream)
{
    stream *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return false;
    }
    own->description = description;
    own->array = *array;
    *ret_stream = (struct ArrowArrayStream){
        .get_schema = get_schema,
        .get_next = get_next,
        .get_last_error = get_last_error,
        .release = release,
        .private_data = own,
    };
    return true;
}
