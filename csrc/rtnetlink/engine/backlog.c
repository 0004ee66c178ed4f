/* SPDX-License-Identifier: MIT */
/* Datagrams that wait for the end of a reconcile: see backlog.h. */
#include "rtnetlink/engine/backlog.h"

#include <stdlib.h>
#include <string.h>

#define BOUND (256u * 1024u * 1024u)
#define FIRST_CAPACITY (64u * 1024u)

typedef struct entry {
    uint64_t time_ns;
    uint64_t length; /* of the bytes that follow, padded to 8 */
} entry;

static bool
grow(nio_backlog *backlog, size_t size)
{
    size_t capacity =
        backlog->capacity == 0 ? FIRST_CAPACITY : backlog->capacity;
    while (capacity < size) {
        capacity *= 2;
    }
    uint8_t *bytes =
        capacity > BOUND ? NULL : realloc(backlog->bytes, capacity);
    if (bytes == NULL) {
        return false;
    }
    backlog->bytes = bytes;
    backlog->capacity = capacity;
    return true;
}

bool
nio_backlog_add(nio_backlog *backlog, nio_bytes datagram, uint64_t time_ns)
{
    entry head = {time_ns, datagram.left};
    size_t size = sizeof(head) + ((datagram.left + 7u) & ~(size_t)7u);
    if (backlog->size + size > backlog->capacity &&
        !grow(backlog, backlog->size + size)) {
        return false;
    }
    memcpy(backlog->bytes + backlog->size, &head, sizeof(head));
    memcpy(backlog->bytes + backlog->size + sizeof(head), datagram.at,
           datagram.left);
    backlog->size += size;
    return true;
}

bool
nio_backlog_next(nio_backlog *backlog, nio_bytes *ret_datagram,
                 uint64_t *ret_time_ns)
{
    entry head;
    if (backlog->cursor == backlog->size) {
        return false;
    }
    memcpy(&head, backlog->bytes + backlog->cursor, sizeof(head));
    ret_datagram->at = backlog->bytes + backlog->cursor + sizeof(head);
    ret_datagram->left = (size_t)head.length;
    *ret_time_ns = head.time_ns;
    backlog->cursor +=
        sizeof(head) + (((size_t)head.length + 7u) & ~(size_t)7u);
    return true;
}

void
nio_backlog_rewind(nio_backlog *backlog)
{
    backlog->cursor = 0;
}

void
nio_backlog_clear(nio_backlog *backlog)
{
    free(backlog->bytes);
    memset(backlog, 0, sizeof(*backlog));
}
