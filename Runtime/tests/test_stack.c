/* Where a guest ends is counted; the stack has room for whatever the count allows, and its real end is a failure of
 * the machine. */
#include "guest.h"

#include <pthread.h>

/* Compilers see that these do not end; a guest's author may not mean well. */
static volatile uint64_t endless = UINT64_MAX;
#define BOTTOM(depth)                                                                                                  \
    if ((depth) == endless) { return 0; }

/* How deep this thread's last run was, and whether `note` ran. */
static _Thread_local uint64_t deepest, noted;

/* Counts as compiled code does: what its callers have reserved, and its own reserve on top, before it does anything.
 * The frame is smaller than the reserve, as frames are. */
#define NARROW_RESERVE 256
GUEST static uint64_t narrow(context_t *context, uint64_t reserved, uint64_t depth) {
    reserved += NARROW_RESERVE;
    if (reserved > SMELT_RT_ENTRY_STACK) { context->raise(context, SMELT_RT_TRAP_NATIVE_STACK); }
    BOTTOM(depth);
    deepest = depth;
    uint64_t below = narrow(context, reserved, depth + 1);
    return below + deepest;
}

GUEST static void narrow_recursion(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = narrow(context, 0, arguments[0]);
}

/* A frame of 320 KB, as 40,000 locals make it. */
#define WIDE_RESERVE 327680
GUEST static uint64_t wide(context_t *context, uint64_t reserved, uint64_t depth) {
    reserved += WIDE_RESERVE;
    if (reserved > SMELT_RT_ENTRY_STACK) { context->raise(context, SMELT_RT_TRAP_NATIVE_STACK); }
    BOTTOM(depth);
    volatile uint8_t locals[320000];
    for (int i = 0; i < 320000; i += 4096) { locals[i] = (uint8_t)depth; }
    deepest = depth;
    return wide(context, reserved, depth + 1) + locals[depth % 320000];
}

GUEST static void wide_recursion(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = wide(context, 0, arguments[0]);
}

/* Does not count: runs to the end of the stack. */
GUEST static uint64_t uncounted(context_t *context, uint64_t depth) {
    BOTTOM(depth);
    volatile uint8_t locals[512];
    locals[depth % 512] = 1;
    deepest = depth;
    return uncounted(context, depth + 1) + locals[0];
}

GUEST static void uncounted_recursion(context_t *context, uint64_t *arguments, uint64_t *results) {
    results[0] = uncounted(context, arguments[0]);
}

GUEST static void note(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)context;
    (void)arguments;
    (void)results;
    noted = 1;
}

/* A module whose entries take their whole budget, and the frame of the function that finds out. */
static context_t *instance(const struct smelt_rt_options *options) {
    static struct smelt_module_descriptor module;
    module = guest_module();
    module.stack_bytes = 2 * SMELT_RT_ENTRY_STACK;
    return guest_instance(&module, options);
}

static bool ends_where_it_is_counted(context_t *context) {
    uint64_t start = 1, result;
    bool narrow_end = smelt_rt_enter(context, narrow_recursion, &start, &result) == SMELT_RT_TRAP_NATIVE_STACK &&
                      deepest == SMELT_RT_ENTRY_STACK / NARROW_RESERVE;
    return smelt_rt_enter(context, wide_recursion, &start, &result) == SMELT_RT_TRAP_NATIVE_STACK &&
           deepest == SMELT_RT_ENTRY_STACK / WIDE_RESERVE && narrow_end;
}

static void recursion_ends_where_it_is_counted(void *unused) {
    (void)unused;
    struct smelt_rt_options options = guest_options();
    context_t *context = instance(&options);
    for (int i = 0; i < 3; i++) { CHECK(ends_where_it_is_counted(context)); }
    smelt_rt_instance_destroy(context);
}

/* ---- 1,024 nested entries ----------------------------------------------------------------------------*/

struct nest {
    context_t *context;
    int depth, returned, counted;
    int32_t innermost;
};

/* Takes nearly all of its entry's budget, then calls the host. */
GUEST static void deep_then_call(context_t *context, uint64_t *arguments, uint64_t *results) {
    volatile uint8_t locals[SMELT_RT_ENTRY_STACK - 4096];
    locals[arguments[0] % sizeof locals] = 1; /* an index that is not known keeps the array as large as it is */
    context->call_import(context, 0, arguments);
    results[0] = locals[0];
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
    /* At every level an entry ends where it ends anywhere else; touching the budget at each would take 16 GiB. */
    if (nest->returned++ % 256 == 0 && ends_where_it_is_counted(nest->context)) { nest->counted++; }
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
    CHECK(nest.depth == 0 && nest.returned == 1023 && nest.counted == 4);
    smelt_rt_instance_destroy(context);
}

/* ---- The machine's own end ---------------------------------------------------------------------------*/

/* Goes down to where no entry has room any more. There the rest of the stack is short. */
static int32_t endless_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)index;
    (void)slots;
    struct nest *nest = host;
    uint64_t arguments[1] = {0}, result;
    noted = 0;
    nest->depth++;
    int32_t trap = smelt_rt_enter(context, deep_then_call, arguments, &result);
    if (nest->returned++ > 0) { return trap; }
    nest->innermost = trap;
    CHECK(trap == SMELT_RT_TRAP_LOCAL_FAILURE && context->trap == trap);
    CHECK(smelt_rt_enter(context, note, arguments, &result) == SMELT_RT_TRAP_LOCAL_FAILURE);
    CHECK(noted == 0); /* no guest code has run */
    /* A module that promises to take nothing is let in, and what it takes nevertheless ends in the guard. */
    struct smelt_module_descriptor liar = guest_module();
    struct smelt_rt_options options = guest_options();
    context_t *other = guest_instance(&liar, &options);
    for (int i = 0; i < 2; i++) {
        CHECK(smelt_rt_enter(other, uncounted_recursion, arguments, &result) == SMELT_RT_TRAP_STACK_END);
        CHECK(deepest > 1000 && other->trap == SMELT_RT_TRAP_STACK_END && other->trap_pc != 0);
    }
    CHECK(smelt_rt_enter(other, note, arguments, &result) == SMELT_RT_TRAP_NONE);
    smelt_rt_instance_destroy(other);
    return trap;
}

static void the_end_of_the_stack_is_no_end_of_a_guest(void *unused) {
    (void)unused;
    struct smelt_rt_options options = guest_options();
    struct nest nest = {0};
    options.host = &nest;
    options.host_import = endless_import;
    context_t *context = instance(&options);
    uint64_t arguments[1] = {0}, result;
    CHECK(smelt_rt_enter(context, deep_then_call, arguments, &result) == SMELT_RT_TRAP_LOCAL_FAILURE);
    CHECK(nest.depth >= 1024 && nest.innermost == SMELT_RT_TRAP_LOCAL_FAILURE);
    CHECK(ends_where_it_is_counted(context));
    smelt_rt_instance_destroy(context);
}

/* A thread's own stack takes entries that fit it and no others. */
static void *on_a_small_thread(void *unused) {
    (void)unused;
    struct smelt_module_descriptor module = guest_module();
    module.stack_bytes = 8 << 20;
    struct smelt_rt_options options = guest_options();
    context_t *context = guest_instance(&module, &options);
    CHECK(smelt_rt_enter(context, note, NULL, NULL) == SMELT_RT_TRAP_LOCAL_FAILURE);
    CHECK(noted == 0 && context->trap == SMELT_RT_TRAP_LOCAL_FAILURE);
    module.stack_bytes = 1 << 20;
    CHECK(smelt_rt_enter(context, note, NULL, NULL) == SMELT_RT_TRAP_NONE && noted == 1);
    smelt_rt_instance_destroy(context);
    CHECK(smelt_rt_run_on_stack(recursion_ends_where_it_is_counted, NULL) == 0);
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
    CHECK(smelt_rt_run_on_stack(recursion_ends_where_it_is_counted, NULL) == 0);
    CHECK(smelt_rt_run_on_stack(nested_entries_have_their_budget, NULL) == 0);
    CHECK(smelt_rt_run_on_stack(the_end_of_the_stack_is_no_end_of_a_guest, NULL) == 0);
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
