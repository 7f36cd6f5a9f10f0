/* main.c: runs all tests, or those named before "--"; objects to load follow it. */
#include "guest.h"

int checks_done, checks_failed;

struct smelt_module_descriptor guest_module(void) {
    return (struct smelt_module_descriptor){
        .magic = SMELT_RT_MAGIC,
        .abi_major = SMELT_RT_ABI_MAJOR,
        .abi_minor = SMELT_RT_ABI_MINOR,
        .struct_size = sizeof(struct smelt_module_descriptor),
        .text_start = __start_guest_text,
        .text_end = __stop_guest_text,
        .has_memory = 1,
        .memory_minimum = 1,
        .memory_maximum = UINT32_MAX,
        .table_maximum = UINT32_MAX,
    };
}

struct smelt_rt_options guest_options(void) {
    return (struct smelt_rt_options){
        .limits = {.memory_maximum = UINT64_C(512) << 20, .table_maximum = 20000},
    };
}

context_t *guest_instance(const struct smelt_module_descriptor *module, const struct smelt_rt_options *options) {
    context_t *context = NULL;
    int32_t error = smelt_rt_instance_create(module, options, &context);
    CHECK(error == SMELT_RT_OK);
    if (error != SMELT_RT_OK) { exit(1); }
    int32_t trap = smelt_rt_instance_start(context);
    CHECK(trap == SMELT_RT_TRAP_NONE);
    return context;
}

GUEST void guest_load8(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = *(volatile uint8_t *)((uint64_t)context->memory_base + arguments[0]);
}

GUEST void guest_load64(context_t *context, uint64_t *arguments, uint64_t *results) {
    /* Unaligned, and not removed when the value is not used. */
    typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned;
    results[0] = *(volatile unaligned *)((uint64_t)context->memory_base + arguments[0]);
}

GUEST void guest_store64(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)results;
    typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned;
    *(volatile unaligned *)((uint64_t)context->memory_base + arguments[0]) = arguments[1];
}

GUEST void guest_raise(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)results;
    context->raise(context, (int32_t)arguments[0]);
    GUEST_END;
}

GUEST void guest_call_import(context_t *context, uint64_t *arguments, uint64_t *results) {
    uint64_t slots[2] = {arguments[1], arguments[2]};
    context->call_import(context, (uint32_t)arguments[0], slots);
    results[0] = slots[0];
}

GUEST void guest_grow(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = context->memory_grow(context, (uint32_t)arguments[0]);
}

struct test {
    const char *name;
    void (*run)(void);
};

int main(int argc, char **argv) {
    static const struct test tests[] = {
        {"traps", test_traps},     {"memory", test_memory},   {"tables", test_tables},
        {"sampler", test_sampler}, {"interrupt", test_interrupt}, {"signals", test_signals},
        {"stack", test_stack},     {"threads", test_threads},
    };
    if (smelt_rt_signals_install() != 0) {
        fputs("signals cannot be installed\n", stderr);
        return 1;
    }
    struct smelt_module_descriptor text = guest_module();
    CHECK(smelt_rt_code_register(&text) == SMELT_RT_OK);
    int objects = 1;
    while (objects < argc && strcmp(argv[objects], "--") != 0) { objects++; }
    bool all = objects == 1;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        bool wanted = all;
        for (int j = 1; j < objects; j++) { wanted = wanted || strcmp(argv[j], tests[i].name) == 0; }
        if (!wanted) { continue; }
        int before = checks_done;
        tests[i].run();
        printf("runtime %s: %d checks\n", tests[i].name, checks_done - before);
        fflush(stdout);
    }
    if (objects + 1 < argc) {
        int before = checks_done;
        test_loader((const char *const *)argv + objects + 1, argc - objects - 1);
        printf("runtime loader: %d checks\n", checks_done - before);
    }
    const char *failure = smelt_rt_self_test();
    if (failure != NULL) { fprintf(stderr, "self test: %s\n", failure); }
    CHECK(failure == NULL);
    smelt_rt_code_unregister(&text);
    smelt_rt_signals_uninstall();
    smelt_rt_pool_trim();
    smelt_rt_thread_release();
    printf("runtime: %d checks, %d failed\n", checks_done, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
