/* Guard geometry, growth and its limiter, segments, reuse. */
#include "guest.h"

#define PAGE SMELT_RT_PAGE

static void accesses_outside_trap_and_inside_do_not(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    for (uint32_t pages = 0; pages <= 3; pages++) {
        module.memory_minimum = pages;
        context_t *context = guest_instance(&module, &options);
        uint64_t size = pages * PAGE, value;
        const uint64_t two31 = UINT64_C(1) << 31, two32 = UINT64_C(1) << 32;
        const uint64_t bases[] = {0,         1,         size - 8,  size - 7,  size - 1,  size,     size + 1, two31 - 1,
                                  two31,     two31 + 1, two32 - 8, two32 - 1};
        const uint64_t offsets[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
        for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
            for (size_t j = 0; j < sizeof offsets / sizeof offsets[0]; j++) {
                uint64_t address = (bases[i] & 0xffffffff) + offsets[j];
                int32_t expected = address + 8 <= size ? 0 : SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS;
                CHECK(smelt_rt_enter(context, guest_load64, &address, &value) == expected);
                uint64_t store[2] = {address, 0};
                CHECK(smelt_rt_enter(context, guest_store64, store, NULL) == expected);
            }
        }
        /* In front of the memory, as far as a sign-extended index reaches. */
        for (uint64_t back = 1; back <= two31; back *= 2) {
            if (back == SMELT_RT_MEMORY_BEHIND_CONTEXT) { continue; } /* the context */
            CHECK(load8(context, (uint64_t)0 - back, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
        }
        smelt_rt_instance_destroy(context);
    }
}

/* ---- Growth ------------------------------------------------------------------------------------------*/

struct limiter {
    uint64_t used, limit, asked, last_maximum;
};

static int32_t limit(void *host, uint64_t current, uint64_t desired, uint64_t maximum) {
    struct limiter *limiter = host;
    limiter->asked++;
    limiter->last_maximum = maximum;
    if (desired > maximum || limiter->used + (desired - current) > limiter->limit) { return 0; }
    limiter->used += desired - current;
    return 1;
}

static uint64_t grow(context_t *context, uint64_t pages) {
    uint64_t result = 0;
    CHECK(smelt_rt_enter(context, guest_grow, &pages, &result) == 0);
    return result;
}

static void growth_asks_the_limiter_as_the_reference_does(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    struct limiter limiter = {.limit = UINT64_C(2) << 30};
    options.host = &limiter;
    options.host_limiter = limit;
    context_t *context = guest_instance(&module, &options);
    CHECK(limiter.asked == 1 && limiter.used == PAGE && limiter.last_maximum == UINT64_C(1) << 32);
    /* Growth by nothing asks nobody. */
    CHECK(grow(context, 0) == 1 && limiter.asked == 1);
    CHECK(grow(context, 1) == 1 && limiter.used == 2 * PAGE && context->memory_bytes == 2 * PAGE);
    /* Over 512 MiB but under 2 GiB: refused, and what the limiter took stays taken. */
    CHECK(grow(context, 8191) == 0xffffffff && limiter.used == 8193 * PAGE && context->memory_bytes == 2 * PAGE);
    CHECK(grow(context, 8190) == 2 && limiter.used == (8193 + 8190) * PAGE);
    CHECK(context->memory_bytes == UINT64_C(512) << 20);
    /* Over 2 GiB, and over 4 GiB: the limiter refuses and takes nothing. */
    CHECK(grow(context, 40000) == 0xffffffff && grow(context, 0xffffffff) == 0xffffffff);
    CHECK(limiter.used == (8193 + 8190) * PAGE && limiter.last_maximum == UINT64_C(1) << 32);
    smelt_rt_instance_destroy(context);

    /* A declared maximum is known to the limiter. */
    module.memory_maximum = 3;
    limiter = (struct limiter){.limit = UINT64_C(2) << 30};
    context = guest_instance(&module, &options);
    CHECK(grow(context, 3) == 0xffffffff && limiter.used == PAGE && limiter.last_maximum == 3 * PAGE);
    CHECK(grow(context, 2) == 1 && grow(context, 1) == 0xffffffff && grow(context, 0) == 3);
    smelt_rt_instance_destroy(context);

    /* Refused at instantiation. */
    limiter = (struct limiter){.limit = 2};
    CHECK(smelt_rt_instance_create(&module, &options, &context) == SMELT_RT_OK);
    CHECK(smelt_rt_instance_start(context) == SMELT_RT_TRAP_RESOURCE_LIMIT);
    CHECK(context->memory_base == NULL && limiter.used == 0);
    smelt_rt_instance_destroy(context);
}

/* ---- Bulk operators ----------------------------------------------------------------------------------*/

GUEST static void fill(context_t *context, uint64_t *a, uint64_t *results) {
    (void)results;
    context->memory_fill(context, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
    GUEST_END;
}
GUEST static void copy(context_t *context, uint64_t *a, uint64_t *results) {
    (void)results;
    context->memory_copy(context, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
    GUEST_END;
}
GUEST static void init(context_t *context, uint64_t *a, uint64_t *results) {
    (void)results;
    context->memory_init(context, (uint32_t)a[3], (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
    GUEST_END;
}
GUEST static void drop(context_t *context, uint64_t *a, uint64_t *results) {
    (void)results;
    context->data_drop(context, (uint32_t)a[0]);
}

static int32_t bulk(context_t *context, smelt_rt_entry_fn entry, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    uint64_t arguments[4] = {a, b, c, d};
    return smelt_rt_enter(context, entry, arguments, NULL);
}

static void bulk_operators_check_first_and_then_act(void) {
    const int32_t out = SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5};
    struct smelt_rt_data_segment data[2] = {{.bytes = bytes, .length = 5, .offset = 10},
                                            {.bytes = bytes, .length = 5, .mode = 1}};
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    module.data = data;
    module.data_count = 2;
    context_t *context = guest_instance(&module, &options);
    uint8_t *m = context->memory_base;
    CHECK(memcmp(m + 10, bytes, 5) == 0 && m[9] == 0 && m[15] == 0);
    CHECK(bulk(context, fill, PAGE - 4, 0x1aa, 4, 0) == 0 && m[PAGE - 1] == 0xaa && m[PAGE - 5] == 0);
    CHECK(bulk(context, fill, PAGE - 4, 0xbb, 5, 0) == out && m[PAGE - 1] == 0xaa);
    CHECK(bulk(context, fill, PAGE, 0, 0, 0) == 0 && bulk(context, fill, PAGE + 1, 0, 0, 0) == out);
    CHECK(bulk(context, fill, 1, 0, 0xffffffff, 0) == out && m[10] == 1);
    CHECK(bulk(context, copy, 11, 10, 5, 0) == 0 && memcmp(m + 11, bytes, 5) == 0); /* overlapping */
    CHECK(bulk(context, copy, 0, PAGE - 4, 5, 0) == out && m[0] == 0);
    CHECK(bulk(context, copy, PAGE - 4, 0, 5, 0) == out && m[PAGE - 4] == 0xaa);
    CHECK(bulk(context, copy, 0, 0xffffffff, 2, 0) == out);
    CHECK(bulk(context, init, 20, 1, 4, 1) == 0 && memcmp(m + 20, bytes + 1, 4) == 0);
    CHECK(bulk(context, init, 30, 1, 5, 1) == out && m[30] == 0);
    CHECK(bulk(context, init, PAGE - 1, 0, 2, 1) == out && m[PAGE - 1] == 0xaa);
    CHECK(bulk(context, init, 0, 0, 1, 0) == out); /* an active segment is dropped after its use */
    CHECK(bulk(context, init, 0, 0, 0, 0) == 0);
    CHECK(bulk(context, drop, 1, 0, 0, 0) == 0 && bulk(context, init, 0, 0, 1, 1) == out);
    CHECK(context->trap_pc >= (uint64_t)__start_guest_text && context->trap_pc < (uint64_t)__stop_guest_text);
    smelt_rt_instance_destroy(context);
    /* A segment that does not fit is a trap; those before it were applied. */
    data[1] = (struct smelt_rt_data_segment){.bytes = bytes, .length = 5, .offset = PAGE - 4};
    CHECK(smelt_rt_instance_create(&module, &options, &context) == SMELT_RT_OK);
    CHECK(smelt_rt_instance_start(context) == out && context->memory_base[10] == 1);
    smelt_rt_instance_destroy(context);
}

/* ---- Reuse -------------------------------------------------------------------------------------------*/

static bool all_zero(const uint8_t *bytes, uint64_t count) {
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static int32_t abort_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)host;
    (void)context;
    (void)index;
    (void)slots;
    return SMELT_RT_TRAP_HOST_ABORT;
}

static void a_memory_is_zero_when_it_is_used_again(void) {
    struct smelt_rt_global globals[2] = {{.value = 11, .type = 0x7e, .is_mutable = 1},
                                         {.value = 0, .type = 0x7e, .is_mutable = 1}};
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    module.globals = globals;
    module.global_count = 2;
    options.host_import = abort_import;
    uint64_t seed = 42;
    uint8_t *seen = NULL;
    int same = 0;
    for (int round = 0; round < 1000; round++) {
        /* Small, larger than the limits of the careful way of clearing, and in between. */
        static const uint32_t sizes[] = {1, 19, 19, 19, 100, 1, 300, 19};
        module.memory_minimum = sizes[round % 8];
        context_t *context = guest_instance(&module, &options);
        CHECK(all_zero(context->memory_base, context->memory_bytes));
        CHECK(context->globals[0] == 11 && context->globals[1] == 0 && context->gas == 0);
        if (context->memory_base == seen) { same++; }
        seen = context->memory_base;
        context->globals[0] = context->globals[1] = next_random(&seed);
        context->gas = 5;
        uint64_t grown = next_random(&seed) % 4;
        CHECK(grow(context, grown) == module.memory_minimum);
        CHECK(all_zero(context->memory_base + module.memory_minimum * PAGE, grown * PAGE));
        if (round % 10 == 0) {
            memset(context->memory_base, 0x5a, context->memory_bytes);
        } else {
            for (uint64_t i = next_random(&seed) % 64; i > 0; i--) {
                context->memory_base[next_random(&seed) % context->memory_bytes] = 0x5a;
            }
            context->memory_base[context->memory_bytes - 1] = 0x5a;
        }
        uint64_t value, arguments[3] = {0}, trap = 1 + (uint64_t)round % 13;
        switch (round % 4) {
        case 0: CHECK(load8(context, context->memory_bytes, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS); break;
        case 1: CHECK(smelt_rt_enter(context, guest_raise, &trap, NULL) == (int32_t)trap); break;
        case 2:
            CHECK(smelt_rt_enter(context, guest_call_import, arguments, &value) == SMELT_RT_TRAP_HOST_ABORT);
            break;
        default: CHECK(bulk(context, fill, 0xffffffff, 0, 2, 0) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
        }
        smelt_rt_instance_destroy(context);
    }
    CHECK(same > 900); /* it was reuse that was tested */
}

/* Takes, grows and returns memories at random and looks at six addresses after each step. */
static void random_sequences_keep_the_geometry(void) {
    enum { HELD = 6 };
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    context_t *held[HELD] = {0};
    uint64_t seed = 7;
    for (int step = 0; step < 10000; step++) {
        int i = (int)(next_random(&seed) % HELD);
        uint64_t choice = next_random(&seed) % 8;
        if (held[i] == NULL) {
            static const uint32_t sizes[] = {0, 1, 2, 19, 160, 8192};
            module.memory_minimum = sizes[next_random(&seed) % (step % 50 == 0 ? 6 : 5)];
            module.memory_maximum = 8192;
            held[i] = guest_instance(&module, &options);
        } else if (choice < 2) {
            smelt_rt_instance_destroy(held[i]);
            held[i] = NULL;
            continue;
        } else if (choice < 5) {
            uint64_t before = held[i]->memory_bytes / PAGE, more = next_random(&seed) % 20;
            uint64_t expected = before + more <= 8192 ? before : 0xffffffff;
            CHECK(grow(held[i], more) == expected);
        }
        uint64_t size = held[i]->memory_bytes, value = 1;
        const uint64_t probes[6] = {0, size - 1, size, size + PAGE, UINT64_C(1) << 32, (uint64_t)0 - 1};
        for (int j = 0; j < 6; j++) {
            int32_t expected = probes[j] < size ? 0 : SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS;
            CHECK(load8(held[i], probes[j], &value) == expected);
            if (expected == 0 && choice >= 5) {
                CHECK(value == 0 || value == 0x33);
                held[i]->memory_base[probes[j]] = 0x33;
            }
        }
    }
    for (int i = 0; i < HELD; i++) { smelt_rt_instance_destroy(held[i]); }
}

void test_memory(void) {
    accesses_outside_trap_and_inside_do_not();
    growth_asks_the_limiter_as_the_reference_does();
    bulk_operators_check_first_and_then_act();
    a_memory_is_zero_when_it_is_used_again();
    random_sequences_keep_the_geometry();
}
