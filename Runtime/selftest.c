/* selftest.c: asks this machine to do once what every guest relies on. */
#include "internal.h"

#include <pthread.h>

#define REQUIRE(condition, text)                                                                                       \
    if (!(condition)) {                                                                                                \
        failure = text;                                                                                                \
        break;                                                                                                         \
    }

static int32_t nested_import(void *host, struct smelt_rt_context *context, uint32_t index, uint64_t *slots) {
    (void)host;
    (void)index;
    /* An entry inside an entry; its trap must end here and not further out. */
    uint64_t trap = SMELT_RT_TRAP_UNREACHABLE;
    slots[0] = (uint64_t)smelt_rt_enter(context, smelt_rt_arch_probe_raise, &trap, NULL);
    return SMELT_RT_TRAP_NONE;
}

static void call_import_once(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)arguments;
    context->call_import(context, 0, results);
}

static int32_t load(struct smelt_rt_context *context, uint64_t offset, uint64_t *value) {
    return smelt_rt_enter(context, smelt_rt_arch_probe_load, &offset, value);
}

static const char *run(struct smelt_rt_context *context) {
    const char *failure = NULL;
    uint64_t value = 1;
    do {
        REQUIRE(smelt_rt_instance_start(context) == SMELT_RT_TRAP_NONE, "no memory could be made");
        context->memory_base[SMELT_RT_PAGE - 1] = 7;
        REQUIRE(load(context, SMELT_RT_PAGE - 1, &value) == SMELT_RT_TRAP_NONE && value == 7, "a load gives no value");
        REQUIRE(load(context, SMELT_RT_PAGE, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS,
                "a load behind the memory is no trap");
        REQUIRE(load(context, (uint64_t)-1, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS,
                "a load in front of the memory is no trap");
        REQUIRE(load(context, UINT64_C(0x1fffffffe), &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS,
                "a load at the far end of the guard is no trap");
        REQUIRE(context->memory_grow(context, 1) == 1 && context->memory_bytes == 2 * SMELT_RT_PAGE,
                "a memory does not grow");
        REQUIRE(load(context, SMELT_RT_PAGE, &value) == SMELT_RT_TRAP_NONE && value == 0,
                "grown memory is not readable and zero");
        REQUIRE(smelt_rt_enter(context, call_import_once, NULL, &value) == SMELT_RT_TRAP_NONE &&
                    value == SMELT_RT_TRAP_UNREACHABLE,
                "a nested entry does not end where it began");
    } while (0);
    return failure;
}

const char *smelt_rt_self_test(void) {
    /* The probe's text can be registered only once at a time. */
    static pthread_mutex_t testing = PTHREAD_MUTEX_INITIALIZER;
    static const struct smelt_module_descriptor module = {
        .magic = SMELT_RT_MAGIC,
        .abi_major = SMELT_RT_ABI_MAJOR,
        .abi_minor = SMELT_RT_ABI_MINOR,
        .struct_size = sizeof module,
        .text_start = smelt_rt_arch_probe_start,
        .text_end = smelt_rt_arch_probe_end,
        .has_memory = 1,
        .memory_minimum = 1,
        .memory_maximum = UINT32_MAX,
    };
    const struct smelt_rt_options options = {
        .limits = {.memory_maximum = 4 * SMELT_RT_PAGE},
        .host_import = nested_import,
    };
    if (smelt_rt_signals_install() != 0) { return "signal handlers cannot be installed"; }
    pthread_mutex_lock(&testing);
    const char *failure = NULL;
    if (smelt_rt_code_register(&module) != SMELT_RT_OK) {
        failure = "code cannot be registered";
    } else {
        /* Twice: the second memory is the first one, cleared. */
        for (int round = 0; round < 2 && failure == NULL; round++) {
            struct smelt_rt_context *context = NULL;
            if (smelt_rt_instance_create(&module, &options, &context) != SMELT_RT_OK) {
                failure = "an instance cannot be made";
                break;
            }
            failure = run(context);
            smelt_rt_instance_destroy(context);
        }
        smelt_rt_code_unregister(&module);
    }
    pthread_mutex_unlock(&testing);
    smelt_rt_signals_uninstall();
    return failure;
}
