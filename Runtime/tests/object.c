/* object.c: an artifact written by hand, compiled to a shared object by Scripts/runtime-tests.sh. It exports functions
 * the way compiled modules do; ANSWER tells two of them apart, NO_IMPORTS leaves its import out. */
#include "../include/smeltrt.h"

#ifndef ANSWER
#define ANSWER 42
#endif
#define HIDDEN __attribute__((visibility("hidden"), section("object_text")))

HIDDEN int32_t add_typed(struct smelt_rt_context *context, int32_t a, int32_t b) {
    context->gas -= 4000;
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

HIDDEN void add_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    results[0] = (uint32_t)add_typed(context, (int32_t)arguments[0], (int32_t)arguments[1]);
}

HIDDEN uint64_t answer_typed(struct smelt_rt_context *context) {
    context->gas -= 1000;
    return ANSWER;
}

HIDDEN void answer_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)arguments;
    results[0] = answer_typed(context);
}

/* The address is an unsigned 32-bit index; the store of the counter comes before the access. */
__attribute__((noinline)) HIDDEN int32_t load_typed(struct smelt_rt_context *context, int32_t address) {
    *(volatile int64_t *)&context->gas = context->gas - 7000;
    return *(volatile uint8_t *)(context->memory_base + (uint32_t)address);
}

HIDDEN void load_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    results[0] = (uint32_t)load_typed(context, (int32_t)arguments[0]);
}

HIDDEN double mix_typed(struct smelt_rt_context *context, int32_t a, int64_t b, float c, double d) {
    context->gas -= 1;
    return (double)a + (double)b + (double)c + d;
}

HIDDEN void mix_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    float c;
    double d, sum;
    uint32_t low = (uint32_t)arguments[2];
    __builtin_memcpy(&c, &low, 4);
    __builtin_memcpy(&d, &arguments[3], 8);
    sum = mix_typed(context, (int32_t)arguments[0], (int64_t)arguments[1], c, d);
    __builtin_memcpy(results, &sum, 8);
}

HIDDEN float half_typed(struct smelt_rt_context *context, float a) {
    (void)context;
    return a / 2;
}

HIDDEN void half_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    float a, half;
    uint32_t low = (uint32_t)arguments[0];
    __builtin_memcpy(&a, &low, 4);
    half = half_typed(context, a);
    __builtin_memcpy(&low, &half, 4);
    results[0] = low;
}

HIDDEN void stop_typed(struct smelt_rt_context *context) {
    context->gas -= 2;
    context->raise(context, SMELT_RT_TRAP_UNREACHABLE);
}

HIDDEN void stop_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)arguments;
    (void)results;
    stop_typed(context);
}

/* Takes more stack than the descriptor says, as no object does that was checked when it was compiled: to its end. */
HIDDEN void dive_typed(struct smelt_rt_context *context) {
    context->gas -= 3;
    __asm__ volatile("1: subq $0xf0000, %rsp\n\tmovb $0, (%rsp)\n\tjmp 1b");
}

HIDDEN void dive_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)arguments;
    (void)results;
    dive_typed(context);
}

HIDDEN int64_t twice_typed(struct smelt_rt_context *context, int64_t a) {
    context->gas -= 100;
    if (a < 0) { context->raise(context, SMELT_RT_TRAP_INTEGER_OVERFLOW); }
    return 2 * a;
}

HIDDEN void twice_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    results[0] = (uint64_t)twice_typed(context, (int64_t)arguments[0]);
}

/* Calls import 0 with the argument and gives back what it answers. */
HIDDEN int64_t host_typed(struct smelt_rt_context *context, int64_t a) {
    uint64_t slots[1] = {(uint64_t)a};
    context->gas -= 10;
    context->call_import(context, 0, slots);
    return (int64_t)slots[0];
}

HIDDEN void host_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    results[0] = (uint64_t)host_typed(context, (int64_t)arguments[0]);
}

HIDDEN uint32_t grow_typed(struct smelt_rt_context *context, uint32_t pages) {
    return (uint32_t)context->memory_grow(context, pages);
}

HIDDEN void grow_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    results[0] = grow_typed(context, (uint32_t)arguments[0]);
}

HIDDEN void start_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)arguments;
    (void)results;
    context->gas -= 5;
    context->memory_base[100] = 1;
}

/* The text of this object, as linkers name it. */
extern const uint8_t __start_object_text[] __attribute__((visibility("hidden")));
extern const uint8_t __stop_object_text[] __attribute__((visibility("hidden")));

static const uint8_t add_type[] = {2, 1, 0x7f, 0x7f, 0x7f}, answer_type[] = {0, 1, 0x7e}, load_type[] = {1, 1, 0x7f, 0x7f};
static const uint8_t mix_type[] = {4, 1, 0x7f, 0x7e, 0x7d, 0x7c, 0x7c}, half_type[] = {1, 1, 0x7d, 0x7d};
static const uint8_t stop_type[] = {0, 0}, host_type[] = {1, 1, 0x7e, 0x7e};
static const uint8_t data_bytes[] = {7, 8, 9};

#define ROW(text, number, type)                                                                                        \
    {.name = #text,                                                                                                    \
     .name_length = sizeof #text - 1,                                                                                  \
     .index = number,                                                                                                  \
     .signature = type,                                                                                                \
     .entry = text##_entry,                                                                                            \
     .typed = (void *)text##_typed}

static const struct smelt_rt_export exports[] = {
    ROW(add, 1, add_type),
    ROW(answer, 2, answer_type),
    ROW(load, 3, load_type),
    ROW(mix, 4, mix_type),
    ROW(half, 5, half_type),
    ROW(stop, 6, stop_type),
    ROW(host, 7, host_type),
    ROW(grow, 8, load_type),
    ROW(twice, 9, host_type),
    ROW(dive, 10, stop_type),
    {.name = "memory", .name_length = 6, .kind = SMELT_RT_MEMORY},
    {.name = "counter", .name_length = 7, .kind = SMELT_RT_GLOBAL},
};
#ifndef NO_IMPORTS
static const struct smelt_rt_import imports[] = {
    {.module = "host", .name = "echo", .module_length = 4, .name_length = 4, .signature = host_type}};
#endif
/* The lengths are too short, except where a test asks for the place of a trap. */
#define FUNCTION(text, type, length)                                                                                   \
    {.table_entry = (void *)text##_typed, .type_id = type, .code = (const void *)text##_typed, .code_length = length}
static const struct smelt_rt_function functions[11] = {
#ifndef NO_IMPORTS
    {.table_entry = (void *)host_typed, .type_id = 7},
#else
    FUNCTION(host, 7, 1),
#endif
    FUNCTION(add, 1, 1),  FUNCTION(answer, 2, 1), FUNCTION(load, 3, 32), FUNCTION(mix, 4, 1),   FUNCTION(half, 5, 1),
    FUNCTION(stop, 6, 1), FUNCTION(host, 7, 1),   FUNCTION(grow, 3, 1),  FUNCTION(twice, 7, 1),
    FUNCTION(dive, 6, 1),
};
static const struct smelt_rt_global globals[] = {{.value = 17, .type = 0x7e}};
static const struct smelt_rt_data_segment data[] = {{.bytes = data_bytes, .length = 3, .offset = 1}};

__attribute__((visibility("default"))) const struct smelt_module_descriptor smelt_module = {
    .magic = SMELT_RT_MAGIC,
    .abi_major = SMELT_RT_ABI_MAJOR,
    .abi_minor = SMELT_RT_ABI_MINOR,
    .struct_size = sizeof smelt_module,
    .text_start = __start_object_text,
    .text_end = __stop_object_text,
    .functions = functions,
    .function_count = 11,
#ifndef NO_IMPORTS
    .imports = imports,
    .import_count = 1,
#endif
    .exports = exports,
    .export_count = sizeof exports / sizeof exports[0],
    .globals = globals,
    .global_count = 1,
    .data = data,
    .data_count = 1,
    .has_memory = 1,
    .memory_minimum = 2,
    .memory_maximum = 5,
    .start = start_entry,
};
