/* SPDX-License-Identifier: MIT */
/* One dump of routes while it is read, and its open gaps: see route_dump.h. */
#include "rtnetlink/mirror/route_dump.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void
nio_route_dump_begin(nio_route_dump *dump, uint8_t family)
{
    *dump = (nio_route_dump){.family = family};
}

/* Make room for one more element of `size` bytes. False on allocation failure:
 * the dump then proves nothing. */
static bool
grow(nio_route_dump *dump, void **array, size_t count, size_t *capacity,
     size_t size)
{
    if (count < *capacity) {
        return true;
    }
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *more = realloc(*array, wanted * size);
    if (more == NULL) {
        dump->inconclusive = true;
        return false;
    }
    *array = more;
    *capacity = wanted;
    return true;
}

void
nio_route_dump_bytes(nio_route_dump *dump, size_t size)
{
    dump->part_bytes += size;
    if (size > dump->max_row_bytes) {
        dump->max_row_bytes = size;
    }
    if (dump->part_bytes > dump->max_part_bytes) {
        dump->max_part_bytes = dump->part_bytes;
    }
}

void
nio_route_dump_row(nio_route_dump *dump, const nio_route *route)
{
    const nio_place place = nio_place_of(route);
    if (dump->run_count > 0) {
        nio_dump_run *run = &dump->runs[dump->run_count - 1];
        if (run->part == dump->part && run->table == route->table) {
            dump->inconclusive |= nio_place_compare(&place, &run->last) < 0;
            run->last = place;
            return;
        }
    }
    void *runs = dump->runs;
    if (grow(dump, &runs, dump->run_count, &dump->run_capacity,
             sizeof(*dump->runs))) {
        dump->runs = runs;
        dump->runs[dump->run_count++] = (nio_dump_run){.first = place,
                                                       .last = place,
                                                       .table = route->table,
                                                       .part = dump->part};
    }
}

void
nio_route_dump_message(nio_route_dump *dump, bool deletes,
                       const nio_route *route)
{
    void *deletions = dump->deletions;
    dump->raced = true;
    if (!deletes) {
        return;
    }
    if (route == NULL) {
        dump->inconclusive = true;
        return;
    }
    if (grow(dump, &deletions, dump->deletion_count, &dump->deletion_capacity,
             sizeof(*dump->deletions))) {
        dump->deletions = deletions;
        dump->deletions[dump->deletion_count++] =
            (nio_dump_deletion){.place = nio_place_of(route),
                                .table = route->table,
                                .part = dump->part};
    }
}

void
nio_route_dump_deafen(nio_route_dump *dump)
{
    dump->raced = true;
    dump->is_deaf = true;
}

void
nio_route_dump_silence(nio_route_dump *dump)
{
    dump->inconclusive = true;
}

void
nio_route_dump_end_part(nio_route_dump *dump)
{
    dump->part++;
    dump->last_bytes = dump->part_bytes;
    dump->part_bytes = 0;
}

/* What a walk over the gaps, in their order, knows of the deletions. */
typedef struct deletion_walk {
    size_t next; /* IPv6: the first that is not in `least` yet; IPv4: the first
                  * that may matter to this gap and later ones */
    uint32_t table;
    bool any;
    nio_place least; /* IPv6: of all deletions in the table until now */
} deletion_walk;

/* The kernel fills a part while the one before it is received: so the messages
 * of a change between two parts are received by one part later. */
static bool
is_open_ipv6(const nio_route_dump *dump, const nio_gap *gap, unsigned part,
             deletion_walk *walk)
{
    if (walk->table != gap->table) {
        *walk = (deletion_walk){.table = gap->table};
    }
    for (; walk->next < dump->deletion_count; walk->next++) {
        const nio_dump_deletion *deletion = &dump->deletions[walk->next];
        if (deletion->part > part + 1) {
            break;
        }
        if (deletion->table == gap->table &&
            (!walk->any ||
             nio_place_compare(&deletion->place, &walk->least) < 0)) {
            walk->least = deletion->place;
            walk->any = true;
        }
    }
    return walk->any &&
           (gap->to_end || nio_place_compare(&walk->least, &gap->to) < 0);
}

/* The kernel removes an IPv4 route just after the message is sent. If it is
 * preempted there, parts may be filled in between: so many are allowed for. */
#define PARTS_OF_A_PREEMPTION 16u

static bool
is_open_ipv4(const nio_route_dump *dump, const nio_gap *gap, unsigned part,
             deletion_walk *walk)
{
    while (walk->next < dump->deletion_count &&
           dump->deletions[walk->next].part + PARTS_OF_A_PREEMPTION < part) {
        walk->next++;
    }
    for (size_t i = walk->next; i < dump->deletion_count; i++) {
        const nio_dump_deletion *deletion = &dump->deletions[i];
        const uint8_t *address = deletion->place.address;
        if (deletion->part > part + 1) {
            break;
        }
        const int from = memcmp(address, gap->from.address, 16);
        if (from == 0 ||
            (deletion->table != gap->table && from > 0 &&
             (gap->to_end || memcmp(address, gap->to.address, 16) <= 0))) {
            return true;
        }
    }
    return false;
}

/* Could the walk skip routes in this gap, which follows `part`? */
static bool
is_open(const nio_route_dump *dump, const nio_gap *gap, unsigned part,
        deletion_walk *walk)
{
    if (dump->is_deaf) {
        return true;
    }
    return dump->family == AF_INET ? is_open_ipv4(dump, gap, part, walk)
                                   : is_open_ipv6(dump, gap, part, walk);
}

static int
by_table_and_place(const void *left, const void *right)
{
    const nio_gap *a = left, *b = right;
    if (a->table != b->table) {
        return a->table < b->table ? -1 : 1;
    }
    return nio_place_compare(&a->from, &b->from);
}

/* Had the last part room for the largest row that was given, and for one of
 * some 140 legs? Then the walk is taken to have ended in it: only a row that
 * is larger still could have stopped it. */
#define LARGE_ROW_BYTES 4096u
static bool
ended_in_last_part(const nio_route_dump *dump)
{
    size_t bytes = dump->part_bytes > 0 ? dump->part_bytes : dump->last_bytes;
    size_t row = dump->max_row_bytes < LARGE_ROW_BYTES ? LARGE_ROW_BYTES
                                                       : dump->max_row_bytes;
    return bytes + row <= dump->max_part_bytes;
}

/* The gap after a run. False if there is none: the table ended within the
 * part, or the walk started again and gives rows twice. */
static bool
gap_after(const nio_route_dump *dump, size_t at, nio_gap *ret_gap)
{
    const nio_dump_run *run = &dump->runs[at];
    const nio_dump_run *next =
        at + 1 < dump->run_count ? &dump->runs[at + 1] : NULL;
    if (next != NULL ? next->part == run->part : ended_in_last_part(dump)) {
        return false;
    }
    *ret_gap = (nio_gap){.from = run->last, .table = run->table};
    ret_gap->to_end = next == NULL || next->table != run->table;
    if (ret_gap->to_end) {
        return true;
    }
    const int order = nio_place_compare(&next->first, &run->last);
    ret_gap->to = next->first;
    if (dump->family == AF_INET6 && order > 0) {
        ret_gap->to.before = true;
    }
    return order >= 0;
}

/* Gaps of one table may overlap where its walk started again. */
static void
merge_overlaps(nio_gaps *gaps)
{
    size_t kept = 0;
    for (size_t i = 1; i < gaps->count; i++) {
        nio_gap *last = &gaps->gaps[kept], *gap = &gaps->gaps[i];
        if (gap->table != last->table ||
            nio_gap_ends_before(last, &gap->from)) {
            gaps->gaps[++kept] = *gap;
        } else if (gap->to_end || nio_gap_ends_before(last, &gap->to)) {
            last->to = gap->to;
            last->to_end |= gap->to_end;
        }
    }
    gaps->count = gaps->count > 0 ? kept + 1 : 0;
}

/* Did all rows come in one part, so that nothing can lie between two? */
static bool
is_one_part(const nio_route_dump *dump)
{
    return dump->run_count == 0 || dump->runs[dump->run_count - 1].part == 0;
}

nio_gaps
nio_route_dump_end(nio_route_dump *dump)
{
    nio_gaps gaps = {.everything = dump->inconclusive,
                     .raced = dump->raced || dump->inconclusive};
    deletion_walk walk = {0};
    if (gaps.everything || !dump->raced || is_one_part(dump)) {
        goto done;
    }
    gaps.gaps = malloc((dump->run_count + 1) * sizeof(*gaps.gaps));
    if (gaps.gaps == NULL) {
        gaps.everything = true;
        goto done;
    }
    for (size_t at = 0; at < dump->run_count; at++) {
        nio_gap *gap = &gaps.gaps[gaps.count];
        gaps.count += gap_after(dump, at, gap) &&
                      is_open(dump, gap, dump->runs[at].part, &walk);
    }
    qsort(gaps.gaps, gaps.count, sizeof(*gaps.gaps), by_table_and_place);
    merge_overlaps(&gaps);
done:
    if (gaps.count == 0) {
        free(gaps.gaps);
        gaps.gaps = NULL;
    }
    free(dump->runs);
    free(dump->deletions);
    *dump = (nio_route_dump){.family = dump->family};
    return gaps;
}
