/* SPDX-License-Identifier: MIT */
/* The engines of this process, and what other threads ask of them: see
 * engines.h. */
#include "rtnetlink/engine/engines.h"

#include "rtnetlink/engine/engine.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_COOKIE 71 /* SO_NETNS_COOKIE, newer than the oldest headers */

/* A number that identifies the namespace as long as it exists, which an engine
 * ensures: the kernel's cookie (since 5.14), else the inode in /proc. */
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

/* Leave a command with the reader, and wait for its answer. */
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
nio_engine_acquire(nio_engine **ret_engine)
{
    uint64_t namespace_id = 0;
    nio_engine *engine;
    int status = find_namespace(&namespace_id);
    if (status < 0) {
        return status;
    }
    nio_debug_start();
    nio_engine_list_take();
    nio_engine **list = nio_engine_list();
    for (engine = *list; engine != NULL; engine = engine->next) {
        if (engine->users > 0 && engine->namespace_id == namespace_id) {
            break;
        }
    }
    if (engine == NULL) {
        status = nio_engine_new(namespace_id, nio_reader_run, &engine);
        if (status == 0) {
            engine->next = *list;
            *list = engine;
        }
    }
    if (status == 0) {
        engine->users++;
        *ret_engine = engine;
    }
    nio_engine_list_drop();
    if (status < 0) {
        nio_debug_stop();
    }
    return status;
}

/* After the last user. */
static void
end(nio_engine *engine)
{
    nio_command command = {.what = NIO_STOP};
    (void)ask(engine, &command);
    nio_thread_join(&engine->thread);
    /* The engine is listed until its descriptors are closed: the child of a
     * fork in between would keep a socket that fills and that nothing reads.
     */
    nio_engine_list_take();
    nio_engine **link = nio_engine_list();
    while (*link != engine) {
        link = &(*link)->next;
    }
    *link = engine->next;
    nio_engine_close_descriptors(engine);
    nio_engine_list_drop();
    nio_engine_free(engine);
}

void
nio_engine_release(nio_engine *engine)
{
    nio_engine_list_take();
    bool last = --engine->users == 0;
    nio_engine_list_drop();
    if (last) {
        end(engine);
    }
    nio_debug_stop();
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
