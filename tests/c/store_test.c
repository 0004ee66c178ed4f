/* SPDX-License-Identifier: MIT */
/* The memory of a store while it grows: a record of the routes' size takes
 * less than 96 bytes, its share of the buckets included, at every number of
 * records from some thousand on. */
#include "check.h"

#include "rtnetlink/decode/record.h"

#define MOST_BYTES 96u
#define FIRST_MEASURED 10000u /* before that a whole chunk counts */
#define RECORDS 600000u

static uint64_t
hash_of(const void *record, uint64_t seed)
{
    const nio_route *route = record;
    return nio_mix(seed, route->oif);
}

static void
a_route_takes_less_than_96_bytes_while_the_table_grows(void)
{
    nio_store store;
    nio_route route = {.record = {.generation = 1}};
    size_t most = 0;
    nio_store_init(&store, sizeof(route), hash_of);
    for (uint32_t i = 0; i < RECORDS; i++) {
        route.oif = i;
        CHECK(nio_store_add(&store, &route) != NULL);
        if (i < FIRST_MEASURED) {
            continue;
        }
        const size_t bytes = (size_t)i * sizeof(route) +
                             store.bucket_count * sizeof(*store.buckets) +
                             store.chunk_count * sizeof(*store.chunks);
        most = bytes / i > most ? bytes / i : most;
    }
    CHECK_EQUAL(store.count, RECORDS);
    CHECK(most < MOST_BYTES);
    CHECK(most > sizeof(route)); /* the buckets were counted */
    nio_store_done(&store);
}

int
main(void)
{
    a_route_takes_less_than_96_bytes_while_the_table_grows();
    puts("ok");
    return 0;
}
