/* SPDX-License-Identifier: MIT */
/* ArrowArrayStream: a stream of one array. The array exists before the stream
 * does, so that the thread of the consumer needs no Python. */
#include "binding/arrow/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct stream {
    nio_schema_template *template; /* a reference */
    struct ArrowArray array;       /* marked released after get_next */
    const char *error;             /* of the last call; NULL: no error */
} stream;

static int
get_schema(struct ArrowArrayStream *self, struct ArrowSchema *ret_schema)
{
    stream *own = self->private_data;
    if (!nio_schema_template_schema(own->template, ret_schema)) {
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
    *ret_array = own->array; /* at the end: marked released */
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
    nio_schema_template_drop(own->template);
    free(own);
    self->release = NULL;
}

bool
nio_stream_new(nio_schema_template *template, struct ArrowArray *array,
               struct ArrowArrayStream *ret_stream)
{
    stream *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return false;
    }
    own->template = template;
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
