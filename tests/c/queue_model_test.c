/* SPDX-License-Identifier: MIT */
/* base/queue.h against the simplest thing that could be right, on a random
 * walk; and with two threads. Arguments: a seed, and how many changes pass
 * from one thread to the other. */
#include "queue_support.h"

#include "base/thread.h"

/* ---- the model: a list that is searched */
typedef struct item {
    int kind, type, first, flags;
    uint32_t key, value;
    uint32_t number;
    bool listed;
} item;

enum { MOST_KEYS = 3000, MOST_ITEMS = 40000 };

typedef struct model {
    size_t bound, count;
    item items[MOST_ITEMS];
    uint32_t numbers, ghosts[3][MOST_ITEMS]; /* by kind; their numbers */
    size_t ghost_count[3];
    /* What the system knows, and what one who took everything knows: the
     * value of each key, 0 for absent. */
    uint32_t truth[3][MOST_KEYS], rebuilt[3][MOST_KEYS];
} model;

static void
model_append(model *model, item new)
{
    CHECK(model->count < MOST_ITEMS);
    new.first = new.type;
    new.number = ++model->numbers;
    model->items[model->count++] = new;
}

static bool
is_ghost(const item *item)
{
    return item->kind != NIO_CHANGE_MARK && item->type == DELETE &&
           item->first == ADD;
}

static void
remember_ghost(model *model, item *item)
{
    if (is_ghost(item) && !item->listed) {
        size_t *count = &model->ghost_count[item->kind];
        CHECK(*count < MOST_ITEMS);
        model->ghosts[item->kind][(*count)++] = item->number;
        item->listed = true;
    }
}

/* The newest one of whose key nothing else is queued; NULL: none. */
static item *
take_ghost(model *model, int kind)
{
    while (model->ghost_count[kind] > 0) {
        const uint32_t number =
            model->ghosts[kind][--model->ghost_count[kind]];
        size_t at = 0, queued = 0;
        while (at < model->count && model->items[at].number != number) {
            at++;
        }
        if (at == model->count) {
            continue;
        }
        item *found = &model->items[at];
        found->listed = false;
        for (size_t i = 0; i < model->count; i++) {
            queued += model->items[i].kind == found->kind &&
                      model->items[i].key == found->key;
        }
        if (is_ghost(found) && queued == 1) {
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
        new.number = old->number;
        new.listed = old->listed;
        *old = new;
        remember_ghost(model, old);
        return;
    }
    item *ghost =
        model->count >= model->bound ? take_ghost(model, new.kind) : NULL;
    if (ghost != NULL) {
        new.first = new.type;
        new.number = ghost->number;
        *ghost = new;
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
    if (behind && full && flag == NIO_FLAG_OVERFLOW) {
        last->flags = flag;
    } else if (behind && full && model->count > 1 &&
               last[-1].kind == NIO_CHANGE_MARK &&
               last[-1].flags == NIO_FLAG_OVERFLOW) {
        last->flags = flag;
    } else {
        model_append(model, (item){.kind = NIO_CHANGE_MARK, .flags = flag});
    }
}

/* A program that rebuilds the state: the types must be true to it. */
static void
rebuild(model *model, const item *told)
{
    uint32_t *known = &model->rebuilt[told->kind][told->key];

    if (told->type == ADD) {
        CHECK_EQUAL(*known, 0);
    } else if (told->type == PARAMETER) {
        CHECK(*known != 0);
    } else if (*known == 0) {
        CHECK_EQUAL(told->first, ADD); /* never seen: it was added meanwhile */
    }
    *known = told->type == DELETE ? 0 : told->value;
}

static void
take_and_compare(nio_queue *queue, model *model, size_t most)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;
    size_t at = 0;

    CHECK_EQUAL(nio_queue_take(queue, most, &taken),
                most < model->count ? most : model->count);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
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
    CHECK_EQUAL(at, taken.count);
    nio_taken_free(&taken);
    model->count -= at;
    memmove(model->items, model->items + at, model->count * sizeof(item));
    if (model->count == 0 || model->count < model->bound / 4) {
        /* There is no index: it is made anew. */
        memset(model->ghost_count, 0, sizeof(model->ghost_count));
        for (size_t i = 0; i < model->count; i++) {
            model->items[i].listed = false;
            remember_ghost(model, &model->items[i]);
        }
    }
    CHECK(memcmp(model->rebuilt, model->truth, sizeof(model->truth)) == 0 ||
          model->count > 0);
}

/* One change that the system could tell now. */
static void
change_something(nio_queue *queue, model *model, unsigned keys, uint32_t value,
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
walk(size_t bound, unsigned keys, unsigned steps, unsigned most,
     unsigned long long seed)
{
    nio_queue *queue = nio_queue_new(bound, key_of, NULL);
    model *model = calloc(1, sizeof(*model));

    CHECK(model != NULL);
    model->bound = bound;
    for (uint32_t value = 1; value <= steps; value++) {
        const unsigned what = random_below(&seed, 40);
        if (what == 0) {
            const size_t portion = random_below(&seed, most) + 1;
            take_and_compare(queue, model, portion);
        } else if (what == 1 && random_below(&seed, (unsigned)bound) == 0) {
            take_and_compare(queue, model, SIZE_MAX);
        } else if (what <= 4) {
            const int flag = random_below(&seed, 2) == 0 ? NIO_FLAG_OVERFLOW
                                                         : NIO_FLAG_SYNCED;
            CHECK(mark(queue, flag));
            model_mark(model, flag);
        } else {
            change_something(queue, model, keys, value, &seed);
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
random_walks_equal_the_model(unsigned long long seed)
{
    for (size_t bound = 1; bound <= 8; bound++) {
        walk(bound, 3, 20000, 12, seed + bound);
        walk(bound, 30, 20000, 60, seed + 10 + bound);
    }
    walk(40, 60, 20000, 80, seed + 20);
    /* More keys than the first index has room for, and more than a chunk. */
    walk(100, MOST_KEYS, 30000, 40, seed + 21);
    walk(700, MOST_KEYS, 30000, 60, seed + 22);
}

/* ---- two threads */
enum { TOGGLED = 100 };
static uint32_t changes = 1000000; /* that pass from one to the other */

typedef struct producer {
    nio_queue *queue;
    bool distinct; /* every change another key */
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

/* Until the mark; what came last of each key. Changes without coalescing must
 * come in order and complete. */
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
two_threads_lose_nothing(size_t bound, bool distinct)
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

/* Whoever closes and whoever puts meet as they like. */
static void
a_queue_closes_under_its_producer(void)
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
    RUN(random_walks_equal_the_model(seed));
    RUN(two_threads_lose_nothing(2 * changes, false));
    RUN(two_threads_lose_nothing(16, false));
    RUN(two_threads_lose_nothing(16, true));
    RUN(a_queue_closes_under_its_producer());
    puts("ok");
    return 0;
}
