/* SPDX-License-Identifier: MIT */
/* The stacks of unseen deletes. */
#include "base/unseen_deletes.h"

#include <stdlib.h>

static bool
is_unseen_delete(const nio_change *record)
{
    return record->type == NIO_CHANGE_NOTHING ||
           (record->type == NIO_CHANGE_DELETE &&
            record->first_type == NIO_CHANGE_ADD);
}

static nio_unseen_stack *
stack_of(nio_unseen_deletes *unseen, uint8_t kind)
{
    return &unseen->stacks[kind % NIO_UNSEEN_STACKS];
}

/* Makes room for one entry: drops the entries of taken records, and allocates
 * where that does not help. */
static bool
reserve(nio_unseen_stack *stack, uint64_t oldest)
{
    size_t kept = 0;

    if (stack->count < stack->room) {
        return true;
    }
    for (size_t i = 0; i < stack->count; i++) {
        if (stack->all[i].number >= oldest) {
            stack->all[kept++] = stack->all[i];
        }
    }
    stack->count = kept;
    if (kept >= stack->room / 2) {
        size_t room = stack->room > 0 ? stack->room * 2 : 64;
        nio_unseen_delete *wider = realloc(stack->all, room * sizeof(*wider));
        if (wider == NULL) {
            return kept < stack->room;
        }
        stack->all = wider;
        stack->room = room;
    }
    return true;
}

void
nio_unseen_deletes_push(nio_unseen_deletes *unseen, nio_change *record,
                        uint64_t number, uint64_t oldest)
{
    nio_unseen_stack *stack = stack_of(unseen, record->kind);

    if (is_unseen_delete(record) && !record->in_stack &&
        reserve(stack, oldest)) {
        stack->all[stack->count++] = (nio_unseen_delete){number, record};
        record->in_stack = 1;
    }
}

nio_change *
nio_unseen_deletes_top(nio_unseen_deletes *unseen, uint8_t kind,
                       uint64_t oldest)
{
    nio_unseen_stack *stack = stack_of(unseen, kind);

    for (; stack->count > 0; stack->count--) {
        const nio_unseen_delete *top = &stack->all[stack->count - 1];
        if (top->number < oldest) {
            continue; /* the record may be freed */
        }
        if (is_unseen_delete(top->record)) {
            return top->record;
        }
        top->record->in_stack = 0;
    }
    return NULL;
}

void
nio_unseen_deletes_pop(nio_unseen_deletes *unseen, uint8_t kind)
{
    nio_unseen_stack *stack = stack_of(unseen, kind);

    stack->all[--stack->count].record->in_stack = 0;
}

void
nio_unseen_deletes_done(nio_unseen_deletes *unseen)
{
    for (size_t i = 0; i < NIO_UNSEEN_STACKS; i++) {
        free(unseen->stacks[i].all);
    }
    *unseen = (nio_unseen_deletes){.stacks = {{.all = NULL}}};
}
