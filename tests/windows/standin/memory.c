/* SPDX-License-Identifier: MIT */
/* Memory: a freed block is overwritten first, so that a program that still
 * reads it fails; and the tables that programs own and must free. */
#include "standin.h"

#include <string.h>

#define GARBAGE 0xDD
#define BUCKETS 1024

typedef struct table_header {
    struct table_header *next; /* in its bucket, while a program owns it */
    size_t size;               /* with the header */
} table_header;

_Static_assert(sizeof(table_header) % 16 == 0, "tables stay aligned");

static table_header *given[BUCKETS]; /* guarded by the lock */

void *
standin_allocate(size_t size)
{
    void *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
    if (block == NULL) {
        standin_die("out of memory");
    }
    return block;
}

void
standin_free(void *block, size_t size)
{
    if (block != NULL) {
        memset(block, GARBAGE, size);
        HeapFree(GetProcessHeap(), 0, block);
    }
}

void *
standin_table_new(size_t row_size, size_t count)
{
    size_t size = sizeof(table_header) +
                  offsetof(MIB_IPFORWARD_TABLE2, Table) + row_size * count;
    table_header *header = standin_allocate(size);
    ULONG number = (ULONG)count;
    header->size = size;
    memcpy(header + 1, &number, sizeof(number));
    return header + 1;
}

static table_header **
bucket_of(const void *table)
{
    return &given[((ULONG_PTR)table >> 5) % BUCKETS];
}

void
standin_table_give_locked(void *table)
{
    table_header *header = (table_header *)table - 1;
    table_header **bucket = bucket_of(table);
    header->next = *bucket;
    *bucket = header;
    standin_figures[STANDIN_GIVEN]++;
}

void
standin_table_free(void *table)
{
    if (table != NULL) {
        table_header *header = (table_header *)table - 1;
        standin_free(header, header->size);
    }
}

/* Only tables given away here are ours: others belong to Wine's functions. */
static bool
take_back(const void *table)
{
    bool found = false;
    standin_lock();
    for (table_header **at = bucket_of(table); *at != NULL;
         at = &(*at)->next) {
        if (*at + 1 == (const table_header *)table) {
            *at = (*at)->next;
            standin_figures[STANDIN_GIVEN]--;
            found = true;
            break;
        }
    }
    standin_unlock();
    return found;
}

EXPORT VOID WINAPI
FreeMibTable(PVOID table)
{
    if (table == NULL) {
        return;
    }
    if (take_back(table)) {
        standin_table_free(table);
        return;
    }
    HMODULE wine = GetModuleHandleW(L"iphlpapi_wine.dll");
    FARPROC function =
        wine == NULL ? NULL : GetProcAddress(wine, "FreeMibTable");
    if (function == NULL) {
        standin_die("FreeMibTable of what is no table");
    }
    ((VOID(WINAPI *)(PVOID))(void (*)(void))function)(table);
}
