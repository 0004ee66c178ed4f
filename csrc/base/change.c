/* SPDX-License-Identifier: MIT */
/* How two changes of the same key, or two marks, become one. */
#include "base/change.h"

void
nio_change_merge(nio_change *change, const nio_change *later)
{
    static const uint8_t types[2][2] = {
        {NIO_CHANGE_PARAMETER, NIO_CHANGE_DELETE}, /* the key is known */
        {NIO_CHANGE_ADD, NIO_CHANGE_NOTHING},      /* it is unknown */
    };
    const uint8_t snapshot = change->flags & NIO_FLAG_SNAPSHOT;

    change->time_ns = later->time_ns;
    change->has_extra = later->has_extra;
    change->type = later->type;
    change->flags = later->flags;
    change->type = types[change->first_type == NIO_CHANGE_ADD]
                        [later->type == NIO_CHANGE_DELETE];
    if (later->type != NIO_CHANGE_DELETE) {
        change->flags = (uint8_t)(change->flags | snapshot);
    }
}

bool
nio_mark_merge(nio_change *last, const nio_change *before,
               const nio_change *mark, bool full)
{
    if (last == NULL || !nio_change_is_mark(last)) {
        return false;
    }
    if (last->flags == mark->flags) {
        return true;
    }
    if (!full || (mark->flags != NIO_FLAG_OVERFLOW &&
                  (last->flags != NIO_FLAG_OVERFLOW || before == NULL ||
                   !nio_change_is_mark(before) ||
                   before->flags != NIO_FLAG_OVERFLOW))) {
        return false;
    }
    last->flags = mark->flags;
    last->time_ns = mark->time_ns;
    return true;
}
