/* SPDX-License-Identifier: MIT */
/* The stand-in for iphlpapi.dll, which tests under Wine load in its place: the
 * change notifications and tables of Windows, and functions for tests
 * (control.c) that make the changes. One lock guards everything; it is never
 * held while a callback runs. `_locked`: the caller holds it. */
#pragma once

#define WIN32_LEAN_AND_MEAN
/* In this order: netioapi.h declares little unless the others came first. */
#include <winsock2.h>
#include <ws2ipdef.h>
#include <windows.h>
#include <iphlpapi.h>

#include <stdbool.h>
#include <stddef.h>

/* The build script exports the functions that follow this word. */
#define EXPORT

/* mingw-w64 lacks the types of the connectivity hint. */
typedef struct standin_hint {
    int level;
    int cost;
    BOOLEAN approaching_limit;
    BOOLEAN over_limit;
    BOOLEAN roaming;
} standin_hint;
typedef VOID(WINAPI *standin_hint_callback)(PVOID context, standin_hint hint);

typedef enum standin_kind {
    STANDIN_INTERFACE,
    STANDIN_ADDRESS,
    STANDIN_ROUTE,
    STANDIN_TEREDO,
    STANDIN_HINT,
    STANDIN_STABLE,
} standin_kind;
#define STANDIN_TABLES 3 /* the first three kinds have a table */

typedef enum standin_setting {
    STANDIN_SYNCHRONOUS_INITIAL, /* on the caller's thread, handle unset */
    STANDIN_OVERLAP,             /* each event is a pool job of its own */
    STANDIN_DELAY_MS,            /* before each callback */
    STANDIN_BLOCKED,             /* callbacks are dequeued, and wait */
    STANDIN_NULL_HANDLES,        /* success without a handle or a callback */
    STANDIN_FULL_ROWS,           /* callbacks see more than the key members */
    STANDIN_SILENT,              /* tables change without notifications */
    STANDIN_REPEAT_STABLE,       /* callbacks for each stable table */
    STANDIN_LATE,                /* callbacks during a cancel */
    STANDIN_FLOOD_PAUSE_MS,      /* after each round of a flood */
    STANDIN_READ_UNTIL,          /* rows are read up to this ENTRY_CALLS */
    STANDIN_NO_TABLE,            /* the stable table's callback gets NULL */
    STANDIN_FAMILY_QUEUES,       /* AF_UNSPEC: IPv4 and IPv6 at once */
    STANDIN_MERGE,               /* what waits, by key: see queue.c */
    STANDIN_BARE_DELETES,        /* bits: no LUID, no index, no next hop */
    STANDIN_SERVICE_ERROR,       /* of Notify*; an event ends in silence */
    STANDIN_COMPARTMENT,         /* of the network; 0 stands for 1 */
    STANDIN_GONE,                /* a family that is not installed */
    STANDIN_GONE_CODE,           /* of Notify* for it, and for both */
    STANDIN_SETTINGS
} standin_setting;

typedef enum standin_figure {
    STANDIN_LIVE,        /* registrations */
    STANDIN_CANCELLED,   /* cancels that succeeded */
    STANDIN_CALLBACKS,   /* returned */
    STANDIN_GIVEN,       /* tables that wait for FreeMibTable */
    STANDIN_QUEUED,      /* events that wait for their callback */
    STANDIN_ENTRY_CALLS, /* of Get*Entry* */
    STANDIN_TABLE_CALLS, /* of Get*Table* */
    STANDIN_POSTED,      /* events queued so far */
    STANDIN_REFUSED,     /* cancels of other than a live handle */
    STANDIN_RUNNING,     /* running callbacks */
    STANDIN_HELD,        /* Get*Entry* calls held by READ_UNTIL */
    STANDIN_MERGED,      /* events that a later one has replaced */
    STANDIN_FIGURES
} standin_figure;

/* A row of the three tables, or the value of the other kinds. */
typedef union standin_row {
    MIB_IPINTERFACE_ROW interface_row;
    MIB_UNICASTIPADDRESS_ROW address;
    MIB_IPFORWARD_ROW2 route;
    USHORT port;
    standin_hint hint;
    MIB_UNICASTIPADDRESS_TABLE *table; /* owned */
} standin_row;

/* ---- state.c ------------------------------------------------------------ */

void standin_lock(void);
void standin_unlock(void);
/* Waits for the next standin_wake; false after the time-out. */
bool standin_wait_locked(DWORD timeout_ms);
void standin_wake_locked(void);

extern DWORD standin_settings[STANDIN_SETTINGS]; /* guarded by the lock */
extern LONG standin_figures[STANDIN_FIGURES];    /* guarded by the lock */
void standin_default_settings_locked(void);

/* The code that this function must fail with now, or NO_ERROR. Every exported
 * function of Windows calls it first, with __func__. */
DWORD standin_failure(const char *function);

/* Ends the process with a message. */
void standin_die(const char *why);

/* ---- compartment.c ------------------------------------------------------ */

/* Is this thread in the compartment of the network? */
bool standin_is_here_locked(void);

/* ---- memory.c ----------------------------------------------------------- */

/* Zeroed; never NULL. */
void *standin_allocate(size_t size);
/* Overwrites the block first, so that a later read fails. NULL is allowed. */
void standin_free(void *block, size_t size);
/* A table of `count` rows, not yet given away: NumEntries is set. */
void *standin_table_new(size_t row_size, size_t count);
/* From now on the program owns it, until FreeMibTable. */
void standin_table_give_locked(void *table);
/* Frees a table that was not given away. NULL is allowed. */
void standin_table_free(void *table);
