/* SPDX-License-Identifier: MIT */
/* A change of the network as a record: made by control.c from the calls of
 * tests, passed to other processes by journal.c, and applied. */
#pragma once

#include "standin.h"

typedef enum change_operation {
    CHANGE_RESET,
    CHANGE_PUT_LINK,    /* row, alias */
    CHANGE_DELETE_LINK, /* numbers: family, index */
    CHANGE_PUT_ADDRESS, /* row */
    CHANGE_DELETE_ADDRESS,
    CHANGE_PUT_ROUTES, /* the first row; numbers: count */
    CHANGE_DELETE_ROUTES,
    CHANGE_TEREDO, /* row */
    CHANGE_HINT,   /* row */
    CHANGE_INJECT, /* row; numbers: kind, family, type, has a row */
    CHANGE_FLOOD,  /* row; numbers: count, rounds, threads, pause */
    CHANGE_FLOOD_STOP,
} change_operation;

typedef struct change {
    UINT32 size; /* used bytes of this record */
    UINT32 operation;
    UINT32 numbers[4];
    standin_row row;
    WCHAR alias[IF_MAX_STRING_SIZE + 1]; /* "": none */
} change;

/* ---- control.c ---------------------------------------------------------- */

/* In this process. Returns a Win32 code; for an injection, the number of
 * registrations called. */
DWORD change_apply(const change *what);

/* ---- journal.c ---------------------------------------------------------- */

/* At the first call of any exported function: sets the tables as after a reset
 * or, where the process shares a journal, as in the other processes. */
void journal_begin(void);
/* In this process, and in all that share the journal. */
DWORD journal_submit(const change *what);

/* ---- flood.c ------------------------------------------------------------ */

DWORD flood_begin(const change *what);
/* Waits for its threads; returns the number of route changes they made. */
ULONG flood_end(void);
/* The row of the prefix that follows `number` prefixes later. */
MIB_IPFORWARD_ROW2 flood_row(const MIB_IPFORWARD_ROW2 *first, ULONG number);
