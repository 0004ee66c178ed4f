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

static void
count_addition(nio_route_dump *dump)
{
    while (dump->addition_count <= dump->part) {
        void *additions = dump->additions;
        if (!grow(dump, &additions, dump->addition_count,
                  &dump->addition_capacity, sizeof(*dump->additions))) {
            return;
        }
        dump->additions = additions;
        dump->additions[dump->addition_count++] = 0;
    }
    dump->additions[dump->part]++;
}

void
nio_route_dump_message(nio_route_dump *dump, bool adds, bool deletes,
                       const nio_route *route)
{
    void *deletions = dump->deletions;
    if (adds) {
        count_addition(dump);
    }
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
nio_route_dump_end_part(nio_route_dump *dump)
{
    dump->part++;
    dump->last_bytes = dump->part_bytes;
    dump->part_bytes = 0;
}

/* May a message, by the part after which it was received, belong to a change
 * between `part` and the next one? The kernel fills a part while the one
 * before it is received. It removes an IPv4 route just after the message is
 * sent, and adds one just before. One part on each side covers this, unless
 * the kernel is preempted there for longer than a part takes. */
static bool
is_between(unsigned message, unsigned part)
{
    return message + 1 >= part && message <= part + 1;
}

static bool
was_added_between(const nio_route_dump *dump, unsigned part)
{
    for (size_t i = part > 0 ? part - 1 : 0;
         i <= (size_t)part + 1 && i < dump->addition_count; i++) {
        if (dump->additions[i] > 0) {
            return true;
        }
    }
    return false;
}

/* The conditions of route_dump.h. */
static bool
makes_walk_skip(const nio_dump_deletion *deletion, const nio_gap *gap,
                bool is_ipv4)
{
    const nio_place *place = &deletion->place;
    const bool same_table = deletion->table == gap->table;
    if (!is_ipv4) {
        return same_table &&
               (gap->to_end || nio_place_compare(place, &gap->to) <= 0);
    }
    const int from = memcmp(place->address, gap->from.address, 16);
    return from == 0 ||
           (!same_table && from > 0 &&
            (gap->to_end || memcmp(place->address, gap->to.address, 16) <= 0));
}

/* Could the walk skip routes in this gap, which follows `part`? Called for the
 * gaps in their order: *first is the first deletion that may matter to this
 * IPv4 gap and to later ones. */
static bool
is_open(const nio_route_dump *dump, const nio_gap *gap, unsigned part,
        size_t *first)
{
    const bool is_ipv4 = dump->family == AF_INET;
    if (!is_ipv4 && !was_added_between(dump, part)) {
        return false;
    }
    while (is_ipv4 && *first < dump->deletion_count &&
           dump->deletions[*first].part + 1 < part) {
        ++*first;
    }
    for (size_t i = *first; i < dump->deletion_count; i++) {
        const nio_dump_deletion *deletion = &dump->deletions[i];
        if (deletion->part > part + 1) {
            break;
        }
        if ((!is_ipv4 || is_between(deletion->part, part)) &&
            makes_walk_skip(deletion, gap, is_ipv4)) {
            return true;
        }
    }
    return false;
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

/* Had the last part room for the largest row that was given? Then the walk is
 * taken to have ended in it: a row that is larger than all others could still
 * have stopped it. */
static bool
ended_in_last_part(const nio_route_dump *dump)
{
    size_t bytes = dump->part_bytes > 0 ? dump->part_bytes : dump->last_bytes;
    return bytes + dump->max_row_bytes <= dump->max_part_bytes;
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
    if (!ret_gap->to_end) {
        ret_gap->to = next->first;
    }
    return ret_gap->to_end || nio_place_compare(&next->first, &run->last) >= 0;
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
    nio_gaps gaps = {.everything = dump->inconclusive};
    const bool raced = dump->addition_count > 0 || dump->deletion_count > 0;
    size_t first = 0;
    if (gaps.everything || !raced || is_one_part(dump)) {
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
                      is_open(dump, gap, dump->runs[at].part, &first);
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
    free(dump->additions);
    *dump = (nio_route_dump){.family = dump->family};
    return gaps;
}
