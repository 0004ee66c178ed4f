/* SPDX-License-Identifier: MIT */
/* The life of an engine, and what other threads ask of it: see engine.h. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/api/registry.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Asked for when nobody says otherwise; without the right to it the kernel
 * gives what net.core.rmem_max allows. Memory is used only under load. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)

#define NETNS_COOKIE 71 /* SO_NETNS_COOKIE, newer than the oldest headers */

static const int groups[] = {
    RTNLGRP_LINK,        RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV6_IFINFO, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
};

static void
close_descriptors(nio_engine *engine)
{
    nio_event_socket_close(&engine->feed);
    nio_request_socket_close(&engine->requester);
    nio_event_done(&engine->wake);
}

/* Frees what an engine owns; its thread has never run or is joined. */
static nio_engine *
engine_free(nio_engine *engine)
{
    close_descriptors(engine);
    nio_mirror_done(&engine->mirror);
    nio_table_set_done(&engine->tables);
    nio_legs_done(&engine->legs);
    nio_backlog_clear(&engine->backlog);
    nio_condition_done(&engine->answered);
    nio_lock_done(&engine->lock);
    free(engine);
    return NULL;
}

int
nio_engine_join(nio_engine *engine)
{
    int status = 0;
    int wish = engine->buffer_wish > 0 ? engine->buffer_wish : RECEIVE_BUFFER;
    engine->counted.receive_buffer =
        nio_event_socket_set_buffer(&engine->feed, wish);
    for (size_t i = 0; status == 0 && i < sizeof(groups) / sizeof(groups[0]);
         i++) {
        status = nio_event_socket_join(&engine->feed, groups[i]);
    }
    return status;
}

static int
open_sockets(nio_engine *engine)
{
    int status = nio_event_socket_open(&engine->feed);
    if (status == 0) {
        status = nio_engine_join(engine);
    }
    if (status == 0) {
        status = nio_request_socket_open(&engine->requester);
    }
    return status;
}

static int
engine_new(uint64_t namespace_id, nio_engine **ret_engine)
{
    nio_engine *engine = calloc(1, sizeof(*engine));
    int status = -ENOMEM;
    if (engine == NULL) {
        return status;
    }
    if (!nio_event_init(&engine->wake)) {
        free(engine);
        return -EMFILE;
    }
    engine->feed.socket = -1;
    engine->requester.socket = -1;
    engine->namespace_id = namespace_id;
    nio_lock_init(&engine->lock);
    nio_condition_init(&engine->answered);
    nio_mirror_init(&engine->mirror);
    status = open_sockets(engine);
    if (status < 0) {
        goto done;
    }
    /* The thread belongs to the namespace of the one that starts it. */
    if (!nio_thread_start(&engine->thread, "netio-reader", nio_reader_run,
                          engine)) {
        status = -EAGAIN;
        goto done;
    }
    *ret_engine = engine;
    engine = NULL;
done:
    if (engine != NULL) {
        engine_free(engine);
    }
    return status;
}

/* A number that only this namespace has, as long as anything of it lives (an
 * engine does): the kernel's cookie (since 5.14), else the inode in /proc. */
static int
find_namespace(uint64_t *ret_id)
{
    struct stat inode;
    socklen_t size = sizeof(*ret_id);
    int probe = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (probe < 0) {
        return -errno;
    }
    int failed = getsockopt(probe, SOL_SOCKET, NETNS_COOKIE, ret_id, &size);
    close(probe);
    if (failed == 0) {
        return 0;
    }
    if (stat("/proc/thread-self/ns/net", &inode) < 0) {
        return -errno;
    }
    *ret_id = inode.st_ino;
    return 0;
}

int
nio_engine_acquire(nio_engine **ret_engine)
{
    uint64_t namespace_id = 0;
    nio_engine *engine;
    int status = find_namespace(&namespace_id);
    if (status < 0) {
        return status;
    }
    nio_registry_lock();
    nio_engine **engines = nio_registry_engines();
    for (engine = *engines; engine != NULL; engine = engine->next) {
        if (engine->users > 0 && engine->namespace_id == namespace_id) {
            break;
        }
    }
    if (engine == NULL) {
        status = engine_new(namespace_id, &engine);
        if (status == 0) {
            engine->next = *engines;
            *engines = engine;
        }
    }
    if (status == 0) {
        engine->users++;
        *ret_engine = engine;
    }
    nio_registry_unlock();
    return status;
}

void
nio_engine_release(nio_engine *engine)
{
    bool last;
    nio_registry_lock();
    last = --engine->users == 0;
    nio_registry_unlock();
    if (!last) {
        return;
    }
    nio_lock_take(&engine->lock);
    engine->stopping = true;
    nio_lock_drop(&engine->lock);
    nio_event_set(&engine->wake);
    nio_thread_join(&engine->thread);
    /* Listed until its descriptors are closed: a child that a fork makes
     * meanwhile would keep a socket that fills and that nobody reads. */
    nio_registry_lock();
    nio_engine **link = nio_registry_engines();
    while (*link != engine) {
        link = &(*link)->next;
    }
    *link = engine->next;
    close_descriptors(engine);
    nio_registry_unlock();
    engine_free(engine);
}

/* Leave a command with the reader and wait for its answer. */
static int
ask(nio_engine *engine, nio_command *command)
{
    nio_lock_take(&engine->lock);
    command->next = engine->commands;
    engine->commands = command;
    nio_event_set(&engine->wake);
    while (!command->answered) {
        nio_condition_wait(&engine->answered, &engine->lock);
    }
    nio_lock_drop(&engine->lock);
    return command->status;
}

int
nio_engine_attach(nio_engine *engine, nio_subscriber *subscriber,
                  int receive_buffer)
{
    nio_command command = {.what = NIO_ATTACH,
                           .subscriber = subscriber,
                           .receive_buffer = receive_buffer};
    return ask(engine, &command);
}

void
nio_engine_detach(nio_engine *engine, nio_subscriber *subscriber)
{
    nio_command command = {.what = NIO_DETACH, .subscriber = subscriber};
    (void)ask(engine, &command);
}

nio_statistics
nio_engine_statistics(nio_engine *engine)
{
    nio_lock_take(&engine->lock);
    nio_statistics statistics = engine->statistics;
    nio_lock_drop(&engine->lock);
    return statistics;
}

void
nio_engine_abandon(nio_engine *engine)
{
    /* The memory stays: the threads that used it do not exist here, but their
     * locks may be taken. The descriptors must not keep the parent's sockets
     * in their groups. */
    close(engine->feed.socket);
    close(engine->requester.socket);
    close(nio_event_descriptor(&engine->wake));
}
