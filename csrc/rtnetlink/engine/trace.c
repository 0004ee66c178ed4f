/* SPDX-License-Identifier: MIT */
/* What an engine does, as lines of text: see trace.h. */
#define _POSIX_C_SOURCE 200809L /* the portable strerror_r() */
#include "rtnetlink/engine/trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line that grows; the rest is cut off. */
typedef struct text {
    char bytes[NIO_DEBUG_LINE];
    size_t used;
} text;

static void
vadd(text *line, const char *format, va_list arguments)
{
    size_t room = sizeof(line->bytes) - line->used;
    if (vsnprintf(line->bytes + line->used, room, format, arguments) >= 0) {
        line->used += strlen(line->bytes + line->used);
    }
}

static void add(text *line, const char *format, ...)
    NIO_ANNOTATE(format(printf, 2, 3));
static void
add(text *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vadd(line, format, arguments);
    va_end(arguments);
}

void
nio_trace(const nio_engine *engine, const char *format, ...)
{
    text line = {.used = 0};
    va_list arguments;
    va_start(arguments, format);
    vadd(&line, format, arguments);
    va_end(arguments);
    nio_debug_line("net %" PRIu64 " %s", engine->namespace_id, line.bytes);
}

static void
add_address(text *line, uint8_t family, const uint8_t bytes[16])
{
    char address[INET6_ADDRSTRLEN];
    const char *known = inet_ntop(family, bytes, address, sizeof(address));
    add(line, "%s", known == NULL ? "?" : known);
}

/* `status` is a negative errno. */
static void
add_error(text *line, int status)
{
    char error[128];
    if (strerror_r(-status, error, sizeof(error)) == 0) {
        add(line, "%s", error);
    }
}

/* ---- messages that could be decoded */
static void
add_route(text *line, const nio_engine *engine, nio_bytes body)
{
    const nio_legs *legs = &engine->legs; /* apply.c has just decoded it */
    const nio_route *first = &legs->legs[0];
    (void)body;
    add(line, " ");
    add_address(line, legs->head.family, legs->head.destination);
    add(line, "/%u table %" PRIu32 " metric %" PRIu32,
        legs->head.prefix_length, legs->head.table, legs->head.priority);
    if (legs->count == 0) {
        add(line, " without a live leg");
        return;
    }
    add(line, " dev %" PRIu32, first->oif);
    if (first->gateway_family != AF_UNSPEC) {
        add(line, " via ");
        add_address(line, first->gateway_family, first->gateway);
    }
    if (legs->count > 1) {
        add(line, " and %zu other legs", legs->count - 1);
    }
}

static void
add_unicast_address(text *line, const nio_engine *engine, nio_bytes body)
{
    nio_address address;
    (void)engine;
    if (nio_decode_address(body, 0, &address) == 0) {
        add(line, " ");
        add_address(line, address.family, address.local);
        add(line, "/%u dev %" PRIu32 " flags 0x%" PRIx32,
            address.prefix_length, address.index, address.flags);
    }
}

static void
add_link(text *line, const nio_engine *engine, nio_bytes body)
{
    nio_link link;
    uint8_t family;
    char name[4 * sizeof(link.name) + 1];
    /* The pool belongs to the reader, whose thread this is. */
    nio_extra_pool *extras = (nio_extra_pool *)&engine->mirror.extras;
    if (nio_decode_link(body, extras, &link, &family) == 0) {
        add(line, " dev %" PRIu32 " \"%s\" flags 0x%" PRIx32 " mtu %" PRIu32,
            link.index, nio_debug_escape(name, link.name, sizeof(link.name)),
            link.flags, link.mtu);
        nio_link_done(&link, extras);
    }
}

static void
add_nexthop(text *line, const nio_engine *engine, nio_bytes body)
{
    nio_nexthop nexthop;
    const nio_decode_context *decode = &engine->mirror.decode;
    if (nio_decode_nexthop(body, decode, &nexthop) == 0) {
        add(line, " id %" PRIu32 " dev %" PRIu32 " members %u", nexthop.id,
            nexthop.oif, nexthop.member_count);
        nio_nexthop_done(&nexthop, decode->extras);
    }
}

#define TYPE(name, add_body) {RTM_##name, "RTM_" #name, add_body}
static const struct {
    uint16_t type;
    const char *name;
    void (*add_body)(text *line, const nio_engine *engine, nio_bytes body);
} types[] = {
    TYPE(NEWROUTE, add_route),
    TYPE(DELROUTE, add_route),
    TYPE(NEWADDR, add_unicast_address),
    TYPE(DELADDR, add_unicast_address),
    TYPE(NEWLINK, add_link),
    TYPE(DELLINK, add_link),
    TYPE(NEWNEXTHOP, add_nexthop),
    TYPE(DELNEXTHOP, add_nexthop),
    TYPE(NEWNETCONF, NULL),
    TYPE(DELNETCONF, NULL),
    TYPE(NEWPREFIX, NULL),
    {NIO_RTM_NEWMULTICAST, "RTM_NEWMULTICAST", NULL},
};
#undef TYPE

void
nio_trace_message(const nio_engine *engine, const struct nlmsghdr *header,
                  nio_bytes body, int status)
{
    text line = {.used = 0};
    size_t i = 0;
    while (i < sizeof(types) / sizeof(types[0]) &&
           types[i].type != header->nlmsg_type) {
        i++;
    }
    if (i == sizeof(types) / sizeof(types[0])) {
        add(&line, "message of type %u", header->nlmsg_type);
    } else {
        add(&line, "%s", types[i].name);
        if (status == 0 && types[i].add_body != NULL) {
            types[i].add_body(&line, engine, body);
        }
    }
    if (status != 0) {
        add(&line, status == NIO_NOT_OURS ? ", not mirrored"
                   : status == -EBADMSG   ? ", malformed"
                                          : ", allocation failure");
    }
    nio_trace(engine, "%s%s", line.bytes,
              engine->backlog.size > 0 ? ", from the backlog" : "");
}

/* ---- reconciles and commands */
static void
add_if(text *line, bool condition, const char *word)
{
    if (condition) {
        add(line, " %s", word);
    }
}

void
nio_trace_reconcile(const nio_engine *engine, uint64_t number,
                    const nio_dirty *dirty, uint64_t duration_ns, int status)
{
    const nio_dirty *left = &engine->mirror.dirty;
    text line = {.used = 0};
    add(&line, "reconcile %" PRIu64 ":", number);
    add_if(&line, dirty->all_links || dirty->link_count > 0, "links");
    add_if(&line, dirty->neighbours, "neighbours");
    add_if(&line, dirty->addresses, "addresses");
    add_if(&line, dirty->nexthops, "nexthops");
    add_if(&line, dirty->routes[0] || dirty->raced[0], "IPv4-routes");
    add_if(&line, dirty->routes[1] || dirty->raced[1], "IPv6-routes");
    add(&line, ", %" PRIu64 " rows, %" PRIu64 ".%03u ms, ",
        engine->dumper.rows, duration_ns / 1000000,
        (unsigned)(duration_ns / 1000 % 1000));
    if (status < 0) {
        add_error(&line, status);
    } else {
        add(&line, engine->health != NIO_INTACT       ? "messages were lost"
                   : left->raced[0] || left->raced[1] ? "raced with changes"
                   : nio_dirty_any(left)              ? "dirty again"
                                                      : "exact");
    }
    nio_trace(engine, "%s", line.bytes);
}

void
nio_trace_command(const nio_engine *engine, const char *what,
                  const nio_subscriber *subscriber, int status)
{
    static const char *const kinds[NIO_ALL_KINDS] = {
        [NIO_INTERFACE] = "interfaces",
        [NIO_ADDRESS] = "addresses",
        [NIO_ROUTE] = "routes",
        [NIO_TEREDO] = "Teredo-port",
        [NIO_HINT] = "hint",
        [NIO_STABLE] = "stable-table",
    };
    text line = {.used = 0};
    add(&line, "%s:", what);
    for (int kind = 0; kind < NIO_ALL_KINDS; kind++) {
        add_if(&line, (subscriber->kinds & (1u << kind)) != 0, kinds[kind]);
    }
    if (status < 0) {
        add(&line, ", ");
        add_error(&line, status);
    }
    nio_trace(engine, "%s", line.bytes);
}
