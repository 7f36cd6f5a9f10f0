/* ranges.c: which code belongs to guests, readable in a signal handler; naming the place of a trap. */
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

int32_t smelt_rt_site_find(const struct smelt_module_descriptor *module, uint64_t pc, uint32_t *function_index,
                           uint32_t *wasm_offset) {
    uint64_t text = (uint64_t)module->text_start;
    if (pc < text || pc >= (uint64_t)module->text_end) { return -1; }
    uint64_t function = UINT64_MAX;
    /* Not sorted by address; traps are rare and modules have thousands of functions, not millions. */
    for (uint64_t i = 0; i < module->function_count; i++) {
        const struct smelt_rt_function *row = &module->functions[i];
        if (row->code != NULL && pc >= (uint64_t)row->code && pc - (uint64_t)row->code < row->code_length) {
            function = i;
            break;
        }
    }
    uint64_t low = 0, high = module->site_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (module->sites[middle].native_offset <= pc - text) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low > 0) {
        const struct smelt_rt_site *site = &module->sites[low - 1];
        bool same = site->function_index == function;
        if (function == UINT64_MAX && site->function_index < module->function_count) {
            /* A module without code lengths: the sites are all there is. */
            same = module->functions[site->function_index].code_length == 0;
        }
        if (same) {
            *function_index = site->function_index;
            *wasm_offset = site->wasm_offset;
            return 1;
        }
    }
    if (function == UINT64_MAX) { return -1; }
    *function_index = (uint32_t)function;
    return 0;
}

/* Unsigned LEB128 of at most 32 bits; `at` moves behind it. */
static uint32_t read_count(const uint8_t *bytes, uint64_t *at) {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) { break; }
    }
    return value;
}

uint32_t smelt_rt_type_hash(const uint8_t *signature) {
    uint32_t hash = 2166136261u;
    uint64_t length = 0;
    uint64_t types = read_count(signature, &length);
    types += read_count(signature, &length);
    length += types;
    for (uint64_t i = 0; i < length; i++) { hash = (hash ^ signature[i]) * 16777619u; }
    return hash == 0 ? 1 : hash;
}
