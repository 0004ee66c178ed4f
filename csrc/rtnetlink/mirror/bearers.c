/* SPDX-License-Identifier: MIT */
/* The bearers of names in filters: see bearers.h. */
#include "rtnetlink/mirror/bearers.h"

#include "rtnetlink/decode/names.h"

/* No name of the filter is that of this link any more. */
static void
forget(nio_filter *filter, NET_IFINDEX index)
{
    for (size_t i = 0; i < filter->name_count; i++) {
        if (filter->bearers[i] == index) {
            filter->bearers[i] = 0;
        }
    }
}

/* Does the filter accept the link by its index or one of its names? */
static bool
will_accept(const nio_filter *filter, const nio_link *link)
{
    const WCHAR *name = NULL;
    for (size_t i = 0; i < filter->interface_count; i++) {
        if (filter->interfaces[i] == link->index) {
            return true;
        }
    }
    while ((name = nio_filter_next_name(filter, name)) != NULL) {
        if (nio_link_has_name(link, name)) {
            return true;
        }
    }
    return false;
}

/* Takes a name from the link that has had it. */
static bool
end_bearer(nio_mirror *mirror, nio_subscriber *to, size_t i)
{
    NET_IFINDEX *bearers = to->filter->bearers;
    const NET_IFINDEX index = bearers[i];
    bearers[i] = 0;
    if (!nio_filter_accepts_interface(to->filter, index)) {
        bearers[i] = index;
        if (!nio_mirror_put_rows_of(mirror, to, index, NIO_CHANGE_DELETE)) {
            return false;
        }
        bearers[i] = 0;
    }
    return true;
}

static bool
end_bearers_of(nio_mirror *mirror, nio_subscriber *to, const nio_link *after)
{
    nio_filter *filter = to->filter;
    const bool accepted = nio_filter_accepts_interface(filter, after->index);
    const bool stays = accepted && will_accept(filter, after);
    const WCHAR *name = NULL;
    if (accepted && !stays &&
        !nio_mirror_put_rows_of(mirror, to, after->index, NIO_CHANGE_DELETE)) {
        return false;
    }
    for (size_t i = 0; (name = nio_filter_next_name(filter, name)) != NULL;
         i++) {
        const bool has = nio_link_has_name(after, name);
        if (has && filter->bearers[i] != 0 &&
            filter->bearers[i] != after->index && !end_bearer(mirror, to, i)) {
            return false;
        }
        if (has && stays) {
            filter->bearers[i] = after->index;
        } else if (!has && filter->bearers[i] == after->index) {
            filter->bearers[i] = 0;
        }
    }
    return true;
}

bool
nio_end_bearers(nio_mirror *mirror, const nio_link *after)
{
    nio_subscriber *s = mirror->fanout.subscribers;
    for (; mirror->fanout.has_names && s != NULL; s = s->next) {
        if (s->filter->names != NULL && !end_bearers_of(mirror, s, after)) {
            mirror->allocation_failed = true;
            return false;
        }
    }
    return nio_mirror_reserve(mirror);
}

/* True: the link has a name that it did not have before. */
static bool
set_bearers(nio_filter *filter, const nio_link *link)
{
    const WCHAR *name = NULL;
    bool is_new = false;
    for (size_t i = 0; (name = nio_filter_next_name(filter, name)) != NULL;
         i++) {
        if (filter->bearers[i] != link->index &&
            nio_link_has_name(link, name)) {
            filter->bearers[i] = link->index;
            is_new = true;
        }
    }
    return is_new;
}

void
nio_begin_bearers(nio_mirror *mirror, const nio_link *link)
{
    nio_subscriber *s = mirror->fanout.subscribers;
    for (; mirror->fanout.has_names && s != NULL; s = s->next) {
        bool accepted = nio_filter_accepts_interface(s->filter, link->index);
        if (s->filter->names != NULL && set_bearers(s->filter, link) &&
            !accepted &&
            !nio_mirror_put_rows_of(mirror, s, link->index, NIO_CHANGE_ADD)) {
            /* The rows come when the link is read again. */
            forget(s->filter, link->index);
            mirror->allocation_failed = true;
        }
    }
}

void
nio_forget_bearer(nio_mirror *mirror, uint32_t index)
{
    nio_subscriber *s = mirror->fanout.subscribers;
    for (; mirror->fanout.has_names && s != NULL; s = s->next) {
        forget(s->filter, index);
    }
}

void
nio_find_bearers(nio_mirror *mirror, nio_subscriber *subscriber)
{
    uint32_t cursor = 0;
    nio_link *link;
    while (subscriber->filter->names != NULL &&
           (link = nio_store_each(&mirror->links, &cursor)) != NULL) {
        (void)set_bearers(subscriber->filter, link);
    }
}
