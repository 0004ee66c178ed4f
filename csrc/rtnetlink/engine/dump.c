/* SPDX-License-Identifier: MIT */
/* The rows of dumps, decoded and given to a mirror: see dump.h. A row that
 * cannot be decoded is skipped. */
#include "rtnetlink/engine/dump.h"

#include <errno.h>
#include <sys/socket.h>

int
nio_dump_table(nio_dumper *dumper, uint16_t type, uint8_t family,
               nio_reply reply, void *context, nio_answer *ret_answer)
{
    for (unsigned i = 0; i < dumper->max_attempts; i++) {
        nio_mirror_begin_dump(dumper->mirror);
        int status = nio_query_table(dumper->requests, type, family, reply,
                                     context, ret_answer);
        if (status < 0 || !ret_answer->interrupted) {
            return status;
        }
    }
    return dumper->accept_raced ? 0 : -EAGAIN;
}

/* What a reply handler returns after each row. */
static int
go_on(nio_dumper *dumper)
{
    dumper->rows++;
    if (dumper->stop != NULL && *dumper->stop) {
        return -ECANCELED;
    }
    return dumper->mirror->allocation_failed ? -ENOMEM : 0;
}

static int
on_link(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_dumper *dumper = context;
    nio_link link;
    uint8_t family;
    (void)header;
    nio_extra_pool *extras = &dumper->mirror->extras;
    int status = nio_decode_link(body, extras, &link, &family);
    if (status == 0) {
        nio_mirror_dumped_link(dumper->mirror, &link);
        nio_link_done(&link, extras);
    }
    return status == -ENOMEM ? status : go_on(dumper);
}

static int
on_neighbour_times(void *context, const struct nlmsghdr *header,
                   nio_bytes body)
{
    nio_dumper *dumper = context;
    nio_link_family times;
    uint32_t index;
    uint8_t family;
    (void)header;
    if (nio_decode_neighbour_table(body, &family, &index, &times) == 0 &&
        index != 0) {
        nio_mirror_dumped_neighbour_table(dumper->mirror, family, index,
                                          &times);
    }
    return go_on(dumper);
}

static int
on_address(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_dumper *dumper = context;
    nio_address address;
    (void)header;
    if (nio_decode_address(body, dumper->mirror->decode.now_s, &address) ==
            0 &&
        (dumper->accept_raced ||
         nio_mirror_knows_link(dumper->mirror, address.index))) {
        nio_mirror_dumped_address(dumper->mirror, &address);
    }
    return go_on(dumper);
}

static int
on_nexthop(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_dumper *dumper = context;
    nio_nexthop nexthop;
    (void)header;
    int status = nio_decode_nexthop(body, &dumper->mirror->decode, &nexthop);
    if (status == 0) {
        nio_mirror_dumped_nexthop(dumper->mirror, &nexthop);
    }
    return status == -ENOMEM ? status : go_on(dumper);
}

static int
dump_all(nio_dumper *dumper, uint16_t type, nio_reply reply)
{
    nio_answer answer;
    return nio_dump_table(dumper, type, AF_UNSPEC, reply, dumper, &answer);
}

int
nio_dump_links(nio_dumper *dumper)
{
    int status = dump_all(dumper, RTM_GETLINK, on_link);
    if (status == 0) {
        nio_mirror_sweep_links(dumper->mirror);
    }
    return status;
}

int
nio_dump_addresses(nio_dumper *dumper)
{
    int status = dump_all(dumper, RTM_GETADDR, on_address);
    if (status == 0) {
        nio_mirror_sweep_addresses(dumper->mirror);
    }
    return status;
}

int
nio_dump_nexthops(nio_dumper *dumper)
{
    int status = dump_all(dumper, RTM_GETNEXTHOP, on_nexthop);
    if (status == 0) {
        nio_mirror_sweep_nexthops(dumper->mirror);
    }
    return status == -EOPNOTSUPP || status == -EINVAL ? 0 : status;
}

int
nio_dump_neighbour_times(nio_dumper *dumper)
{
    return dump_all(dumper, RTM_GETNEIGHTBL, on_neighbour_times);
}

int
nio_dump_link(nio_dumper *dumper, uint32_t index)
{
    int status = nio_query_link(dumper->requests, index, on_link, dumper);
    if (status == -ENODEV) {
        nio_mirror_dumped_no_link(dumper->mirror, index);
        return 0;
    }
    return status;
}
