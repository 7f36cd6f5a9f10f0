/* bulk.c: the operators that work on ranges of memories and tables, and growth. Each checks all its bounds first and
 * then acts: at a trap nothing has changed. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define FAILED UINT64_C(0xffffffff)

/* ---- Memory ------------------------------------------------------------------------------------------*/

uint64_t smelt_rt_memory_grow(struct smelt_rt_context *context, uint32_t pages) {
    TAKE_CALL_SITE(site);
    struct smelt_rt_slot *slot = context->slot;
    uint64_t current = context->memory_bytes;
    if (pages == 0) { return current / SMELT_RT_PAGE; }
    if (slot == NULL) { return FAILED; }
    uint64_t desired = current + pages * SMELT_RT_PAGE;
    /* The order is observable: the limiter knows the declared maximum but not the cap of one instance. What it has
     * taken for a request between the two stays taken. */
    if (context->host_limiter != NULL) {
        if (!context->host_limiter(context->host, current, desired, slot->declared_maximum)) { return FAILED; }
    }
    if (desired > slot->declared_maximum || desired > context->memory_maximum) { return FAILED; }
    /* -1 would make the result depend on this machine. */
    if (smelt_rt_slot_grow(slot, desired) != 0) { smelt_rt_raise_at(context, SMELT_RT_TRAP_LOCAL_FAILURE, site); }
    return current / SMELT_RT_PAGE;
}

static inline bool outside(uint64_t size, uint32_t start, uint32_t count) { return (uint64_t)start + count > size; }

void smelt_rt_memory_fill(struct smelt_rt_context *context, uint32_t to, uint32_t value, uint32_t count) {
    TAKE_CALL_SITE(site);
    if (UNLIKELY(outside(context->memory_bytes, to, count))) {
        smelt_rt_raise_at(context, SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS, site);
    }
    if (count > 0) { memset(context->memory_base + to, (int)(value & 0xff), count); }
}

void smelt_rt_memory_copy(struct smelt_rt_context *context, uint32_t to, uint32_t from, uint32_t count) {
    TAKE_CALL_SITE(site);
    uint64_t size = context->memory_bytes;
    if (UNLIKELY(outside(size, to, count) || outside(size, from, count))) {
        smelt_rt_raise_at(context, SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS, site);
    }
    if (count > 0) { memmove(context->memory_base + to, context->memory_base + from, count); }
}

void smelt_rt_memory_init(struct smelt_rt_context *context, uint32_t segment, uint32_t to, uint32_t from,
                          uint32_t count) {
    TAKE_CALL_SITE(site);
    const struct smelt_rt_data_segment *data = &context->module->data[segment];
    uint64_t length = context->dropped[segment] ? 0 : data->length;
    if (UNLIKELY(outside(context->memory_bytes, to, count) || outside(length, from, count))) {
        smelt_rt_raise_at(context, SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS, site);
    }
    if (count > 0) { memcpy(context->memory_base + to, data->bytes + from, count); }
}

void smelt_rt_data_drop(struct smelt_rt_context *context, uint32_t segment) { context->dropped[segment] = 1; }

/* ---- Tables ------------------------------------------------------------------------------------------*/

static uint64_t table_size(const struct smelt_rt_context *context) {
    return context->table == NULL ? 0 : context->table->size;
}

static struct smelt_rt_funcref reference_or_null(const struct smelt_rt_funcref *value) {
    return value == NULL ? (struct smelt_rt_funcref){0} : *value;
}

void smelt_rt_set_element(struct smelt_rt_funcref *to, struct smelt_rt_instance *instance, uint32_t item) {
    if (item == UINT32_MAX) {
        *to = (struct smelt_rt_funcref){0};
    } else if (item & SMELT_RT_ELEMENT_GLOBAL) {
        const uint64_t *cell = smelt_rt_instance_global(&instance->context, item & ~SMELT_RT_ELEMENT_GLOBAL);
        const struct smelt_rt_funcref *reference = cell == NULL ? NULL : (const struct smelt_rt_funcref *)*cell;
        *to = reference_or_null(reference);
    } else {
        smelt_rt_set_reference(to, instance, item);
    }
}

const struct smelt_rt_funcref *smelt_rt_reference(struct smelt_rt_instance *instance, uint32_t number) {
    if (instance->functions == NULL) {
        instance->functions = calloc(2 * instance->context.module->function_count, sizeof(struct smelt_rt_funcref));
        if (instance->functions == NULL) { return NULL; }
    }
    struct smelt_rt_funcref *row = &instance->functions[number];
    if (row->code == NULL) { smelt_rt_set_reference(row, instance, number); }
    return row;
}

const struct smelt_rt_funcref *smelt_rt_ref_func(struct smelt_rt_context *context, uint32_t function_index) {
    TAKE_CALL_SITE(site);
    const struct smelt_rt_funcref *reference = smelt_rt_reference(instance_of(context), function_index);
    if (reference == NULL) { smelt_rt_raise_at(context, SMELT_RT_TRAP_LOCAL_FAILURE, site); }
    return reference;
}

const struct smelt_rt_funcref *smelt_rt_table_get(struct smelt_rt_context *context, uint32_t index) {
    TAKE_CALL_SITE(site);
    if (index >= table_size(context)) { smelt_rt_raise_at(context, SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS, site); }
    const struct smelt_rt_funcref *element = &context->table->elements[index];
    if (element->code == NULL) { return NULL; }
    /* The element may be overwritten while the value lives: answer with the record its instance keeps. */
    const struct smelt_rt_funcref *reference =
        smelt_rt_reference(instance_of(element->context), (uint32_t)element->number);
    if (reference == NULL) { smelt_rt_raise_at(context, SMELT_RT_TRAP_LOCAL_FAILURE, site); }
    return reference;
}

void smelt_rt_table_set(struct smelt_rt_context *context, uint32_t index, const struct smelt_rt_funcref *value) {
    TAKE_CALL_SITE(site);
    if (index >= table_size(context)) { smelt_rt_raise_at(context, SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS, site); }
    context->table->elements[index] = reference_or_null(value);
}

void smelt_rt_table_init(struct smelt_rt_context *context, uint32_t segment, uint32_t to, uint32_t from,
                         uint32_t count) {
    TAKE_CALL_SITE(site);
    const struct smelt_rt_element_segment *elements = &context->module->elements[segment];
    uint64_t length = context->dropped[context->module->data_count + segment] ? 0 : elements->length;
    if (UNLIKELY(outside(table_size(context), to, count) || outside(length, from, count))) {
        smelt_rt_raise_at(context, SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS, site);
    }
    for (uint32_t i = 0; i < count; i++) {
        smelt_rt_set_element(&context->table->elements[to + i], instance_of(context), elements->functions[from + i]);
    }
}

void smelt_rt_table_copy(struct smelt_rt_context *context, uint32_t to, uint32_t from, uint32_t count) {
    TAKE_CALL_SITE(site);
    uint64_t size = table_size(context);
    if (UNLIKELY(outside(size, to, count) || outside(size, from, count))) {
        smelt_rt_raise_at(context, SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS, site);
    }
    if (count > 0) {
        struct smelt_rt_funcref *elements = context->table->elements;
        memmove(elements + to, elements + from, count * sizeof *elements);
    }
}

void smelt_rt_table_fill(struct smelt_rt_context *context, uint32_t to, const struct smelt_rt_funcref *value,
                         uint32_t count) {
    TAKE_CALL_SITE(site);
    if (UNLIKELY(outside(table_size(context), to, count))) {
        smelt_rt_raise_at(context, SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS, site);
    }
    struct smelt_rt_funcref reference = reference_or_null(value);
    for (uint32_t i = 0; i < count; i++) { context->table->elements[to + i] = reference; }
}

uint64_t smelt_rt_table_grow(struct smelt_rt_context *context, const struct smelt_rt_funcref *value, uint32_t count) {
    TAKE_CALL_SITE(site);
    struct smelt_rt_shared_table *shared = (struct smelt_rt_shared_table *)context->table;
    if (count == 0) { return table_size(context); }
    if (shared == NULL) { return FAILED; }
    struct smelt_rt_table *table = &shared->table;
    uint64_t size = table->size, desired = size + count, element = 8;
    if (context->host_limiter != NULL &&
        !context->host_limiter(context->host, size * element, desired * element, table->maximum * element)) {
        return FAILED;
    }
    if (desired > table->maximum) { return FAILED; }
    struct smelt_rt_funcref reference = reference_or_null(value);
    if (desired > shared->capacity) {
        uint64_t capacity = desired * 2 < table->maximum ? desired * 2 : table->maximum;
        struct smelt_rt_funcref *elements = realloc(table->elements, capacity * sizeof *elements);
        if (elements == NULL) { smelt_rt_raise_at(context, SMELT_RT_TRAP_LOCAL_FAILURE, site); }
        table->elements = elements;
        shared->capacity = capacity;
    }
    for (uint64_t i = size; i < desired; i++) { table->elements[i] = reference; }
    table->size = desired;
    return size;
}

void smelt_rt_elem_drop(struct smelt_rt_context *context, uint32_t segment) {
    context->dropped[context->module->data_count + segment] = 1;
}
