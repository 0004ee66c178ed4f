/* SPDX-License-Identifier: MIT */
/* What an engine is made of, for the files of this room alone. The reader owns
 * the event socket, the mirror and the list of subscribers, and no other
 * thread touches them: other threads leave a command and wait for its answer.
 * The reader waits for no other thread, so neither can hang on the other. */
#pragma once

#include "base/debug.h"
#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"
#include "rtnetlink/decode/decode.h"
#include "rtnetlink/engine/backlog.h"
#include "rtnetlink/engine/dump.h"
#include "rtnetlink/mirror/mirror.h"
#include "rtnetlink/mirror/route_dump.h"
#include "rtnetlink/socket/event_socket.h"
#include "rtnetlink/socket/request_socket.h"
#include "rtnetlink/socket/table_set.h"

/* Guards the list of engines (engine_list.c); it is held over fork(). */
extern nio_lock nio_engine_list_lock;

typedef struct nio_engine nio_engine;

/* What a thread asks of the reader; on that thread's stack. */
typedef struct nio_command {
    struct nio_command *next;
    enum { NIO_ATTACH, NIO_DETACH, NIO_STOP } what;
    nio_subscriber *subscriber; /* NULL for NIO_STOP */
    int receive_buffer;         /* bytes; 0: as it is */
    uint64_t after; /* reconciles begun when the reader took the command */
    /* Under the engine's lock. */
    bool answered;
    int status; /* negative errno */
} nio_command;

/* The health of the stream of messages. reader.c says what follows from it. */
typedef enum nio_health {
    NIO_INTACT, /* no message since the last dump was lost */
    NIO_LOST,   /* messages were lost: all tables must be read again */
    NIO_BROKEN  /* the socket is unusable: it must be opened again */
} nio_health;

struct nio_engine {
    struct nio_engine *next NIO_GUARDED_BY(nio_engine_list_lock);
    /* 0: it is ending. */
    unsigned users NIO_GUARDED_BY(nio_engine_list_lock);
    uint64_t namespace_id; /* constant */
    nio_event wake;        /* set when a command is left */
    nio_thread thread;

    nio_lock lock NIO_AFTER(nio_engine_list_lock);
    nio_condition answered;
    nio_command *commands NIO_GUARDED_BY(lock);
    nio_statistics statistics NIO_GUARDED_BY(lock);

    /* All that follows is the reader's alone. */
    nio_event_socket events;
    nio_request_socket requests;
    nio_mirror mirror;
    nio_dumper dumper;    /* into the mirror */
    nio_table_set tables; /* whose routes are subscribed to and mirrored */
    nio_legs legs;        /* of the route that is being decoded */
    nio_backlog backlog;  /* messages that arrived during a reconcile */

    nio_health health;
    bool stop; /* the reader ends */
    /* The socket may hold route messages from before routes were left. */
    bool stale;
    unsigned failures; /* in a row */
    int failure;       /* the last one that subscribers get, negative errno */
    uint64_t due_ns;   /* when the next dump or opening may begin */

    nio_command *attaching; /* they wait for an exact mirror */
    nio_command *postponed; /* they wait for an empty socket before that */
    /* Reconciles are numbered: the last one that began, that succeeded and
     * that failed. */
    uint64_t reconciles, succeeded, failed;
    nio_route_dump route_dump; /* family AF_UNSPEC: none is read */
    nio_gaps undecided[2];     /* IPv4, IPv6: left by the dumps of a series */
    uint32_t known_link;       /* of the last row of the dump of routes */

    uint64_t burst;         /* the level of throttle_burst() ... */
    uint64_t burst_ns;      /* ... at that time */
    int requested_buffer;   /* the largest receive buffer; 0: the default */
    nio_statistics counted; /* not yet added to `statistics` */
    NL_NETWORK_CONNECTIVITY_HINT hint; /* as last reported */
    USHORT teredo_port;                /* as last reported */
};

/* ---- engine_list.c */
/* While a thread holds this lock no fork happens. */
void nio_engine_list_take(void) NIO_ACQUIRE(nio_engine_list_lock);
void nio_engine_list_drop(void) NIO_RELEASE(nio_engine_list_lock);
/* The head of the list. */
nio_engine **nio_engine_list(void) NIO_REQUIRES(nio_engine_list_lock);

/* ---- engine.c: the life of one engine, for engines.c */
/* An engine of the calling thread's namespace, and a thread that runs
 * `reader(engine)`. */
int nio_engine_new(uint64_t namespace_id, void (*reader)(void *engine),
                   nio_engine **ret_engine);
void nio_engine_close_descriptors(nio_engine *engine);
/* Frees an engine whose reader never ran or is joined. */
void nio_engine_free(nio_engine *engine);
/* In the child of a fork: closes the copies of the engine's descriptors. */
void nio_engine_abandon(nio_engine *engine);

/* ---- reader.c. This and all that follows run on the reader's thread. */
void nio_reader_run(void *engine);
/* Does the mirror equal the kernel's tables, as far as can be known? */
static inline bool
nio_engine_is_exact(const nio_engine *engine)
{
    return engine->health == NIO_INTACT &&
           !nio_dirty_any(&engine->mirror.dirty) &&
           !engine->mirror.allocation_failed;
}

/* ---- commands.c */
/* Take the commands that other threads have left. */
void nio_take_commands(nio_engine *engine);
/* The socket is empty: take those that waited for it. */
void nio_take_postponed(nio_engine *engine);
/* Attach the subscribers that wait, if the mirror allows it. */
void nio_serve_attaching(nio_engine *engine);

/* ---- groups.c: which messages the kernel sends to the event socket */
/* Join the groups that every engine needs; set the receive buffer. */
int nio_engine_join(nio_engine *engine);
/* After the socket was opened again: receive routes as before. */
int nio_rejoin_routes(nio_engine *engine);
/* Does the subscriber want routes that the kernel does not send yet? */
bool nio_needs_more_routes(const nio_engine *engine,
                           const nio_subscriber *subscriber);
/* Have the kernel send them. */
int nio_widen_routes(nio_engine *engine, const nio_subscriber *subscriber);
/* Have the kernel send no routes that no subscriber wants any more. */
void nio_narrow_routes(nio_engine *engine);

/* ---- apply.c */
/* Decode the messages of one datagram, and give them to the mirror. */
void nio_apply(nio_engine *engine, nio_bytes bytes);

/* ---- collect.c */
/* Move the datagrams of the event socket to the backlog, in at most `receives`
 * receives. True if the socket was empty in the end. */
bool nio_collect(nio_engine *engine, unsigned receives);

/* ---- read_routes.c */
/* The next dump of a series, or the first one of a new series where something
 * beside a race made the routes dirty (`has_reason`). */
int nio_read_routes_again(nio_engine *engine, uint8_t family, bool has_reason);
/* A part of a dump and then notifications were received. `is_socket_empty`:
 * these are all that were sent so far. */
void nio_end_route_part(nio_engine *engine, bool is_socket_empty);

/* ---- reconcile.c */
/* Read the dirty tables again, and report the differences. */
void nio_reconcile(nio_engine *engine);

/* ---- recovery.c */
/* Messages were lost: mark the gap in every stream. */
void nio_engine_mark_lost(nio_engine *engine);
/* A dump or an opening failed: try again after a pause. */
void nio_engine_failed(nio_engine *engine, int status);
/* The socket returned an error: open it again after a pause. */
void nio_engine_socket_failed(nio_engine *engine, int status);
void nio_engine_reopen(nio_engine *engine);
/* Messages were lost, and the gap is marked later. */
static inline void
nio_engine_note_loss(nio_engine *engine)
{
    if (engine->health == NIO_INTACT) {
        engine->health = NIO_LOST;
    }
}

/* ---- derived.c */
/* Report the hint, the port and the stable table if they have changed. */
void nio_derive(nio_engine *engine);
/* What a new subscriber gets of them first. */
void nio_derive_for(nio_engine *engine, nio_subscriber *subscriber);
