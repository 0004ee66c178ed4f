/* SPDX-License-Identifier: MIT */
/* The queue (base/queue.h) compared with a simple model on random walks, and
 * between two threads. Arguments: a seed, and the number of changes that pass
 * from one thread to the other. */
#include "queue_support.h"

#include "base/thread.h"

/* ---- the model: a list with linear search */
typedef struct item {
    int kind, type, first, flags;
    uint32_t key, value;
    uint32_t number;
    bool in_stack;
} item;

enum { MAX_KEYS = 3000, MAX_ITEMS = 40000 };

typedef struct model {
    size_t bound, count;
    bool delivers_unseen;
    item items[MAX_ITEMS];
    uint32_t numbers,
        unseen[3][MAX_ITEMS]; /* by kind: numbers of unseen deletes */
    size_t unseen_count[3];
    /* The state of the system, and the state that a taker of all changes has
     * rebuilt: the value of each key, 0 for absent. */
    uint32_t truth[3][MAX_KEYS], rebuilt[3][MAX_KEYS];
} model;

static void
model_append(model *model, item new)
{
    CHECK(model->count < MAX_ITEMS);
    new.first = new.type;
    new.number = ++model->numbers;
    model->items[model->count++] = new;
}

static bool
is_unseen_delete(const item *item)
{
    return item->kind != NIO_CHANGE_MARK && item->first == ADD &&
           (item->type == DELETE || item->type == NIO_CHANGE_NOTHING);
}

/* The first item from `at` on that is delivered. */
static size_t
pass_nothing(const model *model, size_t at)
{
    while (at < model->count && model->items[at].type == NIO_CHANGE_NOTHING) {
        at++;
    }
    return at;
}

/* A queue drops what came and went, once nothing else is queued. */
static void
drop_nothing(model *model)
{
    if (pass_nothing(model, 0) == model->count) {
        model->count = 0;
        memset(model->unseen_count, 0, sizeof(model->unseen_count));
    }
}

static void
push_unseen_delete(model *model, item *item)
{
    if (is_unseen_delete(item) && !item->in_stack) {
        size_t *count = &model->unseen_count[item->kind];
        CHECK(*count < MAX_ITEMS);
        model->unseen[item->kind][(*count)++] = item->number;
        item->in_stack = true;
    }
}

/* The newest unseen delete whose key has no other record; NULL: none. */
static item *
take_unseen_delete(model *model, int kind)
{
    while (model->unseen_count[kind] > 0) {
        const uint32_t number =
            model->unseen[kind][--model->unseen_count[kind]];
        size_t at = 0, queued = 0;
        while (at < model->count && model->items[at].number != number) {
            at++;
        }
        if (at == model->count) {
            continue;
        }
        item *found = &model->items[at];
        found->in_stack = false;
        for (size_t i = 0; i < model->count; i++) {
            queued += model->items[i].kind == found->kind &&
                      model->items[i].key == found->key;
        }
        if (is_unseen_delete(found) && queued == 1) {
            return found;
        }
    }
    return NULL;
}

static void
model_put(model *model, item new)
{
    for (size_t i = model->count; model->count >= model->bound && i-- > 0;) {
        item *old = &model->items[i];
        if (old->kind != new.kind || old->key != new.key) {
            continue;
        }
        if (new.type != DELETE) {
            new.type = old->first == ADD ? ADD : PARAMETER;
            new.flags |= old->flags & NIO_FLAG_SNAPSHOT;
        }
        new.first = old->first;
        if (is_unseen_delete(&new) && !model->delivers_unseen) {
            new.type = NIO_CHANGE_NOTHING;
        }
        new.number = old->number;
        new.in_stack = old->in_stack;
        *old = new;
        push_unseen_delete(model, old);
        drop_nothing(model);
        return;
    }
    item *place = model->count >= model->bound
                      ? take_unseen_delete(model, new.kind)
                      : NULL;
    if (place != NULL) {
        new.first = new.type;
        new.number = place->number;
        *place = new;
        return;
    }
    model_append(model, new);
}

static void
model_mark(model *model, int flag)
{
    item *last = model->count > 0 ? &model->items[model->count - 1] : NULL;
    const bool behind = last != NULL && last->kind == NIO_CHANGE_MARK;
    const bool full = model->count >= model->bound;

    if (behind && last->flags == flag) {
        return;
    }
    if (behind && full &&
        (flag == NIO_FLAG_OVERFLOW ||
         (model->count > 1 && last[-1].kind == NIO_CHANGE_MARK &&
          last[-1].flags == NIO_FLAG_OVERFLOW))) {
        last->flags = flag;
    } else {
        model_append(model, (item){.kind = NIO_CHANGE_MARK, .flags = flag});
    }
}

/* Rebuilds the state as a program does: each type must fit it. */
static void
rebuild(model *model, const item *change)
{
    uint32_t *known = &model->rebuilt[change->kind][change->key];

    CHECK((*known == 0) == (change->type == ADD) ||
          (model->delivers_unseen && is_unseen_delete(change)));
    *known = change->type == DELETE ? 0 : change->value;
}

static void
take_and_compare(nio_queue *queue, model *model, size_t max_count)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;
    size_t at = 0, count = 0;

    (void)nio_queue_take(queue, max_count, &taken);
    for (; count < taken.count; count++) {
        CHECK((change = nio_taken_next(&taken, &cursor)) != NULL);
        at = pass_nothing(model, at);
        CHECK(at < model->count);
        const item *wanted = &model->items[at++];
        const row *got = nio_change_row(change);
        CHECK_EQUAL(change->kind, wanted->kind);
        CHECK_EQUAL(change->flags, wanted->flags);
        if (change->kind == NIO_CHANGE_MARK) {
            continue;
        }
        CHECK_EQUAL(change->type, wanted->type);
        CHECK_EQUAL(change->time_ns, wanted->value);
        CHECK_EQUAL(got->key, wanted->key);
        CHECK_EQUAL(got->value, wanted->value);
        rebuild(model, wanted);
    }
    CHECK(nio_taken_next(&taken, &cursor) == NULL);
    at = pass_nothing(model, at);
    CHECK(count == max_count || at == model->count);
    nio_taken_free(&taken);
    model->count -= at;
    memmove(model->items, model->items + at, model->count * sizeof(item));
    drop_nothing(model);
    if (model->count == 0 || model->count < model->bound / 4) {
        /* The queue has dropped its index, and builds it again. */
        memset(model->unseen_count, 0, sizeof(model->unseen_count));
        for (size_t i = 0; i < model->count; i++) {
            model->items[i].in_stack = false;
            push_unseen_delete(model, &model->items[i]);
        }
    }
    CHECK(memcmp(model->rebuilt, model->truth, sizeof(model->truth)) == 0 ||
          model->count > 0);
}

/* Puts a change that is possible in the present state. */
static void
put_some_change(nio_queue *queue, model *model, unsigned keys, uint32_t value,
                unsigned long long *seed)
{
    const int kind = (int)random_below(seed, 3);
    const uint32_t key = random_below(seed, keys);
    uint32_t *known = &model->truth[kind][key];
    item new = {.kind = kind, .key = key, .value = value, .type = ADD};

    if (*known != 0) {
        new.type = random_below(seed, 2) == 0 ? PARAMETER : DELETE;
    } else if (random_below(seed, 4) == 0) {
        new.flags = NIO_FLAG_SNAPSHOT;
    }
    *known = new.type == DELETE ? 0 : value;
    CHECK(put_as(queue, kind, new.type, key, value, new.flags));
    model_put(model, new);
}

static void
walk_at_random(size_t bound, unsigned keys, unsigned steps, unsigned max_count,
               unsigned long long seed)
{
    nio_queue *queue = nio_queue_new(bound, key_of, NULL);
    model *model = calloc(1, sizeof(*model));

    CHECK(model != NULL);
    if ((model->delivers_unseen = random_below(&seed, 2) == 0)) {
        nio_queue_deliver_unseen(queue);
    }
    model->bound = bound;
    for (uint32_t value = 1; value <= steps; value++) {
        const unsigned what = random_below(&seed, 40);
        if (what == 0) {
            const size_t portion = random_below(&seed, max_count) + 1;
            take_and_compare(queue, model, portion);
        } else if (what == 1 && random_below(&seed, (unsigned)bound) == 0) {
            take_and_compare(queue, model, SIZE_MAX);
        } else if (what <= 4) {
            const int flag = random_below(&seed, 2) == 0 ? NIO_FLAG_OVERFLOW
                                                         : NIO_FLAG_SYNCED;
            CHECK(mark(queue, flag));
            model_mark(model, flag);
        } else {
            put_some_change(queue, model, keys, value, &seed);
        }
        (void)statistics_of(queue);
    }
    take_and_compare(queue, model, SIZE_MAX);
    CHECK(memcmp(model->rebuilt, model->truth, sizeof(model->truth)) == 0);
    CHECK(statistics_of(queue).coalesced > 0);
    free(model);
    nio_queue_free(queue);
}

static void
queue_on_random_walks_matches_the_model(unsigned long long seed)
{
    for (size_t bound = 1; bound <= 8; bound++) {
        walk_at_random(bound, 3, 20000, 12, seed + bound);
        walk_at_random(bound, 30, 20000, 60, seed + 10 + bound);
    }
    walk_at_random(40, 60, 20000, 80, seed + 20);
    /* More keys than the first index has room for, and more than a chunk. */
    walk_at_random(100, MAX_KEYS, 30000, 40, seed + 21);
    walk_at_random(700, MAX_KEYS, 30000, 60, seed + 22);
}

/* ---- two threads */
enum { TOGGLED = 100 };
static uint32_t changes = 1000000; /* that pass from one thread to the other */

typedef struct producer {
    nio_queue *queue;
    bool distinct; /* each change has another key */
    uint32_t last[TOGGLED];
} producer;

static void
run_producer(void *argument)
{
    producer *mine = argument;

    for (uint32_t i = 1; i <= changes; i++) {
        const uint32_t key = mine->distinct ? i : i * 7919u % TOGGLED;
        put(mine->queue, PARAMETER, key, i);
        mine->last[key % TOGGLED] = i;
    }
    CHECK(mark(mine->queue, NIO_FLAG_SYNCED));
}

/* Takes until the mark, and writes the last change of each key to `last`. A
 * `complete` stream (nothing coalesces) must be in order and without a gap. */
static void
consume(nio_queue *queue, nio_event *readable, bool complete, uint32_t *last)
{
    uint32_t expected = 1;

    for (;;) {
        nio_taken taken;
        nio_cursor cursor = {0};
        nio_change *change = NULL;
        bool end = false;

        CHECK_EQUAL(nio_event_wait(readable, NIO_FOREVER), NIO_WAIT_SET);
        (void)nio_queue_take(queue, 4096, &taken);
        while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
            const row *got = nio_change_row(change);
            if (change->kind == NIO_CHANGE_MARK) {
                end = true;
                continue;
            }
            CHECK_EQUAL(got->value, change->time_ns);
            CHECK_EQUAL(got->more[127], got->value & 0xff);
            if (complete) {
                CHECK_EQUAL(got->value, expected++);
            } else {
                CHECK(got->value > last[got->key % TOGGLED]);
            }
            last[got->key % TOGGLED] = got->value;
        }
        nio_taken_free(&taken);
        if (end) {
            break;
        }
    }
    CHECK(!complete || expected == changes + 1);
}

static void
queue_between_two_threads_loses_nothing(size_t bound, bool distinct)
{
    nio_event readable;
    nio_thread thread;
    producer producing = {.distinct = distinct};
    uint32_t last[TOGGLED] = {0};

    CHECK(nio_event_init(&readable));
    producing.queue = nio_queue_new(bound, key_of, &readable);
    CHECK(nio_thread_start(&thread, "producer", run_producer, &producing));
    consume(producing.queue, &readable, distinct || bound > changes, last);
    nio_thread_join(&thread);
    CHECK(memcmp(last, producing.last, sizeof(last)) == 0);
    CHECK_EQUAL(statistics_of(producing.queue).put, changes);
    CHECK_EQUAL(nio_event_wait(&readable, 0), NIO_WAIT_TIMEOUT);
    nio_queue_free(producing.queue);
    nio_event_done(&readable);
}

/* At an arbitrary moment between two puts, or in one. */
static void
queue_closed_during_puts_ignores_the_rest(void)
{
    nio_thread thread;
    producer producing = {.queue = nio_queue_new(1000, key_of, NULL)};
    nio_taken taken;

    CHECK(nio_thread_start(&thread, "producer", run_producer, &producing));
    while (nio_queue_take(producing.queue, 10, &taken) == 0) {
    }
    nio_queue_close(producing.queue);
    nio_thread_join(&thread);
    nio_queue_free(producing.queue);
    CHECK_EQUAL(nio_taken_next(&taken, &(nio_cursor){0})->time_ns, 1);
    nio_taken_free(&taken);
}

int
main(int argc, char **argv)
{
    const unsigned long long seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

    if (argc > 2) {
        changes = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    printf("seed %llu\n", seed);
    RUN(queue_on_random_walks_matches_the_model(seed));
    RUN(queue_between_two_threads_loses_nothing(2 * changes, false));
    RUN(queue_between_two_threads_loses_nothing(16, false));
    RUN(queue_between_two_threads_loses_nothing(16, true));
    RUN(queue_closed_during_puts_ignores_the_rest());
    puts("ok");
    return 0;
}
