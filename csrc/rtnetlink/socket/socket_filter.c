/* SPDX-License-Identifier: MIT */
/* A classic BPF program on the event socket drops the route messages of tables
 * that no subscriber wants, above all of the local table with the machine's
 * own addresses. They then cost no wake-up, and no space in the receive buffer
 * for lack of which other messages would be lost.
 *
 * The program drops only what is certainly unwanted and passes everything that
 * it does not understand: the reader checks the table again (apply.c).
 *
 *   0        4      6           16      17          20         21
 *   | length | type | ...       | family | ...      | table    | protocol
 *   |<------ nlmsghdr --------->|<------ rtmsg -----------
 *
 * A table above 255 has RT_TABLE_COMPAT in its byte; its number is in an
 * attribute, which such a program cannot search for. */
#define _GNU_SOURCE
#include "rtnetlink/socket/socket_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* The program loads big-endian, netlink uses the byte order of the host. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#    define BYTE_OF_LENGTH(n) (n) /* n: 0 is the lowest */
#    define HIGH_HALF 2u
#    define TYPE_AS_LOADED(type) ((uint32_t)(type) << 8)
#else
#    define BYTE_OF_LENGTH(n) (3u - (n))
#    define HIGH_HALF 0u
#    define TYPE_AS_LOADED(type) ((uint32_t)(type))
#endif

#define AT_TYPE offsetof(struct nlmsghdr, nlmsg_type)
#define AT_ROUTE sizeof(struct nlmsghdr)
#define AT_FAMILY (AT_ROUTE + offsetof(struct rtmsg, rtm_family))
#define AT_TABLE (AT_ROUTE + offsetof(struct rtmsg, rtm_table))
#define AT_PROTOCOL (AT_ROUTE + offsetof(struct rtmsg, rtm_protocol))

#define LOAD(size, at) BPF_STMT(BPF_LD | (size) | BPF_ABS, (uint32_t)(at))
#define LOAD_SIZE BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)
#define EQUALS(value, then, else)                                             \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (then), (else))
#define PASS BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define DROP BPF_STMT(BPF_RET | BPF_K, 0)

/* Checks that the datagram is a single, complete route message; anything else
 * passes. The size is tested first, because a load beyond the end would drop
 * the datagram. The jumps of every failed check lead to the PASS; the fragment
 * ends with the table's byte loaded. */
static const struct sock_filter is_route[] = {
    LOAD_SIZE,
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K,
             sizeof(struct nlmsghdr) + sizeof(struct rtmsg), 0, 13),
    /* nlmsg_len is below 64 KiB, and X is its low half ... */
    LOAD(BPF_H, HIGH_HALF),
    EQUALS(0, 0, 11),
    LOAD(BPF_B, BYTE_OF_LENGTH(1u)),
    BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8),
    BPF_STMT(BPF_MISC | BPF_TAX, 0),
    LOAD(BPF_B, BYTE_OF_LENGTH(0u)),
    BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0),
    BPF_STMT(BPF_MISC | BPF_TAX, 0),
    /* ... which is the size of the datagram */
    LOAD_SIZE,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 3),
    LOAD(BPF_H, AT_TYPE),
    EQUALS(TYPE_AS_LOADED(RTM_NEWROUTE), 2, 0),
    EQUALS(TYPE_AS_LOADED(RTM_DELROUTE), 1, 0),
    PASS,
    LOAD(BPF_B, AT_TABLE),
};

/* The kernel's own IPv6 routes pass, whatever their table (but for the local
 * one, which was tested before): the prefix route of a router advertisement
 * announces an address that the kernel does not report yet (apply.c). They are
 * few. */
static const struct sock_filter drop_unless_announces_address[] = {
    LOAD(BPF_B, AT_FAMILY),
    EQUALS(AF_INET6, 0, 3),
    LOAD(BPF_B, AT_PROTOCOL),
    EQUALS(RTPROT_KERNEL, 0, 1),
    PASS,
    DROP,
};

static const struct sock_filter pass[] = {PASS};

/* Large enough for a case for each of the 256 values of the table's byte. */
typedef struct program {
    struct sock_filter code[2 * 256 + 32];
    unsigned short size;
} program;

static void
append(program *program, const struct sock_filter *code, size_t size)
{
    memcpy(program->code + program->size, code, size * sizeof(*code));
    program->size = (unsigned short)(program->size + size);
}

#define APPEND(program, code)                                                 \
    append(program, code, sizeof(code) / sizeof(*(code)))

/* If the table's byte, which is loaded, is this one: pass or drop. */
static void
append_case(program *program, uint32_t byte, bool passes)
{
    const struct sock_filter code[] = {
        EQUALS(byte, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, passes ? UINT32_MAX : 0),
    };
    APPEND(program, code);
}

static void
compile(program *program, const nio_table_set *tables)
{
    bool large = false;
    program->size = 0;
    APPEND(program, is_route);
    append_case(program, RT_TABLE_LOCAL, tables->local);
    if (tables->all_others) {
        APPEND(program, pass);
        return;
    }
    append_case(program, RT_TABLE_UNSPEC, true);
    for (size_t i = 0; i < tables->count; i++) {
        if (tables->numbers[i] > 255) {
            large = true;
        } else {
            append_case(program, tables->numbers[i], true);
        }
    }
    if (large) {
        append_case(program, RT_TABLE_COMPAT, true);
    }
    APPEND(program, drop_unless_announces_address);
}

static bool
attach(nio_event_socket *events, const nio_table_set *tables)
{
    program program;
    compile(&program, tables);
    struct sock_fprog made = {.len = program.size, .filter = program.code};
    return setsockopt(events->socket, SOL_SOCKET, SO_ATTACH_FILTER, &made,
                      sizeof(made)) == 0;
}

int
nio_event_socket_filter(nio_event_socket *events, const nio_table_set *tables)
{
    static const int unused = 0;
    if (!(tables->local && tables->all_others) && attach(events, tables)) {
        events->filtered = true;
        return 0;
    }
    /* All tables are wanted, or the system allows no filter; without one all
     * messages pass. An old filter must go: it may hide wanted messages. */
    if (events->filtered &&
        setsockopt(events->socket, SOL_SOCKET, SO_DETACH_FILTER, &unused,
                   sizeof(unused)) < 0) {
        return -errno;
    }
    events->filtered = false;
    return 0;
}
