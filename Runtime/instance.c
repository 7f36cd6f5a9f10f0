/* instance.c: from a module's descriptor to something that can be called, and back. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* What every context starts with. */
const struct smelt_rt_context smelt_rt_context_template = {
    .raise = smelt_rt_raise,
    .call_import = smelt_rt_call_import,
    .memory_grow = smelt_rt_memory_grow,
    .memory_fill = smelt_rt_memory_fill,
    .memory_copy = smelt_rt_memory_copy,
    .memory_init = smelt_rt_memory_init,
    .data_drop = smelt_rt_data_drop,
    .table_init = smelt_rt_table_init,
    .table_copy = smelt_rt_table_copy,
    .table_fill = smelt_rt_table_fill,
    .table_grow = smelt_rt_table_grow,
    .elem_drop = smelt_rt_elem_drop,
    .ref_func = smelt_rt_ref_func,
    .table_get = smelt_rt_table_get,
    .table_set = smelt_rt_table_set,
};

/* ---- Imports (suite profile) -------------------------------------------------------------------------*/

static uint64_t imported_memory_maximum(const struct smelt_rt_import *import) {
    return import->maximum == UINT32_MAX ? SMELT_RT_SLOT_SPAN : import->maximum * SMELT_RT_PAGE;
}

static bool hold_memory(struct smelt_rt_instance *instance, const struct smelt_rt_import *import,
                        struct smelt_rt_context *exporter) {
    struct smelt_rt_slot *slot = exporter->slot;
    if (slot == NULL || slot->bytes < import->minimum * SMELT_RT_PAGE) { return false; }
    bool has_maximum = import->maximum != UINT32_MAX;
    if (has_maximum && (!slot->has_maximum || slot->declared_maximum > imported_memory_maximum(import))) {
        return false;
    }
    slot->holds++;
    instance->context.slot = slot;
    instance->next_user = slot->users;
    slot->users = instance;
    instance->context.memory_base = slot->base;
    instance->context.memory_bytes = slot->bytes;
    instance->context.memory_maximum = exporter->memory_maximum;
    return true;
}

static bool hold_table(struct smelt_rt_instance *instance, const struct smelt_rt_import *import,
                       struct smelt_rt_context *exporter) {
    struct smelt_rt_shared_table *table = instance_of(exporter)->table;
    if (table == NULL || table->table.size < import->minimum) { return false; }
    /* 0xffffffff is "none" and the largest number at once. */
    if (table->declared_maximum > import->maximum) { return false; }
    table->holds++;
    instance->table = table;
    instance->context.table = &table->table;
    return true;
}

static bool bind_global(struct smelt_rt_instance *instance, uint64_t index, const struct smelt_rt_import *import,
                        const struct smelt_rt_extern *row) {
    if (row->index >= row->exporter->module->global_count) { return false; }
    const struct smelt_rt_global *exported = &row->exporter->module->globals[row->index];
    if (exported->type != import->signature[0] || exported->is_mutable != import->signature[1]) { return false; }
    instance->context.globals[index] = (uint64_t)smelt_rt_instance_global(row->exporter, row->index);
    return true;
}

static void join_group(struct smelt_rt_instance *instance, struct smelt_rt_instance *other) {
    struct smelt_rt_instance *member = other;
    do {
        if (member == instance) { return; }
        member = member->group;
    } while (member != other);
    /* Two circles become one. */
    struct smelt_rt_instance *after = instance->group;
    instance->group = other->group;
    other->group = after;
}

static int32_t bind_imports(struct smelt_rt_instance *instance, const struct smelt_rt_options *options) {
    const struct smelt_module_descriptor *module = instance->context.module;
    uint64_t globals = 0;
    for (uint64_t i = 0; i < module->import_count; i++) {
        const struct smelt_rt_import *import = &module->imports[i];
        const struct smelt_rt_extern *row = options->externs != NULL && i < options->extern_count
                                                ? &options->externs[i]
                                                : NULL;
        bool bound = row != NULL && row->exporter != NULL && row->kind == import->kind;
        if (import->kind != SMELT_RT_FUNCTION) {
            if (!bound) { return SMELT_RT_BAD_IMPORT; }
            switch (import->kind) {
            case SMELT_RT_MEMORY: bound = hold_memory(instance, import, row->exporter); break;
            case SMELT_RT_TABLE: bound = hold_table(instance, import, row->exporter); break;
            case SMELT_RT_GLOBAL: bound = bind_global(instance, globals++, import, row); break;
            default: bound = false;
            }
            if (!bound) { return SMELT_RT_BAD_IMPORT; }
        }
        if (bound) { join_group(instance, instance_of(row->exporter)); }
    }
    return SMELT_RT_OK;
}

/* ---- Place -------------------------------------------------------------------------------------------*/

/* Which arrays lie right behind an instance. The others are on the heap. */
static bool globals_are_near(const struct smelt_module_descriptor *module) {
    return module->global_count <= SMELT_RT_NEAR_GLOBALS;
}
static uint64_t segment_count(const struct smelt_module_descriptor *module) {
    return module->data_count + module->element_count;
}
static bool drops_are_near(const struct smelt_module_descriptor *module) {
    return segment_count(module) <= NEAR_SEGMENTS;
}

static void free_place(struct smelt_rt_instance *instance) {
    const struct smelt_module_descriptor *module = instance->context.module;
    if (!globals_are_near(module)) { free(instance->context.globals); }
    if (!drops_are_near(module)) { free(instance->context.dropped); }
    /* One in front of a memory ends with it. */
    if (instance->context.slot != NULL) { smelt_rt_slot_release(instance->context.slot); }
    if (!module->has_memory) { free(instance); }
}

/* An instance with its arrays, all zero but for the template: in front of its memory if the module defines one, which
 * is taken with the size it will have unless that is refused later. NULL: the machine has no room. */
static struct smelt_rt_instance *place_instance(const struct smelt_module_descriptor *module, uint64_t memory_cap) {
    uint64_t globals = module->global_count, segments = segment_count(module);
    uint64_t near_globals = globals_are_near(module) ? globals : 0;
    uint64_t size = sizeof(struct smelt_rt_instance) + near_globals * sizeof(uint64_t) +
                    (drops_are_near(module) ? segments : 0);
    struct smelt_rt_instance *instance = NULL;
    struct smelt_rt_slot *slot = NULL;
    if (module->has_memory) {
        uint64_t bytes = module->memory_minimum * SMELT_RT_PAGE;
        slot = smelt_rt_slot_take(bytes <= memory_cap ? bytes : 0);
        if (slot == NULL) { return NULL; }
        instance = smelt_rt_slot_front(slot, size);
        if (instance == NULL) { smelt_rt_slot_release(slot); }
    } else {
        instance = calloc(1, size);
    }
    if (instance == NULL) { return NULL; }
    instance->context = smelt_rt_context_template;
    instance->context.module = module;
    instance->context.slot = slot;
    instance->context.globals =
        globals_are_near(module) ? instance->slots : calloc(globals, sizeof(uint64_t));
    instance->context.dropped =
        drops_are_near(module) ? (uint8_t *)(instance->slots + near_globals) : calloc(segments, 1);
    if (instance->context.globals == NULL || instance->context.dropped == NULL) {
        free_place(instance);
        return NULL;
    }
    return instance;
}

/* ---- Making ------------------------------------------------------------------------------------------*/

uint64_t *smelt_rt_instance_global(struct smelt_rt_context *context, uint32_t index) {
    if (index >= context->module->global_count) { return NULL; }
    return context->module->globals[index].is_imported ? (uint64_t *)context->globals[index]
                                                       : &context->globals[index];
}

static int32_t set_globals(struct smelt_rt_instance *instance) {
    const struct smelt_module_descriptor *module = instance->context.module;
    for (uint64_t i = 0; i < module->global_count; i++) {
        const struct smelt_rt_global *global = &module->globals[i];
        if (global->is_imported) {
            if (instance->context.globals[i] == 0) { return SMELT_RT_BAD_IMPORT; }
            continue;
        }
        switch (global->init) {
        case SMELT_RT_INIT_CONSTANT: instance->context.globals[i] = global->value; break;
        case SMELT_RT_INIT_GLOBAL:
            if (global->from_global == 0 || global->from_global > i) { return SMELT_RT_BAD_OBJECT; }
            instance->context.globals[i] = *smelt_rt_instance_global(&instance->context, global->from_global - 1);
            break;
        case SMELT_RT_INIT_FUNCTION: {
            if (global->value >= module->function_count) { return SMELT_RT_BAD_OBJECT; }
            uint64_t number = global->value + module->function_count;
            const struct smelt_rt_funcref *reference = smelt_rt_reference(instance, (uint32_t)number);
            if (reference == NULL) { return SMELT_RT_NO_MEMORY; }
            instance->context.globals[i] = (uint64_t)reference;
            break;
        }
        default: instance->context.globals[i] = 0;
        }
    }
    return SMELT_RT_OK;
}

int32_t smelt_rt_instance_create(const struct smelt_module_descriptor *module, const struct smelt_rt_options *options,
                                 struct smelt_rt_context **context) {
    *context = NULL;
    if (relies_on_signals(module) && !smelt_rt_signals_installed()) { return SMELT_RT_NO_SIGNALS; }
    struct smelt_rt_instance *instance = place_instance(module, options->limits.memory_maximum);
    if (instance == NULL) { return SMELT_RT_NO_MEMORY; }
    instance->context.host = options->host;
    instance->context.host_import = options->host_import;
    instance->context.host_limiter = options->host_limiter;
    instance->group = instance;
    instance->memory_cap = options->limits.memory_maximum;
    instance->table_cap = options->limits.table_maximum;
    int32_t error = bind_imports(instance, options);
    if (error == SMELT_RT_OK) { error = set_globals(instance); }
    if (error != SMELT_RT_OK) {
        smelt_rt_instance_destroy(&instance->context);
        return error;
    }
    *context = &instance->context;
    return SMELT_RT_OK;
}

/* ---- Starting ----------------------------------------------------------------------------------------*/

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

static bool allowed(struct smelt_rt_context *context, uint64_t desired, uint64_t maximum) {
    return context->host_limiter == NULL || context->host_limiter(context->host, 0, desired, maximum);
}

static int32_t make_memory(struct smelt_rt_instance *instance) {
    struct smelt_rt_context *context = &instance->context;
    const struct smelt_module_descriptor *module = context->module;
    bool has_maximum = module->memory_maximum != UINT32_MAX;
    uint64_t bytes = module->memory_minimum * SMELT_RT_PAGE;
    uint64_t declared = has_maximum ? module->memory_maximum * SMELT_RT_PAGE : SMELT_RT_SLOT_SPAN;
    declared = smaller(declared, SMELT_RT_SLOT_SPAN);
    if (!allowed(context, bytes, declared) || bytes > declared || bytes > instance->memory_cap) {
        return SMELT_RT_TRAP_RESOURCE_LIMIT;
    }
    struct smelt_rt_slot *slot = context->slot; /* taken with the instance, which lies in front of it */
    slot->declared_maximum = declared;
    slot->has_maximum = has_maximum;
    slot->users = instance;
    instance->next_user = NULL;
    context->memory_base = slot->base;
    context->memory_bytes = bytes;
    context->memory_maximum = smaller(declared, instance->memory_cap);
    return SMELT_RT_TRAP_NONE;
}

static int32_t make_table(struct smelt_rt_instance *instance) {
    struct smelt_rt_context *context = &instance->context;
    const struct smelt_module_descriptor *module = context->module;
    uint64_t size = module->table_minimum, element = 8;
    uint64_t maximum = smaller(module->table_maximum, instance->table_cap);
    if (!allowed(context, size * element, maximum * element) || size > maximum) {
        return SMELT_RT_TRAP_RESOURCE_LIMIT;
    }
    struct smelt_rt_shared_table *table = calloc(1, sizeof *table);
    if (table == NULL) { return SMELT_RT_TRAP_LOCAL_FAILURE; }
    table->table.elements = calloc(size == 0 ? 1 : size, sizeof(struct smelt_rt_funcref));
    if (table->table.elements == NULL) {
        free(table);
        return SMELT_RT_TRAP_LOCAL_FAILURE;
    }
    table->table.size = size;
    table->table.maximum = maximum;
    table->capacity = size;
    table->declared_maximum = module->table_maximum;
    table->holds = 1;
    instance->table = table;
    context->table = &table->table;
    return SMELT_RT_TRAP_NONE;
}

static uint64_t segment_offset(struct smelt_rt_context *context, uint32_t constant, uint32_t global) {
    if (global == 0) { return constant; }
    const uint64_t *cell = smelt_rt_instance_global(context, global - 1);
    return cell == NULL ? UINT64_MAX : (uint32_t)*cell;
}

/* Element segments, then data segments, each in order; one that does not fit stops it and leaves what the earlier
 * ones did (reference: bulk-memory semantics). */
static int32_t apply_segments(struct smelt_rt_instance *instance) {
    struct smelt_rt_context *context = &instance->context;
    const struct smelt_module_descriptor *module = context->module;
    for (uint64_t i = 0; i < module->element_count; i++) {
        const struct smelt_rt_element_segment *segment = &module->elements[i];
        if (segment->mode == SMELT_RT_PASSIVE) { continue; }
        if (segment->mode == SMELT_RT_ACTIVE) {
            uint64_t offset = segment_offset(context, segment->offset, segment->offset_global);
            uint64_t size = context->table == NULL ? 0 : context->table->size;
            if (offset > size || segment->length > size - offset) { return SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS; }
            for (uint64_t j = 0; j < segment->length; j++) {
                uint32_t item = segment->functions[j];
                struct smelt_rt_funcref *element = &context->table->elements[offset + j];
                if (LIKELY(item < module->function_count)) {
                    smelt_rt_set_reference(element, instance, item);
                } else {
                    smelt_rt_set_element(element, instance, item);
                }
            }
        }
        context->dropped[module->data_count + i] = 1;
    }
    for (uint64_t i = 0; i < module->data_count; i++) {
        const struct smelt_rt_data_segment *segment = &module->data[i];
        if (segment->mode != SMELT_RT_ACTIVE) { continue; }
        uint64_t offset = segment_offset(context, segment->offset, segment->offset_global);
        if (offset > context->memory_bytes || segment->length > context->memory_bytes - offset) {
            return SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS;
        }
        if (segment->length > 0) { memcpy(context->memory_base + offset, segment->bytes, segment->length); }
        context->dropped[i] = 1;
    }
    return SMELT_RT_TRAP_NONE;
}

int32_t smelt_rt_instance_start(struct smelt_rt_context *context) {
    struct smelt_rt_instance *instance = instance_of(context);
    const struct smelt_module_descriptor *module = context->module;
    if (instance->started) { return SMELT_RT_TRAP_LOCAL_FAILURE; }
    instance->started = true;
    int32_t trap = SMELT_RT_TRAP_NONE;
    if (module->has_memory) { trap = make_memory(instance); }
    if (trap == SMELT_RT_TRAP_NONE && module->has_table) { trap = make_table(instance); }
    if (trap == SMELT_RT_TRAP_NONE) { trap = apply_segments(instance); }
    if (trap != SMELT_RT_TRAP_NONE) {
        context->trap = trap;
        return trap;
    }
    return module->start == NULL ? trap : smelt_rt_enter(context, module->start, NULL, NULL);
}

/* ---- Ending ------------------------------------------------------------------------------------------*/

static void leave_memory(struct smelt_rt_instance *instance) {
    struct smelt_rt_slot *slot = instance->context.slot;
    if (slot == NULL) { return; }
    struct smelt_rt_instance **link = &slot->users;
    while (*link != NULL && *link != instance) { link = &(*link)->next_user; }
    if (*link != NULL) { *link = instance->next_user; }
}

void smelt_rt_instance_destroy(struct smelt_rt_context *context) {
    if (context == NULL) { return; }
    struct smelt_rt_instance *instance = instance_of(context);
    leave_memory(instance);
    if (instance->table != NULL && --instance->table->holds == 0) {
        free(instance->table->table.elements);
        free(instance->table);
    }
    struct smelt_rt_instance *before = instance;
    while (before->group != instance) { before = before->group; }
    before->group = instance->group;
    free(instance->functions);
    free_place(instance);
}
