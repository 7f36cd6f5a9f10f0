/* loader.c: maps an artifact.
 *
 * Not dlopen: glibc finds a library again by its name (a reused descriptor path gave the first object's symbols),
 * runs whatever initialisers a file names, and keeps a file behind the mapping. An artifact needs none of that: a few
 * segments and one kind of relocation, which whoever verified the file hands over. Its bytes are copied, so nobody
 * can change them after they were verified. What is handed over is checked once more where a mistake would let
 * something outside of the image be written or run. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SYSTEM_PAGE UINT64_C(4096)
/* A native image of a WASM module of some MiB; far below what would trouble the address space. */
#define IMAGE_MAXIMUM (UINT64_C(1) << 30)

struct smelt_rt_code {
    uint8_t *image;
    uint64_t span; /* bytes, whole pages */
    const struct smelt_module_descriptor *module;
};

#define REFUSE(text) return (text)
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        const char *refused = (call);                                                                                  \
        if (refused != NULL) { return refused; }                                                                       \
    } while (0)

static bool inside(uint64_t start, uint64_t bytes, uint64_t size) { return start <= size && bytes <= size - start; }

static uint64_t first_page(const struct smelt_rt_segment *segment) {
    return segment->address / SYSTEM_PAGE * SYSTEM_PAGE;
}

static uint64_t last_page_end(const struct smelt_rt_segment *segment) {
    return (segment->address + segment->bytes + SYSTEM_PAGE - 1) / SYSTEM_PAGE * SYSTEM_PAGE;
}

static const char *measure(const struct smelt_rt_load_plan *plan, uint64_t *span) {
    *span = 0;
    for (uint64_t i = 0; i < plan->segment_count; i++) {
        const struct smelt_rt_segment *segment = &plan->segments[i];
        if (segment->file_bytes > segment->bytes ||
            !inside(segment->file_offset, segment->file_bytes, plan->file_bytes) ||
            !inside(segment->address, segment->bytes, IMAGE_MAXIMUM)) {
            REFUSE("segment outside the file or too large");
        }
        if (first_page(segment) < *span) { REFUSE("segments overlap or are out of order"); }
        *span = last_page_end(segment);
    }
    if (*span == 0) { REFUSE("no segment"); }
    return NULL;
}

static const struct smelt_rt_segment *segment_at(const struct smelt_rt_load_plan *plan, uint64_t address,
                                                 uint64_t bytes) {
    for (uint64_t i = 0; i < plan->segment_count; i++) {
        const struct smelt_rt_segment *segment = &plan->segments[i];
        if (address >= segment->address && inside(address - segment->address, bytes, segment->bytes)) {
            return segment;
        }
    }
    return NULL;
}

static const char *relocate(const struct smelt_rt_load_plan *plan, uint8_t *image, uint64_t span) {
    for (uint64_t i = 0; i < plan->relocation_count; i++) {
        const struct smelt_rt_relocation *row = &plan->relocations[i];
        const struct smelt_rt_segment *segment = segment_at(plan, row->place, sizeof(uint64_t));
        if (segment == NULL || segment->is_code) { REFUSE("relocation of what is not data"); }
        if (row->value > span) { REFUSE("relocation to outside the image"); }
        uint64_t value = (uint64_t)image + row->value;
        memcpy(image + row->place, &value, sizeof value);
    }
    return NULL;
}

/* Rows of a table are aligned data, all in one segment. */
static bool is_table(const struct smelt_rt_load_plan *plan, const uint8_t *image, const void *table, uint64_t count,
                     uint64_t size) {
    if (count == 0) { return true; }
    if (count > IMAGE_MAXIMUM / size || (uint64_t)table % 8 != 0) { return false; }
    const struct smelt_rt_segment *segment = segment_at(plan, (uint64_t)table - (uint64_t)image, count * size);
    return segment != NULL && !segment->is_code;
}

#define IS_TABLE(table, count) is_table(plan, image, module->table, module->count, sizeof *module->table)

static const char *check_module(const struct smelt_rt_load_plan *plan, const uint8_t *image) {
    const struct smelt_rt_segment *segment = segment_at(plan, plan->module, sizeof(struct smelt_module_descriptor));
    if (segment == NULL || segment->is_code || plan->module % 8 != 0) { REFUSE("no descriptor in the data"); }
    const struct smelt_module_descriptor *module = (const struct smelt_module_descriptor *)(image + plan->module);
    TRY(smelt_rt_module_check(module));
    uint64_t text_bytes = (uint64_t)module->text_end - (uint64_t)module->text_start;
    segment = segment_at(plan, (uint64_t)module->text_start - (uint64_t)image, text_bytes);
    if (text_bytes > 0 && (segment == NULL || !segment->is_code)) { REFUSE("text is not in an executable segment"); }
    if (!IS_TABLE(functions, function_count) || !IS_TABLE(imports, import_count) ||
        !IS_TABLE(exports, export_count) || !IS_TABLE(globals, global_count) || !IS_TABLE(data, data_count) ||
        !IS_TABLE(elements, element_count)) {
        REFUSE("a table of the descriptor is not in the image's data");
    }
    return NULL;
}

/* Last, because it takes write access away. What lies between the segments cannot be accessed. */
static const char *protect(const struct smelt_rt_load_plan *plan, uint8_t *image, uint64_t span) {
    uint64_t end = 0;
    for (uint64_t i = 0; i <= plan->segment_count; i++) {
        const struct smelt_rt_segment *segment = i < plan->segment_count ? &plan->segments[i] : NULL;
        uint64_t start = segment == NULL ? span : first_page(segment);
        bool failed = start > end && mprotect(image + end, start - end, PROT_NONE) != 0;
        if (segment != NULL) {
            end = last_page_end(segment);
            int protection = PROT_READ | (segment->is_code ? PROT_EXEC : 0);
            failed = failed || (end > start && mprotect(image + start, end - start, protection) != 0);
        }
        if (failed) { REFUSE("the system refuses to make a segment executable or read-only"); }
    }
    return NULL;
}

static const char *map(const struct smelt_rt_load_plan *plan, struct smelt_rt_code *code) {
    TRY(measure(plan, &code->span));
    uint8_t *image = mmap(NULL, code->span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image == MAP_FAILED) { return NULL; }
    code->image = image;
    for (uint64_t i = 0; i < plan->segment_count; i++) {
        const struct smelt_rt_segment *segment = &plan->segments[i];
        if (segment->file_bytes > 0) {
            memcpy(image + segment->address, plan->file + segment->file_offset, segment->file_bytes);
        }
    }
    TRY(relocate(plan, image, code->span));
    TRY(check_module(plan, image));
    code->module = (const struct smelt_module_descriptor *)(image + plan->module);
    return protect(plan, image, code->span);
}

const char *smelt_rt_module_check(const struct smelt_module_descriptor *module) {
    if (module->magic != SMELT_RT_MAGIC) { REFUSE("descriptor has another magic number"); }
    if (module->abi_major != SMELT_RT_ABI_MAJOR) { REFUSE("made for another major version of the runtime"); }
    if (module->abi_minor > SMELT_RT_ABI_MINOR) { REFUSE("made for a newer minor version of the runtime"); }
    if (module->struct_size < sizeof *module) { REFUSE("descriptor too short"); }
    if (module->stack_bytes > 2 * (uint64_t)SMELT_RT_ENTRY_STACK) { REFUSE("needs more stack than an entry has"); }
    /* Equal in a module that defines no function. */
    if ((uint64_t)module->text_start > (uint64_t)module->text_end) { REFUSE("text ends before it starts"); }
    return NULL;
}

int32_t smelt_rt_code_load(const struct smelt_rt_load_plan *plan, struct smelt_rt_code **code, const char **why) {
    *code = NULL;
    struct smelt_rt_code *loaded = calloc(1, sizeof *loaded);
    const char *refused = loaded == NULL ? NULL : map(plan, loaded);
    int32_t error = SMELT_RT_OK;
    if (refused != NULL) {
        error = SMELT_RT_BAD_OBJECT;
    } else if (loaded == NULL || loaded->image == NULL) {
        error = SMELT_RT_NO_MEMORY;
        refused = "no memory for the image";
    } else {
        error = smelt_rt_code_register(loaded->module);
        refused = "no memory for the list of code";
    }
    if (error != SMELT_RT_OK) {
        if (why != NULL) { *why = refused; }
        if (loaded != NULL && loaded->image != NULL) { munmap(loaded->image, loaded->span); }
        free(loaded);
        return error;
    }
    *code = loaded;
    return SMELT_RT_OK;
}

const struct smelt_module_descriptor *smelt_rt_code_module(const struct smelt_rt_code *code) { return code->module; }

void smelt_rt_code_unload(struct smelt_rt_code *code) {
    if (code == NULL) { return; }
    smelt_rt_code_unregister(code->module);
    munmap(code->image, code->span);
    free(code);
}
