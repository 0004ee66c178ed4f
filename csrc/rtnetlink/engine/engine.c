/* SPDX-License-Identifier: MIT */
/* The life of one engine: see engine.h. */
#include "rtnetlink/engine/engine.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Asked for when nobody says otherwise; without the right to it the kernel
 * gives what net.core.rmem_max allows. Memory is used only under load. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)

static const int groups[] = {
    RTNLGRP_LINK,        RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV6_IFINFO, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
};

void
nio_engine_close_descriptors(nio_engine *engine)
{
    nio_event_socket_close(&engine->events);
    nio_request_socket_close(&engine->requests);
    nio_event_done(&engine->wake);
}

void
nio_engine_free(nio_engine *engine)
{
    nio_engine_close_descriptors(engine);
    nio_mirror_done(&engine->mirror);
    nio_table_set_done(&engine->tables);
    nio_legs_done(&engine->legs);
    nio_backlog_clear(&engine->backlog);
    nio_condition_done(&engine->answered);
    nio_lock_done(&engine->lock);
    free(engine);
}

int
nio_engine_join(nio_engine *engine)
{
    int status = 0;
    int wish = engine->buffer_wish > 0 ? engine->buffer_wish : RECEIVE_BUFFER;
    engine->counted.receive_buffer =
        nio_event_socket_set_buffer(&engine->events, wish);
    for (size_t i = 0; status == 0 && i < sizeof(groups) / sizeof(groups[0]);
         i++) {
        status = nio_event_socket_join(&engine->events, groups[i]);
    }
    return status;
}

static int
open_sockets(nio_engine *engine)
{
    int status = nio_event_socket_open(&engine->events);
    if (status == 0) {
        status = nio_engine_join(engine);
    }
    if (status == 0) {
        status = nio_request_socket_open(&engine->requests);
    }
    return status;
}

int
nio_engine_new(uint64_t namespace_id, nio_engine **ret_engine)
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
    engine->events.socket = -1;
    engine->requests.socket = -1;
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
        nio_engine_free(engine);
    }
    return status;
}

void
nio_engine_stop(nio_engine *engine)
{
    nio_lock_take(&engine->lock);
    engine->stopping = true;
    nio_lock_drop(&engine->lock);
    nio_event_set(&engine->wake);
    nio_thread_join(&engine->thread);
}

void
nio_engine_abandon(nio_engine *engine)
{
    /* The memory stays: the threads that used it do not exist here, but their
     * locks may be taken. The descriptors must not keep the parent's sockets
     * in their groups. */
    close(engine->events.socket);
    close(engine->requests.socket);
    close(nio_event_descriptor(&engine->wake));
}
