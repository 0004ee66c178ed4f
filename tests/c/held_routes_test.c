/* SPDX-License-Identifier: MIT */
/* mirror/dumped_routes.h: a record that a dump found, and holds because of
 * others of its group, is reported in the end: by the same dump, by the
 * message that deletes the others, or else by another dump. */
#include "check.h"

#include "rtnetlink/mirror/route_identity.h"
#include "rtnetlink/mirror/route_records.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define LINK_A 2u
#define LINK_B 3u

static size_t
key_of(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

typedef struct fixture {
    nio_mirror mirror;
    nio_subscriber subscriber;
} fixture;

static void
begin(fixture *self)
{
    static const nio_filter everything;
    memset(self, 0, sizeof(*self));
    nio_mirror_init(&self->mirror);
    self->mirror.wants_routes = true;
    self->subscriber.kinds = 1u << NIO_ROUTE;
    self->subscriber.filter = nio_filter_copy(&everything);
    self->subscriber.queue = nio_queue_new(SIZE_MAX, key_of, NULL);
    CHECK(self->subscriber.filter != NULL && self->subscriber.queue != NULL);
    nio_fanout_attach(&self->mirror.fanout, &self->subscriber);
}

static void
end(fixture *self)
{
    nio_fanout_detach(&self->mirror.fanout, &self->subscriber);
    nio_queue_free(self->subscriber.queue);
    free(self->subscriber.filter);
    nio_mirror_done(&self->mirror);
}

/* A route of one leg, without a gateway. */
static nio_legs
legs_of(int family, uint32_t link, nio_route *leg)
{
    memset(leg, 0, sizeof(*leg));
    leg->family = (uint8_t)family;
    leg->destination[0] = 10;
    leg->prefix_length = 16;
    leg->table = RT_TABLE_MAIN;
    leg->type = RTN_UNICAST;
    leg->protocol = RTPROT_BOOT;
    leg->oif = link;
    leg->legs = 1;
    leg->weight = 1;
    leg->instances = 1;
    leg->seen = 1;
    leg->expires_s = NIO_INFINITE;
    return (nio_legs){.head = *leg, .legs = leg, .count = 1};
}

static void
add(fixture *self, int family, uint32_t link)
{
    nio_route leg;
    const nio_legs legs = legs_of(family, link, &leg);
    nio_mirror_new_route(&self->mirror, &legs, NLM_F_CREATE | NLM_F_APPEND);
}

static void
show(fixture *self, int family, uint32_t link)
{
    nio_route leg;
    const nio_legs legs = legs_of(family, link, &leg);
    nio_mirror_dumped_route(&self->mirror, &legs);
}

/* The link of the next change, with its type; 0: there is none. */
static uint32_t
next_change(fixture *self, unsigned *ret_type)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    uint32_t link = 0;
    if (nio_queue_take(self->subscriber.queue, 1, &taken) > 0) {
        nio_change *change = nio_taken_next(&taken, &cursor);
        const MIB_IPFORWARD_ROW2 *row = nio_change_row(change);
        *ret_type = change->type;
        link = row->InterfaceIndex;
    }
    nio_taken_free(&taken);
    return link;
}

static void
expect(fixture *self, unsigned type, uint32_t link)
{
    unsigned found = 99;
    CHECK_EQUAL(next_change(self, &found), link);
    CHECK_EQUAL(found, type);
}

static void
expect_nothing(fixture *self)
{
    unsigned type;
    CHECK_EQUAL(next_change(self, &type), 0);
}

static bool
is_held(fixture *self, int family, uint32_t link)
{
    nio_route leg;
    const nio_legs legs = legs_of(family, link, &leg);
    const nio_route *found = find_leg(&self->mirror.routes, &legs.legs[0]);
    CHECK(found != NULL);
    return found->is_held;
}

/* A dump finds B, and lacks A, which it may have skipped. */
static void
dump_with_a_gap(fixture *self, int family)
{
    const nio_gaps everything = {.everything = true, .raced = true};
    nio_mirror_begin_dump(&self->mirror);
    show(self, family, LINK_B);
    (void)nio_mirror_sweep_routes(&self->mirror, (uint8_t)family, &everything);
    nio_mirror_dirty_held(&self->mirror);
}

static void
record_held_for_one_in_a_gap_needs_another_dump(int family)
{
    const nio_gaps none = {.everything = false};
    fixture self;
    begin(&self);
    add(&self, family, LINK_A);
    expect(&self, NIO_CHANGE_ADD, LINK_A);
    dump_with_a_gap(&self, family);
    expect_nothing(&self);
    CHECK(is_held(&self, family, LINK_B));
    CHECK(self.mirror.dirty.raced[NIO_FAMILY_BIT(family)]);

    nio_mirror_begin_dump(&self.mirror);
    show(&self, family, LINK_A);
    show(&self, family, LINK_B);
    CHECK(!nio_mirror_sweep_routes(&self.mirror, (uint8_t)family, &none));
    expect(&self, NIO_CHANGE_ADD, LINK_B);
    expect_nothing(&self);
    end(&self);
}

static void
record_held_for_a_waiting_deletion_is_reported_after_it(int family)
{
    const nio_gaps none = {.everything = false};
    nio_route leg;
    const nio_legs gone = legs_of(family, LINK_A, &leg);
    fixture self;
    begin(&self);
    add(&self, family, LINK_A);
    expect(&self, NIO_CHANGE_ADD, LINK_A);
    nio_mirror_begin_dump(&self.mirror);
    show(&self, family, LINK_B);
    nio_mirror_announced_deletion(&self.mirror, &gone);
    CHECK(!nio_mirror_sweep_routes(&self.mirror, (uint8_t)family, &none));
    expect_nothing(&self);
    nio_mirror_del_route(&self.mirror, &gone);
    expect(&self, NIO_CHANGE_DELETE, LINK_A);
    expect(&self, NIO_CHANGE_ADD, LINK_B);
    nio_mirror_dirty_held(&self.mirror);
    CHECK(!self.mirror.dirty.raced[NIO_FAMILY_BIT(family)]);
    end(&self);
}

int
main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        RUN(record_held_for_one_in_a_gap_needs_another_dump(families[i]));
        RUN(record_held_for_a_waiting_deletion_is_reported_after_it(
            families[i]));
    }
    puts("ok");
    return 0;
}
