/* Recursion without end, on every kind of stack. */
#include "guest.h"

#include <pthread.h>

/* Compilers see that these do not end; a guest's author may not mean well. */
static volatile uint64_t endless = UINT64_MAX;
#define BOTTOM(depth)                                                                                                  \
    if ((depth) == endless) { return 0; }

GUEST static uint64_t recurse(context_t *context, uint64_t depth) {
    GUEST_PROLOGUE(context);
    BOTTOM(depth);
    context->stack_height = (uint32_t)depth;
    uint64_t below = recurse(context, depth + 1);
    return below + context->stack_height;
}

GUEST static void recursion(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = recurse(context, arguments[0]);
}

/* A frame of 320 KB, as 40,000 locals make it; it checks before it touches, but after it has moved the stack
 * pointer, as compiled code does. */
GUEST static uint64_t wide(context_t *context, uint64_t depth) {
    if ((uint64_t)__builtin_frame_address(0) - 330000 < context->native_limit) {
        context->raise(context, SMELT_RT_TRAP_NATIVE_STACK);
    }
    BOTTOM(depth);
    volatile uint8_t locals[320000];
    for (int i = 0; i < 320000; i += 4096) { locals[i] = (uint8_t)depth; }
    context->stack_height = (uint32_t)depth;
    return wide(context, depth + 1) + locals[depth % 320000];
}

GUEST static void wide_recursion(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = wide(context, arguments[0]);
}

/* Never checks: runs into the guard. */
GUEST static uint64_t unchecked(context_t *context, uint64_t depth) {
    BOTTOM(depth);
    volatile uint8_t locals[512];
    locals[depth % 512] = 1;
    context->stack_height = (uint32_t)depth;
    return unchecked(context, depth + 1) + locals[0];
}

GUEST static void unchecked_recursion(context_t *context, uint64_t *arguments, uint64_t *results) {
    context->native_limit = 0;
    results[0] = unchecked(context, arguments[0]);
}

static context_t *instance(const struct smelt_rt_options *options) {
    static struct smelt_module_descriptor module;
    module = guest_module();
    return guest_instance(&module, options);
}

static void recursion_ends_in_a_trap(void *unused) {
    (void)unused;
    struct smelt_rt_options options = guest_options();
    context_t *context = instance(&options);
    uint64_t start = 0, result;
    for (int i = 0; i < 3; i++) {
        CHECK(smelt_rt_enter(context, recursion, &start, &result) == SMELT_RT_TRAP_NATIVE_STACK);
        CHECK(context->stack_height > 10000);
        CHECK(smelt_rt_enter(context, wide_recursion, &start, &result) == SMELT_RT_TRAP_NATIVE_STACK);
        CHECK(context->stack_height >= 10 && context->stack_height <= 14); /* 4 MiB of such frames */
    }
    smelt_rt_instance_destroy(context);
}

/* ---- 1,024 nested entries ----------------------------------------------------------------------------*/

struct nest {
    context_t *context;
    int depth, returned, exhausted;
};

/* Uses three of the four MiB of its entry, then calls the host. The check stands in a frame of its own. */
GUEST static void deep_call(context_t *context, uint64_t *arguments, uint64_t *results) {
    volatile uint8_t locals[3 << 20];
    locals[arguments[0] % sizeof locals] = 1; /* an index that is not known keeps the array as large as it is */
    context->call_import(context, 0, arguments);
    results[0] = locals[0];
}

GUEST static void deep_then_call(context_t *context, uint64_t *arguments, uint64_t *results) {
    if ((uint64_t)__builtin_frame_address(0) - (3 << 20) - 4096 < context->native_limit) {
        context->raise(context, SMELT_RT_TRAP_NATIVE_STACK);
    }
    deep_call(context, arguments, results);
    GUEST_END;
}

static int32_t nest_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)context;
    (void)index;
    (void)slots;
    struct nest *nest = host;
    if (--nest->depth == 0) { return 0; }
    uint64_t arguments[1] = {0}, result;
    int32_t trap = smelt_rt_enter(nest->context, deep_then_call, arguments, &result);
    /* At every level the whole budget of an entry is there; touching it at each would take 4 GiB. */
    uint64_t start = 0;
    if (nest->returned++ % 32 == 0 &&
        smelt_rt_enter(nest->context, recursion, &start, &result) == SMELT_RT_TRAP_NATIVE_STACK &&
        context->stack_height > 10000) {
        nest->exhausted++;
    }
    return trap;
}

static void nested_entries_have_their_budget(void *unused) {
    (void)unused;
    struct smelt_rt_options options = guest_options();
    struct nest nest = {.depth = 1024};
    options.host = &nest;
    options.host_import = nest_import;
    context_t *context = nest.context = instance(&options);
    uint64_t arguments[1] = {0}, result;
    CHECK(smelt_rt_enter(context, deep_then_call, arguments, &result) == SMELT_RT_TRAP_NONE);
    CHECK(nest.depth == 0 && nest.returned == 1023 && nest.exhausted == 32);
    CHECK(context->native_limit == 0); /* what it was before the first entry */
    smelt_rt_instance_destroy(context);
}

static void nesting_without_end_ends_in_a_trap(void *unused) {
    (void)unused;
    struct smelt_rt_options options = guest_options();
    struct nest nest = {.depth = 1 << 30};
    options.host = &nest;
    options.host_import = nest_import;
    context_t *context = nest.context = instance(&options);
    uint64_t arguments[1] = {0}, result;
    CHECK(smelt_rt_enter(context, deep_then_call, arguments, &result) == SMELT_RT_TRAP_NATIVE_STACK);
    smelt_rt_instance_destroy(context);
}

/* Goes down to where no entry fits any more, so that the rest of the stack is short, and runs into the guard there. */
static int32_t guard_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)index;
    (void)slots;
    struct nest *nest = host;
    uint64_t arguments[1] = {0}, result;
    int32_t trap = smelt_rt_enter(context, deep_then_call, arguments, &result);
    if (trap == SMELT_RT_TRAP_NATIVE_STACK && nest->exhausted++ == 0) {
        for (int i = 0; i < 2; i++) {
            CHECK(smelt_rt_enter(context, unchecked_recursion, arguments, &result) == SMELT_RT_TRAP_NATIVE_STACK);
            CHECK(context->stack_height > 1000);
        }
    }
    return trap;
}

static void recursion_into_the_guard_ends_in_a_trap(void *unused) {
    (void)unused;
    struct smelt_rt_options options = guest_options();
    struct nest nest = {0};
    options.host = &nest;
    options.host_import = guard_import;
    context_t *context = instance(&options);
    uint64_t arguments[1] = {0}, result;
    CHECK(smelt_rt_enter(context, deep_then_call, arguments, &result) == SMELT_RT_TRAP_NATIVE_STACK);
    CHECK(nest.exhausted > 1000);
    smelt_rt_instance_destroy(context);
}

static void *on_a_small_thread(void *unused) {
    recursion_ends_in_a_trap(unused);
    nesting_without_end_ends_in_a_trap(unused);
    CHECK(smelt_rt_run_on_stack(recursion_ends_in_a_trap, NULL) == 0);
    return NULL;
}

static void inside(void *outer) {
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    uint64_t distance = here > *(uint64_t *)outer ? here - *(uint64_t *)outer : *(uint64_t *)outer - here;
    *(uint64_t *)outer = distance;
}

static void run_again(void *argument) {
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    CHECK(smelt_rt_run_on_stack(inside, &here) == 0);
    *(uint64_t *)argument = here; /* distance between two frames of one stack */
}

void test_stack(void) {
    recursion_ends_in_a_trap(NULL);
    CHECK(smelt_rt_run_on_stack(recursion_ends_in_a_trap, NULL) == 0);
    CHECK(smelt_rt_run_on_stack(recursion_into_the_guard_ends_in_a_trap, NULL) == 0);
    CHECK(smelt_rt_run_on_stack(nested_entries_have_their_budget, NULL) == 0);
    CHECK(smelt_rt_run_on_stack(nesting_without_end_ends_in_a_trap, NULL) == 0);
    nesting_without_end_ends_in_a_trap(NULL);
    uint64_t distance = 0;
    CHECK(smelt_rt_run_on_stack(run_again, &distance) == 0 && distance < 65536);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 6 << 20);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, on_a_small_thread, NULL) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}
