/* SPDX-License-Identifier: MIT */
/* Requests to the kernel and their answers: see request_socket.h. */
#define _GNU_SOURCE
#include "rtnetlink/socket/request_socket.h"

#include "rtnetlink/socket/socket.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ALTERNATIVE_NAME_SIZE 128 /* ALTIFNAMSIZ */
#define ANSWER_SECONDS 30 /* a time-out that only a broken kernel reaches */

/* A new socket, or a negative errno. */
static int
open_socket(void)
{
    static const int on = 1;
    const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) {
        return -errno;
    }
    /* With strict checks (Linux 4.20) a dump leaves cloned routes out. */
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

int
nio_request_socket_open(nio_request_socket *requests)
{
    memset(requests, 0, sizeof(*requests));
    requests->socket = open_socket();
    requests->buffer = malloc(NIO_REPLY_SIZE);
    if (requests->buffer == NULL || requests->socket < 0) {
        int status = requests->socket < 0 ? requests->socket : -ENOMEM;
        nio_request_socket_close(requests);
        return status;
    }
    return 0;
}

void
nio_request_socket_close(nio_request_socket *requests)
{
    if (requests->socket >= 0) {
        close(requests->socket);
    }
    free(requests->buffer);
    requests->socket = -1;
    requests->buffer = NULL;
}

/* Receive one datagram of the kernel into the buffer. */
static int
receive(nio_request_socket *requests, nio_bytes *ret_bytes)
{
    struct sockaddr_nl sender = {0};
    struct iovec vector = {requests->buffer, NIO_REPLY_SIZE};
    struct msghdr message = {.msg_name = &sender,
                             .msg_namelen = sizeof(sender),
                             .msg_iov = &vector,
                             .msg_iovlen = 1};
    ssize_t length;
    do {
        message.msg_namelen = sizeof(sender);
        length = recvmsg(requests->socket, &message, 0);
    } while ((length < 0 && errno == EINTR) ||
             (length >= 0 && sender.nl_pid != 0));
    if (length < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : -errno;
    }
    if (message.msg_flags & MSG_TRUNC) {
        return -EMSGSIZE;
    }
    ret_bytes->at = requests->buffer;
    ret_bytes->left = (size_t)length;
    return 0;
}

/* The error in the body of NLMSG_ERROR or NLMSG_DONE; 0: none. */
static int
kernel_error(nio_bytes body)
{
    int error = 0;
    bool sound = nio_bytes_take(&body, &error, sizeof(error)) && error <= 0;
    return sound ? error : -EBADMSG;
}

/* Replace the socket. After an abandoned dump it still holds the rest of the
 * answer, and until that is read the kernel starts no other dump on it
 * (EBUSY).
 */
static int
renew(nio_request_socket *requests)
{
    int fresh = open_socket();
    return fresh < 0 ? fresh : nio_socket_replace(&requests->socket, fresh);
}

/* Give the messages of one datagram to `reply`. Returns 1 if more datagrams
 * follow, else what nio_query returns. */
static int
read_answer(nio_request_socket *requests, nio_bytes bytes, nio_reply reply,
            void *context, nio_answer *answer)
{
    struct nlmsghdr header;
    nio_bytes body;
    int more = 1;
    while (nio_message_next(&bytes, &header, &body)) {
        if (header.nlmsg_seq != requests->sequence) {
            continue; /* the answer to an abandoned request */
        }
        answer->interrupted |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (header.nlmsg_type == NLMSG_DONE ||
            header.nlmsg_type == NLMSG_ERROR) {
            return kernel_error(body);
        }
        if (header.nlmsg_type < NLMSG_MIN_TYPE) {
            continue;
        }
        int status = reply(context, &header, body);
        if (status < 0) {
            return status;
        }
        more = (header.nlmsg_flags & NLM_F_MULTI) ? 1 : 0;
    }
    return bytes.left != 0 ? -EBADMSG : more;
}

int
nio_query(nio_request_socket *requests, void *request, size_t size,
          nio_reply reply, void *context, nio_answer *ret_answer)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    nio_answer answer = {false, 0};
    struct nlmsghdr header;
    int status = requests->unread ? renew(requests) : 0;
    if (status < 0) {
        goto done;
    }
    memcpy(&header, request, sizeof(header));
    header.nlmsg_len = (uint32_t)size;
    header.nlmsg_seq = ++requests->sequence;
    memcpy(request, &header, sizeof(header));
    ssize_t sent;
    do {
        sent = sendto(requests->socket, request, size, 0,
                      (struct sockaddr *)&kernel, sizeof(kernel));
    } while (sent < 0 && errno == EINTR);
    status = sent < 0 ? -errno : 1;
    while (status == 1) {
        nio_bytes bytes = {NULL, 0};
        status = receive(requests, &bytes);
        if (status == 0) {
            answer.parts++;
            status = read_answer(requests, bytes, reply, context, &answer);
        }
        if (status == 1 && requests->between != NULL) {
            requests->between(requests->context);
        }
    }
    requests->unread = status < 0;
done:
    if (ret_answer != NULL) {
        *ret_answer = answer;
    }
    return status;
}

/* The size of the family header, which a strict kernel checks. */
static size_t
family_header_size(uint16_t type)
{
    switch (type) {
    case RTM_GETADDR:
        return sizeof(struct ifaddrmsg);
    case RTM_GETLINK:
        return sizeof(struct ifinfomsg);
    case RTM_GETROUTE:
        return sizeof(struct rtmsg);
    case RTM_GETNEXTHOP:
        return sizeof(struct nhmsg);
    default:
        return sizeof(struct ndtmsg);
    }
}

int
nio_query_table(nio_request_socket *requests, uint16_t type, uint8_t family,
                nio_reply reply, void *context, nio_answer *ret_answer)
{
    struct {
        struct nlmsghdr header;
        uint8_t family; /* the first byte of every family header */
        uint8_t rest[31];
    } request = {.header = {.nlmsg_type = type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .family = family};
    size_t size = sizeof(request.header) + family_header_size(type);
    return nio_query(requests, &request, size, reply, context, ret_answer);
}

int
nio_query_routes_of(nio_request_socket *requests, uint8_t family,
                    uint32_t index, uint32_t table, nio_reply reply,
                    void *context, nio_answer *ret_answer)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct {
            struct rtattr header;
            uint32_t value;
        } filters[2];
    } request = {.header = {.nlmsg_type = RTM_GETROUTE,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .route = {.rtm_family = family}};
    const struct {
        uint16_t type;
        uint32_t value;
    } wanted[2] = {{RTA_OIF, index}, {RTA_TABLE, table}};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        if (wanted[i].value != 0) {
            request.filters[count].header.rta_len = sizeof(request.filters[0]);
            request.filters[count].header.rta_type = wanted[i].type;
            request.filters[count].value = wanted[i].value;
            count++;
        }
    }
    return nio_query(requests, &request,
                     sizeof(request) -
                         (2 - count) * sizeof(request.filters[0]),
                     reply, context, ret_answer);
}

int
nio_query_link_named(nio_request_socket *requests, const char *name,
                     nio_reply reply, void *context)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        char name[ALTERNATIVE_NAME_SIZE];
    } request = {
        .header = {.nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST}};
    const size_t length = strlen(name) + 1;
    if (length > sizeof(request.name)) {
        return -EINVAL;
    }
    memcpy(request.name, name, length);
    /* Kernels before 5.5 know the first attribute only. */
    request.attribute.rta_type =
        length <= IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME;
    request.attribute.rta_len =
        (unsigned short)(sizeof(request.attribute) + length);
    size_t size = sizeof(request.header) + sizeof(request.link) +
                  RTA_ALIGN(request.attribute.rta_len);
    return nio_query(requests, &request, size, reply, context, NULL);
}

int
nio_query_link(nio_request_socket *requests, uint32_t index, nio_reply reply,
               void *context)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {.nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
        .link = {.ifi_index = (int)index}};
    return nio_query(requests, &request, sizeof(request), reply, context,
                     NULL);
}
