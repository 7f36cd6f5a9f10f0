/* bench.c: what entering, leaving, calling the host and making an instance cost. Not a test: prints numbers. */
#include "guest.h"

#include <time.h>

int checks_done, checks_failed;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other work on the machine does not count */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Best of five, in nanoseconds per repetition. */
#define MEASURE(name, count, body)                                                                                     \
    do {                                                                                                               \
        double best = 1e30;                                                                                            \
        for (int run = 0; run < 5; run++) {                                                                            \
            double start = now();                                                                                      \
            for (int i = 0; i < (count); i++) { body; }                                                                \
            double each = (now() - start) / (count);                                                                   \
            if (each < best) { best = each; }                                                                          \
        }                                                                                                              \
        printf("%-58s %10.1f ns\n", name, best);                                                                       \
    } while (0)

GUEST static void nothing(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)context;
    results[0] = arguments[0];
}

enum { CALLS = 1000 };

GUEST static void many_calls(context_t *context, uint64_t *arguments, uint64_t *results) {
    uint64_t slots[1] = {arguments[0]};
    for (int i = 0; i < CALLS; i++) { context->call_import(context, 0, slots); }
    results[0] = slots[0];
}

GUEST static void stop(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)results;
    context->raise(context, (int32_t)arguments[0]);
    GUEST_END;
}

GUEST static void far_load(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = *(volatile uint8_t *)(context->memory_base + arguments[0]);
}

/* Touches a few pages, as a small message does. */
GUEST static void touch(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)results;
    for (uint64_t i = 0; i < arguments[0]; i++) { *(volatile uint8_t *)(context->memory_base + 1000000 - i * 4096) = 1; }
}

static int32_t echo(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)host;
    (void)context;
    slots[0] += index + 1;
    return 0;
}

static void empty(void *unused) { (void)unused; }

static context_t *make(const struct smelt_module_descriptor *module, const struct smelt_rt_options *options) {
    context_t *context = NULL;
    if (smelt_rt_instance_create(module, options, &context) != 0 || smelt_rt_instance_start(context) != 0) { abort(); }
    return context;
}

static void once(const struct smelt_module_descriptor *module, const struct smelt_rt_options *options,
                 uint64_t pages) {
    context_t *context = make(module, options);
    smelt_rt_enter(context, touch, &pages, NULL);
    smelt_rt_instance_destroy(context);
}

static void instances(void) {
    static uint8_t bytes[150000];
    memset(bytes, 1, sizeof bytes);
    static uint32_t members[1000];
    static struct smelt_rt_function functions[1] = {{.table_entry = (void *)nothing, .type_id = 1}};
    struct smelt_rt_data_segment data = {.bytes = bytes, .length = 79000, .offset = 1000000};
    struct smelt_rt_element_segment elements = {.functions = members, .length = 1000};
    struct smelt_module_descriptor module = {
        .magic = SMELT_RT_MAGIC,
        .abi_major = SMELT_RT_ABI_MAJOR,
        .struct_size = sizeof module,
        .text_start = __start_guest_text,
        .text_end = __stop_guest_text,
        .has_memory = 1,
        .memory_minimum = 1,
        .memory_maximum = UINT32_MAX,
        .table_maximum = UINT32_MAX,
    };
    struct smelt_rt_options options = {
        .limits = {.memory_maximum = UINT64_C(512) << 20, .table_maximum = 20000}};
    MEASURE("instance, 1 page, nothing touched", 20000, once(&module, &options, 0));
    module.memory_minimum = 18;
    module.data = &data;
    module.data_count = 1;
    module.has_table = 1;
    module.table_minimum = 1000;
    module.elements = &elements;
    module.element_count = 1;
    module.functions = functions;
    module.function_count = 1;
    MEASURE("instance, 18 pages, 79 KB data, 1000 elements, 0 touched", 5000, once(&module, &options, 0));
    MEASURE("the same, 8 stack pages touched", 5000, once(&module, &options, 8));
    MEASURE("the same, 200 pages touched", 5000, once(&module, &options, 200));
    data.length = 150000;
    MEASURE("instance, 18 pages, 150 KB data, 8 touched", 5000, once(&module, &options, 8));
    module.memory_minimum = 160;
    MEASURE("instance, 160 pages, 150 KB data, 8 touched", 2000, once(&module, &options, 8));
}

int main(void) {
    struct smelt_module_descriptor module = {
        .magic = SMELT_RT_MAGIC,
        .text_start = __start_guest_text,
        .text_end = __stop_guest_text,
        .has_memory = 1,
        .memory_minimum = 1,
        .memory_maximum = UINT32_MAX,
    };
    struct smelt_rt_options options = {.limits = {.memory_maximum = UINT64_C(512) << 20}, .host_import = echo};
    if (smelt_rt_signals_install() != 0 || smelt_rt_code_register(&module) != 0) { return 1; }
    context_t *context = make(&module, &options);
    uint64_t argument = 1, result = 0, outside = 65536;
    MEASURE("enter and return", 5000000, smelt_rt_enter(context, nothing, &argument, &result));
    MEASURE("1000 calls of the host from one entry", 20000, smelt_rt_enter(context, many_calls, &argument, &result));
    MEASURE("enter and raise", 1000000, smelt_rt_enter(context, stop, &argument, &result));
    MEASURE("enter and fault", 200000, smelt_rt_enter(context, far_load, &outside, &result));
    MEASURE("run on the big stack", 200000, smelt_rt_run_on_stack(empty, NULL));
    smelt_rt_instance_destroy(context);
    instances();
    return 0;
}
