/* SPDX-License-Identifier: MIT */
/* What Windows reports and the kernel does not: the connectivity hint, the
 * Teredo port and a stable address table. They are derived from the mirror
 * whenever it has changed, and reported if the result is new. */
#include "rtnetlink/engine/derived.h"

#include "rtnetlink/decode/rows.h"
#include "rtnetlink/engine/engine.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 4380, section 4: 2001:0000, server, flags, then the port and the client,
 * both with all bits inverted. */
static bool
is_teredo(const nio_address *address)
{
    static const uint8_t prefix[4] = {0x20, 0x01, 0, 0};
    return address->family == AF_INET6 &&
           memcmp(address->local, prefix, sizeof(prefix)) == 0;
}

USHORT
nio_teredo_port_of(const nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (is_teredo(address)) {
            unsigned high = address->local[10], low = address->local[11];
            return (USHORT)(((high << 8) | low) ^ 0xffffu);
        }
    }
    return MIB_INVALID_TEREDO_PORT_NUMBER;
}

/* Is the address in duplicate address detection, and of no use before its end?
 * One that cannot leave it (no carrier, or a duplicate) does not keep the
 * table from being stable. An optimistic one can be used meanwhile. */
static bool
is_settling(const nio_mirror *mirror, const nio_address *address)
{
    const nio_link *link;
    if (nio_is_usable_address(address) || (address->flags & IFA_F_DADFAILED)) {
        return false;
    }
    link = nio_mirror_link(mirror, address->index);
    return link != NULL && (link->flags & IFF_UP) &&
           (link->flags & IFF_LOWER_UP) && !(link->flags & IFF_NOARP);
}

bool
nio_is_stable(const nio_mirror *mirror, ADDRESS_FAMILY family)
{
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if ((family == AF_UNSPEC || family == address->family) &&
            is_settling(mirror, address)) {
            return false;
        }
    }
    return true;
}

static void
put(nio_engine *engine, nio_subscriber *subscriber, uint8_t kind, uint8_t type,
    const void *value, size_t size)
{
    const nio_change change = {.time_ns = engine->mirror.fanout.time_ns,
                               .size = (uint16_t)size,
                               .kind = kind,
                               .type = type};
    nio_subscriber_put(subscriber, &change, value);
}

static bool
wants(const nio_subscriber *subscriber, int kind)
{
    return (subscriber->kinds & (1u << kind)) != 0;
}

/* The dispatcher reads the table when it takes a change, so a change that is
 * still queued is enough, however long the callback before it takes. */
static bool
has_change_queued(nio_subscriber *subscriber)
{
    nio_queue_statistics statistics;
    nio_queue_statistics_of(subscriber->queue, &statistics);
    return statistics.queued > 0;
}

/* The first stable table is reported, and then each stable one after a change
 * of an address. The dispatcher, which reads the table, calls back if its rows
 * are others than those that it handed over before: the mirror cannot tell,
 * because the dispatcher may have read changes that the mirror had yet to
 * take. */
static void
derive_stable(nio_engine *engine, nio_subscriber *subscriber)
{
    const nio_mirror *mirror = &engine->mirror;
    const uint64_t number = mirror->address_changes + 1;
    if (number == subscriber->stable_at ||
        !nio_is_stable(mirror, subscriber->family)) {
        return;
    }
    if (!has_change_queued(subscriber)) {
        put(engine, subscriber, NIO_STABLE, NIO_CHANGE_PARAMETER, NULL, 0);
    }
    subscriber->stable_at = number;
}

void
nio_derive(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    nio_fanout *fanout = &mirror->fanout;
    bool new_hint = false, new_port = false;
    if (fanout->kinds & (1u << NIO_HINT)) {
        NL_NETWORK_CONNECTIVITY_HINT hint = nio_hint_of(mirror);
        new_hint = memcmp(&hint, &engine->hint, sizeof(hint)) != 0;
        engine->hint = hint;
    }
    if (fanout->kinds & (1u << NIO_TEREDO)) {
        USHORT port = nio_teredo_port_of(mirror);
        new_port = port != engine->teredo_port;
        engine->teredo_port = port;
    }
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        if (new_hint && wants(s, NIO_HINT)) {
            put(engine, s, NIO_HINT, NIO_CHANGE_PARAMETER, &engine->hint,
                sizeof(engine->hint));
        }
        if (new_port && wants(s, NIO_TEREDO)) {
            put(engine, s, NIO_TEREDO, NIO_CHANGE_PARAMETER,
                &engine->teredo_port, sizeof(engine->teredo_port));
        }
        if (wants(s, NIO_STABLE)) {
            derive_stable(engine, s);
        }
    }
}

/* Does another subscriber want this kind? Then the last reported value is up
 * to date, and a new value must be reported to all. */
static bool
has_another(const nio_fanout *fanout, const nio_subscriber *subscriber,
            int kind)
{
    const nio_subscriber *s = fanout->subscribers;
    while (s != NULL && (s == subscriber || !wants(s, kind))) {
        s = s->next;
    }
    return s != NULL;
}

void
nio_derive_for(nio_engine *engine, nio_subscriber *subscriber)
{
    static const USHORT no_port = MIB_INVALID_TEREDO_PORT_NUMBER;
    nio_mirror *mirror = &engine->mirror;
    if (wants(subscriber, NIO_HINT) &&
        !has_another(&mirror->fanout, subscriber, NIO_HINT)) {
        engine->hint = nio_hint_of(mirror);
    }
    if (wants(subscriber, NIO_TEREDO) &&
        !has_another(&mirror->fanout, subscriber, NIO_TEREDO)) {
        engine->teredo_port = nio_teredo_port_of(mirror);
    }
    if (wants(subscriber, NIO_STABLE)) {
        /* The table was unstable when the subscriber asked for it: if it is
         * stable now that is reported at once. */
        derive_stable(engine, subscriber);
    }
    if (!subscriber->initial) {
        return;
    }
    if (wants(subscriber, NIO_HINT)) {
        put(engine, subscriber, NIO_HINT, NIO_CHANGE_INITIAL, &engine->hint,
            sizeof(engine->hint));
    } else if (wants(subscriber, NIO_TEREDO)) {
        put(engine, subscriber, NIO_TEREDO, NIO_CHANGE_INITIAL, &no_port,
            sizeof(no_port));
    } else {
        for (uint8_t kind = 0; kind < NIO_KINDS; kind++) {
            if (wants(subscriber, kind)) {
                put(engine, subscriber, kind, NIO_CHANGE_INITIAL, NULL, 0);
            }
        }
    }
}
