/* SPDX-License-Identifier: MIT */
/* Fuzz target: the kernel's answers. The input supplies the results of the
 * sockets' system calls: truncated datagrams, other senders, wrong sequence
 * numbers, errors, and notifications in the middle of a dump. They are read
 * by nio_reconcile, after which the followers must have the mirror's state, or
 * by one of the Get* functions. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "offline_engine.h"

#include "contract/tower.h"
#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <sys/socket.h>

#define FAKE_SOCKET 1000 /* the descriptor of every socket */

/* What a piece is, as flags in its `how`. */
enum {
    CHANGE = 1,   /* a notification, not an answer */
    FOREIGN = 2,  /* not sent by the kernel */
    CUT = 4,      /* longer than the buffer */
    ERROR = 8,    /* the call fails; the first byte selects the error */
    NUMBERED = 16 /* its messages keep their sequence numbers */
};

static nio_bytes input;
static uint32_t last_sequence; /* of the last request */

static int
error_of(const piece *taken)
{
    static const int errors[] = {EINTR, ENOBUFS, ENOMEM, EAGAIN, ECONNREFUSED};
    return errors[(taken->size > 0 ? taken->bytes[0] : 0) % 5];
}

/* Make the messages an answer to the last request. */
static void
give_sequence(const piece *taken)
{
    nio_bytes messages = piece_bytes(taken);
    const uint8_t *start = messages.at;
    struct nlmsghdr header;
    nio_bytes body;
    while (nio_message_next(&messages, &header, &body)) {
        header.nlmsg_seq = last_sequence;
        size_t at = (size_t)(body.at - start) - sizeof(header);
        memcpy(taken->bytes + at, &header, sizeof(header));
    }
}

/* Receive one piece, as recvmsg does. Returns its length, or -1. */
static ssize_t
deliver(struct msghdr *message)
{
    piece taken;
    ssize_t length = -1;
    struct sockaddr_nl sender = {.nl_family = AF_NETLINK};
    errno = EAGAIN;
    if (!piece_next(&input, &taken)) {
        return -1;
    }
    if (taken.how & ERROR) {
        errno = error_of(&taken);
        goto done;
    }
    if (!(taken.how & NUMBERED)) {
        give_sequence(&taken);
    }
    struct iovec *buffer = message->msg_iov;
    size_t size = taken.size < buffer->iov_len ? taken.size : buffer->iov_len;
    memcpy(buffer->iov_base, taken.bytes, size);
    sender.nl_pid = taken.how & FOREIGN ? 77 : 0;
    memcpy(message->msg_name, &sender, sizeof(sender));
    message->msg_flags = taken.how & CUT ? MSG_TRUNC : 0;
    length = (ssize_t)size;
done:
    free(taken.bytes);
    return length;
}

/* ---- the system calls */
int __wrap_socket(int domain, int type, int protocol);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
                      socklen_t size);
int __wrap_dup3(int from, int to, int flags);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t size, int flags,
                      const struct sockaddr *to, socklen_t to_size);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count,
                    int flags, struct timespec *timeout);
int __real_close(int fd);
int __wrap_close(int fd);

int
__wrap_socket(int domain, int type, int protocol)
{
    (void)type;
    CHECK_EQUAL(domain, AF_NETLINK);
    CHECK_EQUAL(protocol, NETLINK_ROUTE);
    return FAKE_SOCKET;
}

int
__wrap_setsockopt(int fd, int level, int name, const void *value,
                  socklen_t size)
{
    (void)level;
    (void)name;
    (void)value;
    (void)size;
    CHECK_EQUAL(fd, FAKE_SOCKET);
    return 0;
}

int
__wrap_dup3(int from, int to, int flags)
{
    (void)flags;
    CHECK_EQUAL(from, FAKE_SOCKET);
    return to;
}

int
__wrap_close(int fd)
{
    return fd == FAKE_SOCKET ? 0 : __real_close(fd);
}

ssize_t
__wrap_sendto(int fd, const void *bytes, size_t size, int flags,
              const struct sockaddr *to, socklen_t to_size)
{
    struct nlmsghdr header;
    (void)flags;
    (void)to;
    CHECK_EQUAL(fd, FAKE_SOCKET);
    CHECK_EQUAL(to_size, sizeof(struct sockaddr_nl));
    CHECK(size >= sizeof(header));
    memcpy(&header, bytes, sizeof(header));
    CHECK_EQUAL(header.nlmsg_len, size);
    if (header.nlmsg_type != NLMSG_NOOP) {
        CHECK(header.nlmsg_flags & NLM_F_REQUEST);
        last_sequence = header.nlmsg_seq;
    }
    return (ssize_t)size;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    CHECK_EQUAL(fd, FAKE_SOCKET);
    CHECK_EQUAL(flags, 0);
    return deliver(message);
}

int
__wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                struct timespec *timeout)
{
    (void)count;
    (void)timeout;
    CHECK_EQUAL(fd, FAKE_SOCKET);
    CHECK_EQUAL(flags, MSG_DONTWAIT);
    if (input.left < 4 || !(input.at[2] & CHANGE)) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t length = deliver(&messages[0].msg_hdr);
    messages[0].msg_len = length < 0 ? 0 : (unsigned)length;
    return length < 0 ? -1 : 1;
}

/* ---- the readers */
static void
check_reconcile(void)
{
    static nio_event_socket events; /* its buffers are 4 MiB: kept */
    offline_engine all;
    nio_engine *engine = &all.engine;
    if (events.slots == NULL) {
        CHECK_EQUAL(nio_event_socket_open(&events), 0);
    }
    offline_engine_open(&all);
    nio_lock_init(&engine->lock);
    CHECK(nio_event_init(&engine->wake));
    engine->events = events;
    CHECK_EQUAL(nio_request_socket_open(&engine->requests), 0);
    nio_mirror_dirty_all(&engine->mirror);
    do {
        nio_reconcile(engine);
        engine->health = NIO_INTACT;
        CHECK(engine->backlog.size == 0);
    } while (input.left >= 4 && nio_dirty_any(&engine->mirror.dirty));
    offline_engine_check(&all);
    offline_engine_check_empty_dump(&all);
    nio_request_socket_close(&engine->requests);
    nio_event_done(&engine->wake);
    nio_lock_done(&engine->lock);
    offline_engine_close(&all);
}

static void
read_tables(ADDRESS_FAMILY family)
{
    PMIB_IPFORWARD_TABLE2 routes = NULL;
    PMIB_UNICASTIPADDRESS_TABLE addresses = NULL;
    PMIB_IPINTERFACE_TABLE interfaces = NULL;
    if (GetIpForwardTable2(family, &routes) == NO_ERROR) {
        for (ULONG i = 0; i < routes->NumEntries; i++) {
            CHECK(routes->Table[i].DestinationPrefix.PrefixLength <= 128);
        }
        FreeMibTable(routes);
    }
    if (GetUnicastIpAddressTable(family, &addresses) == NO_ERROR) {
        for (ULONG i = 0; i < addresses->NumEntries; i++) {
            CHECK(addresses->Table[i].OnLinkPrefixLength <= 128);
        }
        FreeMibTable(addresses);
    }
    if (GetIpInterfaceTable(family, &interfaces) == NO_ERROR) {
        for (ULONG i = 0; i < interfaces->NumEntries; i++) {
            CHECK(interfaces->Table[i].Name[15] == 0);
        }
        FreeMibTable(interfaces);
    }
}

static void
read_entries(ADDRESS_FAMILY family)
{
    MIB_IPFORWARD_ROW2 route;
    MIB_UNICASTIPADDRESS_ROW address;
    MIB_IPINTERFACE_ROW interface;
    NL_NETWORK_CONNECTIVITY_HINT hint;
    USHORT port;
    memset(&route, 0, sizeof(route));
    memset(&address, 0, sizeof(address));
    memset(&interface, 0, sizeof(interface));
    route.InterfaceIndex = address.InterfaceIndex = 1;
    interface.InterfaceIndex = 1;
    route.DestinationPrefix.Prefix.si_family = family;
    route.NextHop.si_family = address.Address.si_family = family;
    interface.Family = family;
    (void)GetIpForwardEntry2(&route);
    (void)GetUnicastIpAddressEntry(&address);
    (void)GetIpInterfaceEntry(&interface);
    nio_extra_drop(route.Extra);
    nio_extra_drop(interface.Extra);
    (void)GetTeredoPort(&port);
    (void)GetNetworkConnectivityHint(&hint);
}

static void
read_best_route(ADDRESS_FAMILY family)
{
    SOCKADDR_INET destination, source;
    MIB_IPFORWARD_ROW2 route;
    const uint8_t bytes[16] = {10, 0, 0, 9};
    nio_sockaddr((uint8_t)family, bytes, 0, &destination);
    if (GetBestRoute2(NULL, 0, NULL, &destination, 0, &route, &source) ==
        NO_ERROR) {
        CHECK(route.DestinationPrefix.PrefixLength <= 128);
        nio_extra_drop(route.Extra);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    ADDRESS_FAMILY family = bytes[0] & 4 ? AF_INET6 : AF_INET;
    input.at = bytes + 1;
    input.left = size - 1;
    switch (bytes[0] & 3) {
    case 0:
        check_reconcile();
        break;
    case 1:
        read_tables(bytes[0] & 8 ? AF_UNSPEC : family);
        break;
    case 2:
        read_entries(family);
        break;
    default:
        read_best_route(family);
        break;
    }
    return 0;
}
