/* SPDX-License-Identifier: MIT */
/* RTM_NEWNEXTHOP and RTM_DELNEXTHOP: see decode.h. */
#include "rtnetlink/decode/decode.h"

#include "rtnetlink/decode/attribute.h"
#include "rtnetlink/decode/route_details.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* NHA_GROUP: an array of struct nexthop_grp. */
static int
read_group(nio_nexthop *nexthop, const nio_bytes *payload)
{
    size_t count = payload->left / sizeof(struct nexthop_grp);
    if (count == 0 || count > UINT16_MAX) {
        return -EBADMSG;
    }
    nio_nexthop_member *members = malloc(count * sizeof(*members));
    if (members == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct nexthop_grp member;
        memcpy(&member, payload->at + i * sizeof(member), sizeof(member));
        /* The byte after the weight is its high byte since Linux 6.12; the
         * kernel's headers have had two names for it. */
        const uint8_t *low = payload->at + i * sizeof(member) +
                             offsetof(struct nexthop_grp, weight);
        uint32_t weight = low[0] + ((uint32_t)low[1] << 8) + 1;
        members[i].id = member.id;
        members[i].weight =
            (uint16_t)(weight > UINT16_MAX ? UINT16_MAX : weight);
    }
    free(nexthop->members);
    nexthop->members = members;
    nexthop->member_count = (uint16_t)count;
    return 0;
}

static int
read_attribute(nio_nexthop *nexthop, nio_route_details *details,
               const nio_attribute *attribute)
{
    bool sound = true;
    switch (attribute->type) {
    case NHA_ID:
        sound = nio_attribute_u32(attribute, &nexthop->id);
        break;
    case NHA_OIF:
        sound = nio_attribute_u32(attribute, &nexthop->oif);
        break;
    case NHA_GATEWAY:
        sound = nio_attribute_address(attribute, nexthop->gateway,
                                      &nexthop->gateway_family);
        nexthop->gateway_family =
            nio_gateway_family(nexthop->gateway, nexthop->gateway_family);
        break;
    case NHA_BLACKHOLE:
        nexthop->blackhole = true;
        break;
    case NHA_ENCAP_TYPE:
        sound = nio_attribute_u16(attribute, &details->encapsulation_type);
        break;
    case NHA_ENCAP:
        details->encapsulation = attribute->payload;
        break;
    case NHA_GROUP:
        return read_group(nexthop, &attribute->payload);
    default:
        break;
    }
    return sound ? 0 : -EBADMSG;
}

void
nio_nexthop_done(nio_nexthop *nexthop, nio_extra_pool *extras)
{
    free(nexthop->members);
    nio_extra_pool_release(extras, nexthop->extra);
}

int
nio_decode_nexthop(nio_bytes body, const nio_decode_context *context,
                   nio_nexthop *ret_nexthop)
{
    struct nhmsg message;
    nio_nexthop nexthop;
    nio_route_details details;
    nio_route_details_clear(&details);
    int status = -EBADMSG;
    memset(&nexthop, 0, sizeof(nexthop));
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        goto done;
    }
    nexthop.flags = message.nh_flags & 0xffu;
    nio_attribute attribute;
    while (nio_attribute_next(&body, &attribute)) {
        status = read_attribute(&nexthop, &details, &attribute);
        if (status != 0) {
            goto done;
        }
    }
    if (body.left != 0 || nexthop.id == 0) {
        status = -EBADMSG;
        goto done;
    }
    if (!nio_route_details_get(&details, context->extras, &nexthop.extra)) {
        status = -ENOMEM;
        goto done;
    }
    *ret_nexthop = nexthop;
    nexthop.members = NULL; /* moved to the caller */
    status = 0;
done:
    free(nexthop.members);
    return status;
}
