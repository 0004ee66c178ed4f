/* SPDX-License-Identifier: MIT */
/* Notifications beside a dump of routes: see route_race.h. */
#include "rtnetlink/mirror/route_race.h"

#include <linux/if.h>
#include <sys/socket.h>

/* May the kernel have removed routes of this link without a message? */
static bool
is_down(nio_bytes body)
{
    struct ifinfomsg link;
    return !nio_bytes_take(&body, &link, sizeof(link)) ||
           !(link.ifi_flags & IFF_UP);
}

static void
note_route(nio_route_dump *dump, const nio_decode_context *decode,
           nio_legs *legs, bool deletes, nio_bytes body)
{
    if (body.left == 0 || body.at[0] != dump->family) {
        return;
    }
    int status = nio_decode_route(body, decode, legs);
    bool has_place = status == 0 && !nio_has_source_prefix(&legs->head);
    nio_route_dump_message(dump, deletes, has_place ? &legs->head : NULL);
}

void
nio_route_dump_note(nio_route_dump *dump, const nio_decode_context *decode,
                    nio_legs *legs, const struct nlmsghdr *header,
                    nio_bytes body)
{
    if (dump->family == AF_UNSPEC) {
        return; /* no dump is being read */
    }
    switch (header->nlmsg_type) {
    case RTM_NEWROUTE:
        note_route(dump, decode, legs,
                   (header->nlmsg_flags & NLM_F_REPLACE) != 0, body);
        break;
    case RTM_DELROUTE:
        note_route(dump, decode, legs, true, body);
        break;
    case RTM_NEWLINK:
        if (is_down(body)) {
            nio_route_dump_silence(dump);
        }
        break;
    case RTM_DELLINK:
    case RTM_DELADDR:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        nio_route_dump_silence(dump);
        break;
    default:
        break;
    }
}
