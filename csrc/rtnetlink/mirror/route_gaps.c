/* SPDX-License-Identifier: MIT */
/* Places and gaps: see route_gaps.h. */
#include "rtnetlink/mirror/route_gaps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- places */

bool
nio_has_source_prefix(const nio_route *route)
{
    size_t size;
    return nio_extra_find(route->extra, NIO_EXTRA_SOURCE_PREFIX, &size) !=
           NULL;
}

nio_place
nio_place_of(const nio_route *route)
{
    nio_place place = {.length = (uint8_t)~route->prefix_length};
    memcpy(place.address, route->destination, sizeof(place.address));
    if (route->family == AF_INET) {
        place.metric = route->priority;
        place.tos = (uint8_t)~route->tos;
        return place;
    }
    /* Post-order: the routes that a prefix covers come before it. */
    for (size_t bit = route->prefix_length; bit < 128; bit++) {
        place.address[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
    }
    return place;
}

int
nio_place_compare(const nio_place *a, const nio_place *b)
{
    int order = memcmp(a->address, b->address, sizeof(a->address));
    if (order == 0) {
        order = (a->length > b->length) - (a->length < b->length);
    }
    if (order == 0) {
        order = (a->tos > b->tos) - (a->tos < b->tos);
    }
    if (order == 0) {
        order = (a->metric > b->metric) - (a->metric < b->metric);
    }
    return order != 0 ? order : (int)b->before - (int)a->before;
}

/* ---- gaps */

bool
nio_gaps_any(const nio_gaps *gaps)
{
    return gaps->everything || gaps->count > 0;
}

void
nio_gaps_done(nio_gaps *gaps)
{
    free(gaps->gaps);
    *gaps = (nio_gaps){.gaps = NULL};
}

/* The first gap that does not end before this place. */
static size_t
first_at(const nio_gaps *gaps, uint32_t table, const nio_place *place)
{
    size_t low = 0, high = gaps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const nio_gap *gap = &gaps->gaps[middle];
        if (gap->table < table ||
            (gap->table == table && nio_gap_ends_before(gap, place))) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool
nio_gaps_contain(const nio_gaps *gaps, const nio_route *route)
{
    if (gaps->everything) {
        return true;
    }
    nio_place place = nio_place_of(route);
    size_t at = first_at(gaps, route->table, &place);
    return at < gaps->count && gaps->gaps[at].table == route->table &&
           nio_place_compare(&gaps->gaps[at].from, &place) <= 0;
}

static nio_gap
overlap(const nio_gap *a, const nio_gap *b)
{
    nio_gap both = *a;
    if (nio_place_compare(&b->from, &both.from) > 0) {
        both.from = b->from;
    }
    if (both.to_end ||
        (!b->to_end && nio_place_compare(&b->to, &both.to) < 0)) {
        both.to_end = b->to_end;
        both.to = b->to;
    }
    return both;
}

void
nio_gaps_intersect(nio_gaps *gaps, const nio_gaps *others)
{
    if (others->everything) {
        return;
    }
    size_t room = others->count + (gaps->everything ? 0 : gaps->count);
    nio_gap *both = malloc((room + 1) * sizeof(*both));
    if (both == NULL) {
        return;
    }
    size_t count = 0;
    if (gaps->everything) {
        count = others->count;
        if (count > 0) {
            memcpy(both, others->gaps, count * sizeof(*both));
        }
    }
    for (size_t i = 0; !gaps->everything && i < gaps->count; i++) {
        const nio_gap *gap = &gaps->gaps[i];
        for (size_t j = first_at(others, gap->table, &gap->from);
             j < others->count && others->gaps[j].table == gap->table; j++) {
            const nio_gap *other = &others->gaps[j];
            if (nio_gap_ends_before(gap, &other->from)) {
                break;
            }
            both[count++] = overlap(gap, other);
        }
    }
    free(gaps->gaps);
    *gaps = (nio_gaps){.gaps = both, .count = count};
}
