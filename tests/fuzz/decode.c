/* SPDX-License-Identifier: MIT */
/* Fuzz target: any bytes as a datagram, for the walk over its messages, every
 * decoder, the rows made of the records, and the names of links. */
#include "decoded.h"
#include "fuzz.h"

#include "contract/tower.h"
#include "rtnetlink/decode/names.h"

#include <linux/nexthop.h>
#include <net/if.h>

/* ---- a system whose only link is the one decoded last */
static char name_of_link[IF_NAMESIZE];

char *__wrap_if_indextoname(unsigned index, char *ret_name);
char *
__wrap_if_indextoname(unsigned index, char *ret_name)
{
    (void)index;
    memcpy(ret_name, name_of_link, sizeof(name_of_link));
    return ret_name;
}

/* Any name can be converted to characters and back. */
static void
check_name(const nio_link *link)
{
    NET_LUID luid = nio_luid(link->index, link->type);
    WCHAR alias[IF_NAMESIZE];
    char name[NIO_NAME_SIZE] = "";
    CHECK(memchr(link->name, 0, sizeof(link->name)) != NULL);
    memcpy(name_of_link, link->name, sizeof(name_of_link));
    CHECK_EQUAL(ConvertInterfaceLuidToAlias(&luid, alias, IF_NAMESIZE),
                NO_ERROR);
    CHECK_EQUAL(nio_name_from_text(alias, name), link->name[0] != 0);
    CHECK(strcmp(name, link->name) == 0);
    CHECK(nio_link_has_name(link, alias));
    for (SIZE_T room = 0; room <= strlen(link->name) / 2; room++) {
        (void)ConvertInterfaceLuidToAlias(&luid, alias, room);
    }
}

/* The link is found by each alternative name that has a possible length. */
static void
check_alternatives(const nio_link *link)
{
    size_t size = 0;
    const char *names = (const char *)nio_extra_find(
        link->extra, NIO_EXTRA_ALTERNATIVES, &size);
    CHECK(names == NULL || (size > 0 && names[size - 1] == 0));
    for (size_t at = 0; at < size; at += strlen(names + at) + 1) {
        WCHAR text[NIO_NAME_SIZE];
        CHECK(names[at] != 0);
        CHECK(!nio_name_to_text(names + at, text, NIO_NAME_SIZE) ||
              nio_link_has_name(link, text));
    }
}

/* ---- a record can only have possible values */
static bool
is_zero(const uint8_t *bytes, size_t from)
{
    for (size_t i = from; i < 16; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool
is_address_of(uint8_t family, const uint8_t bytes[16])
{
    return family == AF_INET6 || is_zero(bytes, family == AF_INET ? 4 : 0);
}

static void
check_leg(const nio_route *leg, const nio_route *head, bool dead)
{
    CHECK(leg->family == AF_INET || leg->family == AF_INET6);
    CHECK(leg->prefix_length <= (leg->family == AF_INET ? 32 : 128));
    CHECK(is_address_of(leg->family, leg->destination));
    CHECK(leg->gateway_family == AF_UNSPEC || leg->gateway_family == AF_INET ||
          leg->gateway_family == AF_INET6);
    CHECK(is_address_of(leg->gateway_family, leg->gateway));
    CHECK(leg->weight >= 1);
    CHECK_EQUAL(leg->instances, 1);
    CHECK_EQUAL((leg->flags & RTNH_F_DEAD) != 0, dead);
    CHECK_EQUAL(leg->table, head->table);
    CHECK_EQUAL(leg->priority, head->priority);
    CHECK(memcmp(leg->destination, head->destination, 16) == 0);
}

static void
check_key(nio_kind kind, const void *row)
{
    uint8_t key[NIO_KEY_SIZE], same_key[NIO_KEY_SIZE];
    size_t size = nio_row_key(kind, row, key);
    CHECK(size > 0 && size <= NIO_KEY_SIZE);
    CHECK_EQUAL(nio_row_key(kind, row, same_key), size);
    CHECK(memcmp(key, same_key, size) == 0);
}

static void
check_route(const nio_legs *legs, const nio_store *links, size_t size)
{
    size_t total = legs->count + legs->dead;
    size_t max = size / sizeof(struct rtnexthop) + LARGE_GROUP;
    CHECK(total <= legs->capacity && total <= max);
    for (size_t i = 0; i < total; i++) {
        const nio_route *leg = &legs->legs[i];
        MIB_IPFORWARD_ROW2 row;
        bool dead = i >= legs->count;
        check_leg(leg, &legs->head, dead);
        if (!dead) {
            CHECK_EQUAL(leg->legs, legs->count > 255 ? 255 : legs->count);
        }
        nio_route_row(leg, links, 0, &row);
        CHECK_EQUAL(row.DestinationPrefix.PrefixLength, leg->prefix_length);
        CHECK_EQUAL(row.DestinationPrefix.Prefix.si_family, leg->family);
        CHECK(row.NextHop.si_family == AF_INET ||
              row.NextHop.si_family == AF_INET6);
        CHECK_EQUAL(row.Immortal, leg->expires_s == NIO_INFINITE);
        check_key(NIO_ROUTE, &row);
    }
}

static void
check_address(const nio_address *address, const nio_store *links)
{
    MIB_UNICASTIPADDRESS_ROW row;
    CHECK(address->family == AF_INET || address->family == AF_INET6);
    CHECK(address->prefix_length <= (address->family == AF_INET ? 32 : 128));
    CHECK(is_address_of(address->family, address->local));
    CHECK(is_address_of(address->family, address->peer));
    nio_address_row(address, links, 0, &row);
    CHECK_EQUAL(row.InterfaceIndex, address->index);
    CHECK_EQUAL(row.OnLinkPrefixLength, address->prefix_length);
    check_key(NIO_ADDRESS, &row);
}

static void
check_link(const nio_link *link)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    CHECK(link->index > 0 && link->index <= INT32_MAX);
    for (size_t i = 0; i < 2; i++) {
        MIB_IPINTERFACE_ROW row;
        bool has = nio_interface_row(link, families[i], &row);
        CHECK_EQUAL(has, i == 0 ? link->inet.present : link->inet6.present);
        if (has) {
            CHECK(row.Name[sizeof(row.Name) - 1] == 0);
            CHECK_EQUAL(row.InterfaceIndex, link->index);
            check_key(NIO_INTERFACE, &row);
        }
    }
    if (link->name[0] != 0) {
        check_name(link);
        check_alternatives(link);
    }
}

static void
check_nexthop(const nio_nexthop *nexthop, size_t size)
{
    CHECK(nexthop->id != 0);
    CHECK_EQUAL(nexthop->members == NULL, nexthop->member_count == 0);
    CHECK(nexthop->member_count <= size / sizeof(struct nexthop_grp));
    CHECK(is_address_of(nexthop->gateway_family, nexthop->gateway));
    for (size_t i = 0; i < nexthop->member_count; i++) {
        CHECK(nexthop->members[i].weight >= 1);
    }
}

static void
check_untouched(const void *result, size_t size)
{
    const uint8_t *bytes = result;
    for (size_t i = 0; i < size; i++) {
        CHECK_EQUAL(bytes[i], UNTOUCHED);
    }
}

static void
check_decoded(const decoded *decoded, const nio_store *links, size_t size)
{
    if (decoded->route_status == 0) {
        check_route(&decoded->legs, links, size);
    }
    if (decoded->address_status == 0) {
        check_address(&decoded->address, links);
    } else {
        check_untouched(&decoded->address, sizeof(decoded->address));
    }
    if (decoded->link_status == 0) {
        check_link(&decoded->link);
    } else if (decoded->link_status < 0) {
        check_untouched(&decoded->link, sizeof(decoded->link));
    }
    if (decoded->nexthop_status == 0) {
        check_nexthop(&decoded->nexthop, size);
    } else {
        check_untouched(&decoded->nexthop, sizeof(decoded->nexthop));
    }
}

/* ---- the same bytes give the same records, at any alignment */
static void
check_same(const decoded *a, const decoded *b)
{
    MIB_IPINTERFACE_ROW row_a, row_b;
    CHECK_EQUAL(a->route_status, b->route_status);
    CHECK_EQUAL(a->address_status, b->address_status);
    CHECK_EQUAL(a->link_status, b->link_status);
    CHECK_EQUAL(a->times_status, b->times_status);
    CHECK_EQUAL(a->nexthop_status, b->nexthop_status);
    if (a->route_status == 0) {
        size_t total = a->legs.count + a->legs.dead;
        CHECK_EQUAL(a->legs.count, b->legs.count);
        CHECK_EQUAL(a->legs.dead, b->legs.dead);
        CHECK(total == 0 || memcmp(a->legs.legs, b->legs.legs,
                                   total * sizeof(*a->legs.legs)) == 0);
    }
    CHECK(memcmp(&a->address, &b->address, sizeof(a->address)) == 0);
    if (a->link_status == 0) {
        for (int i = 0; i < 2; i++) {
            ADDRESS_FAMILY family = i == 0 ? AF_INET : AF_INET6;
            bool has = nio_interface_row(&a->link, family, &row_a);
            CHECK_EQUAL(nio_interface_row(&b->link, family, &row_b), has);
            CHECK(!has || memcmp(&row_a, &row_b, sizeof(row_a)) == 0);
        }
    }
    if (a->nexthop_status == 0) {
        CHECK_EQUAL(a->nexthop.id, b->nexthop.id);
        CHECK_EQUAL(a->nexthop.member_count, b->nexthop.member_count);
    }
}

static void
check_message(nio_bytes body, nio_bytes other,
              const nio_decode_context *context)
{
    nio_store links;
    decoded here, there;
    memset(&links, 0, sizeof(links));
    decode(body, context, &here);
    decode(other, context, &there);
    check_decoded(&here, &links, body.left);
    check_same(&here, &there);
    decoded_done(&here, context->extras);
    decoded_done(&there, context->extras);
    CHECK_EQUAL(context->extras->count, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    nio_store nexthops;
    nio_extra_pool extras;
    const nio_decode_context context = {&nexthops, &extras, 0};
    uint8_t *copy = malloc(size + 1);
    CHECK(copy != NULL);
    memcpy(copy + 1, bytes, size); /* at an odd address */
    nio_bytes messages = {bytes, size}, other = {copy + 1, size};
    struct nlmsghdr header, other_header;
    nio_bytes body, other_body;
    make_nexthops(&nexthops);
    nio_extra_pool_init(&extras);
    while (nio_message_next(&messages, &header, &body)) {
        CHECK(nio_message_next(&other, &other_header, &other_body));
        CHECK(memcmp(&header, &other_header, sizeof(header)) == 0);
        CHECK_EQUAL(messages.left, other.left);
        CHECK(body.at >= bytes && body.left <= size);
        CHECK(body.at + body.left <= bytes + size);
        CHECK(messages.at + messages.left == bytes + size);
        check_message(body, other_body, &context);
    }
    CHECK(!nio_message_next(&other, &other_header, &other_body));
    /* The whole input serves as a body, too, even if it holds no message. */
    check_message((nio_bytes){bytes, size}, (nio_bytes){copy + 1, size},
                  &context);
    drop_nexthops(&nexthops);
    nio_extra_pool_done(&extras);
    free(copy);
    return 0;
}
