/* SPDX-License-Identifier: MIT */
/* The rare attributes of a route: see route_details.h. */
#include "rtnetlink/decode/route_details.h"

#include "base/store.h"
#include "rtnetlink/decode/encapsulation.h"

#include <string.h>

/* Attributes that RTM_NEWROUTE may have and that are no rare ones: members of
 * nio_route, and what changes by itself. Every other one is a part of the
 * digest, also one that a later kernel adds. */
static bool
is_no_detail(uint16_t type)
{
    switch (type) {
    case RTA_DST:
    case RTA_OIF:
    case RTA_GATEWAY:
    case RTA_VIA:
    case RTA_PRIORITY:
    case RTA_MULTIPATH:
    case RTA_TABLE:
    case RTA_NH_ID:
    case RTA_PREF:
    case RTA_CACHEINFO: /* counts down */
    case RTA_EXPIRES:
    case RTA_MFC_STATS: /* counts packets */
    case RTA_PAD:
        return true;
    default:
        return false;
    }
}

static void
digest(nio_route_details *details, uint16_t kind, const nio_attribute *of)
{
    uint64_t words[8] = {0};
    nio_bytes payload = of->payload;
    uint64_t sum = nio_mix(details->digest, (uint64_t)kind << 32 | of->type);
    while (payload.left > 0) {
        size_t size =
            payload.left < sizeof(words) ? payload.left : sizeof(words);
        memset(words, 0, sizeof(words));
        memcpy(words, payload.at, size);
        sum = nio_hash(words, sizeof(words), sum + size);
        payload.at += size;
        payload.left -= size;
    }
    details->digest = sum == 0 ? 1 : sum;
}

/* RTA_METRICS: only the MTU has a field. */
static void
read_metrics(nio_route_details *details, nio_bytes metrics)
{
    nio_attribute metric;
    while (nio_attribute_next(&metrics, &metric)) {
        if (metric.type == RTAX_MTU) {
            (void)nio_attribute_u32(&metric, &details->mtu);
        } else {
            digest(details, RTA_METRICS, &metric);
        }
    }
}

bool
nio_route_details_read(nio_route_details *details,
                       const nio_attribute *attribute)
{
    uint8_t family;
    switch (attribute->type) {
    case RTA_SRC:
        return nio_attribute_address(attribute, details->source, &family);
    case RTA_PREFSRC:
        details->has_preferred_source = true;
        return nio_attribute_address(attribute, details->preferred_source,
                                     &family);
    case RTA_ENCAP_TYPE:
        return nio_attribute_u16(attribute, &details->encapsulation_type);
    case RTA_ENCAP:
        details->encapsulation = attribute->payload;
        return true;
    case RTA_METRICS:
        read_metrics(details, attribute->payload);
        return true;
    default:
        if (!is_no_detail(attribute->type)) {
            digest(details, 0, attribute);
        }
        return true;
    }
}

static size_t
append_source(const nio_route_details *details, uint8_t *items, size_t used)
{
    uint8_t prefix[17];
    memcpy(prefix, details->source, 16);
    prefix[16] = details->source_length;
    return nio_extra_append(items, used, NIO_EXTRA_SOURCE_PREFIX, prefix,
                            sizeof(prefix));
}

static size_t
append_encapsulation(const nio_route_details *details, uint8_t *items,
                     size_t used)
{
    char text[NIO_ENCAPSULATION_MAX];
    size_t size = 0;
    const void *found = NULL;
    if (details->encapsulation_type != 0) {
        size = nio_encapsulation_text(details->encapsulation_type,
                                      details->encapsulation, text);
        found = text;
    } else if (details->encapsulating != NULL) {
        found = nio_extra_find(details->encapsulating, NIO_EXTRA_ENCAPSULATION,
                               &size);
    }
    return found == NULL
               ? used
               : nio_extra_append(items, used, NIO_EXTRA_ENCAPSULATION, found,
                                  size);
}

bool
nio_route_details_block(const nio_route_details *details,
                        nio_extra_pool *extras, const nio_extra **ret_extra)
{
    uint8_t items[NIO_EXTRA_MAX];
    size_t used = 0;
    if (details->source_length != 0) {
        used = append_source(details, items, used);
    }
    used = append_encapsulation(details, items, used);
    if (details->has_preferred_source) {
        used = nio_extra_append(items, used, NIO_EXTRA_PREFERRED_SOURCE,
                                details->preferred_source, 16);
    }
    if (details->digest != 0) {
        used = nio_extra_append(items, used, NIO_EXTRA_DIGEST,
                                &details->digest, sizeof(details->digest));
    }
    if (details->mtu != 0) {
        used = nio_extra_append(items, used, NIO_EXTRA_ROUTE_MTU,
                                &details->mtu, sizeof(details->mtu));
    }
    return nio_extra_pool_get(extras, items, used, ret_extra);
}
