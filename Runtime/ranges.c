/* ranges.c: which code belongs to guests, readable in a signal handler. */
#include "internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct range {
    uint64_t start, end;
    const struct smelt_module_descriptor *module;
};

/* Sorted, immutable once published. */
struct ranges {
    size_t count;
    struct range rows[];
};

static pthread_mutex_t writers = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct ranges *) published;
/* Readers inside smelt_rt_code_find. A writer frees the old array only after it saw none: whoever comes later
 * loads the new one (both sides are sequentially consistent). */
static _Atomic uint64_t readers;

static const struct smelt_module_descriptor *search(const struct ranges *ranges, uint64_t pc) {
    if (ranges == NULL) { return NULL; }
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pc < ranges->rows[middle].start) {
            high = middle;
        } else if (pc >= ranges->rows[middle].end) {
            low = middle + 1;
        } else {
            return ranges->rows[middle].module;
        }
    }
    return NULL;
}

const struct smelt_module_descriptor *smelt_rt_code_find(uint64_t pc) {
    atomic_fetch_add(&readers, 1);
    const struct smelt_module_descriptor *module = search(atomic_load(&published), pc);
    atomic_fetch_sub(&readers, 1);
    return module;
}

/* With `writers` held. */
static void publish(struct ranges *ranges) {
    struct ranges *old = atomic_exchange(&published, ranges);
    while (atomic_load(&readers) != 0) { sched_yield(); }
    free(old);
}

int32_t smelt_rt_code_register(const struct smelt_module_descriptor *module) {
    uint64_t start = (uint64_t)module->text_start, end = (uint64_t)module->text_end;
    if (start > end) { return SMELT_RT_BAD_OBJECT; }
    /* A module without functions has no text, and no program counter is ever in it. */
    if (start == end) { return SMELT_RT_OK; }
    pthread_mutex_lock(&writers);
    const struct ranges *old = atomic_load(&published);
    size_t count = old == NULL ? 0 : old->count;
    struct ranges *new = malloc(sizeof *new + (count + 1) * sizeof(struct range));
    if (new == NULL) {
        pthread_mutex_unlock(&writers);
        return SMELT_RT_NO_MEMORY;
    }
    size_t before = 0;
    while (before < count && old->rows[before].start < start) { before++; }
    bool overlaps = (before > 0 && old->rows[before - 1].end > start) ||
                    (before < count && old->rows[before].start < end);
    if (overlaps) {
        pthread_mutex_unlock(&writers);
        free(new);
        return SMELT_RT_BAD_OBJECT;
    }
    if (before > 0) { memcpy(new->rows, old->rows, before * sizeof(struct range)); }
    new->rows[before] = (struct range){start, end, module};
    if (before < count) {
        memcpy(new->rows + before + 1, old->rows + before, (count - before) * sizeof(struct range));
    }
    new->count = count + 1;
    publish(new);
    pthread_mutex_unlock(&writers);
    return SMELT_RT_OK;
}

void smelt_rt_code_unregister(const struct smelt_module_descriptor *module) {
    pthread_mutex_lock(&writers);
    struct ranges *old = atomic_load(&published);
    size_t count = old == NULL ? 0 : old->count, at = 0;
    while (at < count && old->rows[at].module != module) { at++; }
    if (at < count) {
        struct ranges *new = count == 1 ? NULL : malloc(sizeof *new + (count - 1) * sizeof(struct range));
        if (new != NULL) {
            memcpy(new->rows, old->rows, at * sizeof(struct range));
            memcpy(new->rows + at, old->rows + at + 1, (count - at - 1) * sizeof(struct range));
            new->count = count - 1;
        }
        if (new != NULL || count == 1) {
            publish(new);
        } else {
            /* No memory for a smaller array: empty the row in place. Sound while a handler searches, because no
             * guest runs in this module any more and other rows keep their order. */
            old->rows[at].end = old->rows[at].start;
        }
    }
    pthread_mutex_unlock(&writers);
}
