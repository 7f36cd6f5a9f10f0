/* A small module as the compiler would describe it, for tests of the object format and the store.
 * `seven() -> i32` is exported; VARIANT changes the result, so that two objects differ. */
#include "smeltrt.h"

#ifndef VARIANT
#define VARIANT 7
#endif

static void first(void) {}
static void entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)context;
    (void)arguments;
    results[0] = VARIANT;
}
static uint32_t typed(struct smelt_rt_context *context) {
    (void)context;
    return VARIANT;
}
static void last(void) {}

static const uint8_t signature[] = {0, 1, 0x7f};
static const char import_module[] = "send", import_name[] = "send", export_name[] = "seven";
static const uint8_t bytes[] = {1, 2, 3, 4};
static const uint32_t elements[] = {1, 0xffffffff};

static const struct smelt_rt_function functions[] = {
    {(void *)typed, 1, 0, 0},
    {(void *)typed, 1, (const void *)typed, 1},
};
static const struct smelt_rt_import imports[] = {
    {import_module, import_name, 4, 4, SMELT_RT_FUNCTION, 0, signature, 0, 0},
};
static const struct smelt_rt_export exports[] = {
    {export_name, 5, SMELT_RT_FUNCTION, 1, 0, signature, entry, (void *)typed},
};
static const struct smelt_rt_data_segment data[] = {{bytes, 4, 16, 0, 0, 0}};
static const struct smelt_rt_element_segment segments[] = {{elements, 2, 0, 0, 0, 0}};
static const struct smelt_rt_global globals[] = {{5, 0, 0x7e, 1, 0, 0}};

__attribute__((visibility("default"))) const struct smelt_module_descriptor smelt_module = {
    .magic = SMELT_RT_MAGIC,
    .abi_major = SMELT_RT_ABI_MAJOR,
    .abi_minor = SMELT_RT_ABI_MINOR,
    .struct_size = sizeof(struct smelt_module_descriptor),
    .text_start = (const uint8_t *)first,
    .text_end = (const uint8_t *)last,
    .functions = functions,
    .function_count = 2,
    .imports = imports,
    .import_count = 1,
    .exports = exports,
    .export_count = 1,
    .globals = globals,
    .global_count = 1,
    .data = data,
    .data_count = 1,
    .elements = segments,
    .element_count = 1,
    .has_memory = 1,
    .memory_minimum = 1,
    .memory_maximum = 0xffffffff,
};
