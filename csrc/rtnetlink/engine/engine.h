/* SPDX-License-Identifier: MIT */
/* What an engine is made of, for the files of this room alone. The reader owns
 * the event socket, the mirror and the list of subscribers, and no other
 * thread touches them: other threads leave a command and wait for its answer.
 * The reader waits for no other thread, so neither can hang on the other. */
#pragma once

#include "base/event.h"
#include "base/lock.h"
#include "base/thread.h"
#include "rtnetlink/decode/decode.h"
#include "rtnetlink/engine/backlog.h"
#include "rtnetlink/engine/dump.h"
#include "rtnetlink/mirror/mirror.h"
#include "rtnetlink/socket/event_socket.h"
#include "rtnetlink/socket/request_socket.h"
#include "rtnetlink/socket/table_set.h"

/* Guards the list of engines (engines.c); it is held over fork(). */
extern nio_lock nio_engine_list_lock;

typedef struct nio_engine nio_engine;

/* What a thread asks of the reader; on the asker's stack until answered. */
typedef struct nio_command {
    struct nio_command *next;
    enum { NIO_ATTACH, NIO_DETACH } what;
    nio_subscriber *subscriber;
    int receive_buffer; /* bytes wanted; 0: no wish */
    uint64_t begun;     /* by the reader, when it saw the command first */
    /* Under the engine's lock. */
    bool answered;
    int status; /* negative errno */
} nio_command;

/* Readings of one family's routes that were not to be trusted alone. */
typedef struct nio_attempts {
    unsigned count; /* since there was the last reason to read */
    /* Of the last ones, whatever the reason, the newest first; 0: none. */
    uint32_t marks[3];
} nio_attempts;

struct nio_engine {
    struct nio_engine *next NIO_GUARDED_BY(nio_engine_list_lock);
    /* 0: it is ending. */
    unsigned users NIO_GUARDED_BY(nio_engine_list_lock);
    uint64_t namespace_id; /* constant */
    nio_event wake;        /* set when there is a command or the end */
    nio_thread thread;

    nio_lock lock NIO_AFTER(nio_engine_list_lock);
    nio_condition answered;
    nio_command *commands NIO_GUARDED_BY(lock);
    bool stopping NIO_GUARDED_BY(lock);
    nio_statistics statistics NIO_GUARDED_BY(lock);

    /* The reader's alone. */
    nio_event_socket events;
    nio_request_socket requests;
    nio_mirror mirror;
    nio_dumper dumper;    /* into the mirror */
    nio_table_set tables; /* whose routes are asked for and kept */
    nio_legs legs;
    nio_backlog backlog;      /* what came while tables were read */
    nio_command *attaching;   /* commands that wait for an exact mirror */
    nio_command *postponed;   /* ... and for the feed to be fresh */
    nio_statistics counted;   /* not yet added to `statistics` */
    nio_attempts attempts[2]; /* IPv4, IPv6 */
    uint64_t churn[2];        /* route messages while tables were read */
    uint64_t begun;           /* readings of tables, counted */
    uint64_t read;            /* the last one that ended well */
    uint64_t failed;          /* the last one that did not, ... */
    int failure;              /* ... and why */
    unsigned failures;        /* in a row: restart.c */
    uint64_t not_before_ns;   /* when the next reading may begin */
    uint64_t heat;            /* messages beyond what is no storm ... */
    uint64_t heated_ns;       /* ... by then */
    int buffer_wish;          /* largest receive buffer that was asked for */
    bool lost;                /* messages were missed: all is read again */
    bool broken;              /* the feed is to be opened anew */
    bool stale;               /* the feed may hold what was before a gap */
    bool stop;                /* the reader has seen `stopping` */
    NL_NETWORK_CONNECTIVITY_HINT hint; /* as last told */
    USHORT teredo_port;
};

/* ---- engines.c */
/* A fork in between would copy a socket that it cannot find: it waits. */
void nio_engine_list_take(void) NIO_ACQUIRE(nio_engine_list_lock);
void nio_engine_list_drop(void) NIO_RELEASE(nio_engine_list_lock);

/* ---- engine.c: the life of one engine, for engines.c */
/* An engine of the calling thread's namespace, its reader started. */
int nio_engine_new(uint64_t namespace_id, nio_engine **ret_engine);
/* Stops the reader and joins it. */
void nio_engine_stop(nio_engine *engine);
void nio_engine_close_descriptors(nio_engine *engine);
/* Frees an engine whose reader never ran or is joined. */
void nio_engine_free(nio_engine *engine);
/* In the child of a fork: closes the copies of the engine's descriptors. */
void nio_engine_abandon(nio_engine *engine);
/* Joins the groups that every engine needs; sets the receive buffer. */
int nio_engine_join(nio_engine *engine);

/* ---- on the reader's thread */
void nio_reader_run(void *engine);
/* commands.c: take what was left by others; detach at once. */
void nio_take_commands(nio_engine *engine);
/* Whatever comes from the feed now was sent after the last command. */
void nio_engine_socket_is_empty(nio_engine *engine);
/* Attach those that waited, if the mirror allows it. */
void nio_serve_attaching(nio_engine *engine);
/* The kernel tells of routes again, after the feed was opened anew. */
int nio_rejoin_routes(nio_engine *engine);
/* restart.c: the kernel told us something that we did not get. */
void nio_engine_mark_lost(nio_engine *engine);
/* A reading or an opening failed; it is tried again after a pause. */
void nio_engine_failed(nio_engine *engine, int status);
/* The feed gave an error and is not to be trusted any more; open it anew. */
void nio_engine_socket_failed(nio_engine *engine, int status);
void nio_engine_reopen(nio_engine *engine);
/* apply.c: one datagram of the feed. */
void nio_apply(nio_engine *engine, nio_bytes bytes);
/* reconcile.c: read again what is dirty, compare, tell the difference. */
void nio_reconcile(nio_engine *engine);
/* derived.c: the hint, the port and the stable table, if they changed. */
void nio_derive(nio_engine *engine);
void nio_derive_for(nio_engine *engine, nio_subscriber *subscriber);
