/* SPDX-License-Identifier: MIT */
/* The life of one engine: see engine.h. */
#include "rtnetlink/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    nio_legs_done(&engine->legs);
    nio_mirror_done(&engine->mirror);
    nio_table_set_done(&engine->tables);
    nio_gaps_done(&engine->undecided[0]);
    nio_gaps_done(&engine->undecided[1]);
    nio_backlog_clear(&engine->backlog);
    nio_condition_done(&engine->answered);
    nio_lock_done(&engine->lock);
    free(engine);
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
nio_engine_new(uint64_t namespace_id, void (*reader)(void *engine),
               nio_engine **ret_engine)
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
    /* A thread belongs to the network namespace of the thread that starts it.
     */
    if (!nio_thread_start(&engine->thread, "netio-reader", reader, engine)) {
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
nio_engine_abandon(nio_engine *engine)
{
    /* The memory is leaked: its threads do not exist here, but may have held
     * its locks. The descriptors are closed, or they would keep the parent's
     * sockets in their groups. */
    close(engine->events.socket);
    close(engine->requests.socket);
    close(nio_event_descriptor(&engine->wake));
}
