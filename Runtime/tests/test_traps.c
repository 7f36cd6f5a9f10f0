/* Entering, leaving, nesting, floating-point control, naming the place. */
#include "guest.h"

#include <fenv.h>
#include <xmmintrin.h>

static void every_trap_reaches_the_entry(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    context_t *context = guest_instance(&module, &options);
    static const int32_t numbers[] = {
#define X(symbol, number, text) number,
        SMELT_RT_TRAPS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint64_t argument = (uint64_t)numbers[i];
        CHECK(smelt_rt_enter(context, guest_raise, &argument, NULL) == numbers[i]);
        CHECK(context->trap == numbers[i]);
        CHECK(context->trap_pc >= (uint64_t)__start_guest_text && context->trap_pc < (uint64_t)__stop_guest_text);
        CHECK(smelt_rt_trap_text(numbers[i]) != NULL);
    }
    CHECK(smelt_rt_trap_text(0) == NULL && smelt_rt_trap_text(9999) == NULL);
    smelt_rt_instance_destroy(context);
}

/* Two accesses with a charge each: the counter at a fault is that of the access that faulted. */
GUEST static void charge_and_touch(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)results;
    volatile int64_t *gas = &context->gas;
    *gas = *gas - 100;
    (void)*(volatile uint8_t *)((uint64_t)context->memory_base + arguments[0]);
    *gas = *gas - 50;
    (void)*(volatile uint8_t *)((uint64_t)context->memory_base + arguments[1]);
}

static void gas_is_exact_at_a_fault(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    context_t *context = guest_instance(&module, &options);
    uint64_t first[2] = {65536, 0}, second[2] = {0, 65536};
    context->gas = 1000;
    CHECK(smelt_rt_enter(context, charge_and_touch, first, NULL) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(context->gas == 900);
    CHECK(smelt_rt_enter(context, charge_and_touch, second, NULL) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(context->gas == 750);
    smelt_rt_instance_destroy(context);
}

/* ---- Nesting -----------------------------------------------------------------------------------------*/

struct nest {
    context_t *inner;
    int depth;
    int32_t ends_with;
    int returned;
};

static int32_t nest_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    struct nest *nest = host;
    (void)context;
    if (nest->depth-- > 0) {
        uint64_t arguments[3] = {index, slots[0] + 1, 0}, result = 0;
        int32_t trap = smelt_rt_enter(nest->inner, guest_call_import, arguments, &result);
        nest->returned++;
        slots[0] = result;
        return trap;
    }
    return nest->ends_with;
}

static void a_trap_ends_the_innermost_entry_only(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    struct nest nest = {.depth = 100, .ends_with = SMELT_RT_TRAP_NONE};
    options.host = &nest;
    options.host_import = nest_import;
    context_t *context = guest_instance(&module, &options);
    nest.inner = context;
    uint64_t arguments[3] = {3, 5, 0}, result = 0;
    CHECK(smelt_rt_enter(context, guest_call_import, arguments, &result) == SMELT_RT_TRAP_NONE);
    CHECK(result == 105 && nest.returned == 100);
    /* Each level's host function returns before the level above is ended. */
    nest = (struct nest){.inner = context, .depth = 100, .ends_with = SMELT_RT_TRAP_HOST_ABORT};
    CHECK(smelt_rt_enter(context, guest_call_import, arguments, &result) == SMELT_RT_TRAP_HOST_ABORT);
    CHECK(nest.returned == 100);
    smelt_rt_instance_destroy(context);
}

/* ---- Registers and control words ---------------------------------------------------------------------*/

/* Changes every register that a callee must keep and never returns. */
GUEST static void clobber_and_trap(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)results;
    __asm__ volatile("movq $-1, %%rbx\n movq $-1, %%r12\n movq $-1, %%r13\n movq $-1, %%r14\n movq $-1, %%r15\n"
                     "addq %1, %0\n movb (%0), %%al\n"
                     : "+r"(context->memory_base)
                     : "r"(arguments[0])
                     : "rbx", "r12", "r13", "r14", "r15", "rax", "memory");
}

static void callee_saved_registers_survive_a_fault(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    context_t *context = guest_instance(&module, &options);
    uint8_t *base = context->memory_base;
    register uint64_t a __asm__("rbx") = 1;
    register uint64_t b __asm__("r12") = 2;
    register uint64_t c __asm__("r13") = 3;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
    uint64_t argument = 1 << 20;
    int32_t trap = smelt_rt_enter(context, clobber_and_trap, &argument, NULL);
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
    bool kept = a == 1 && b == 2 && c == 3;
    CHECK(trap == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(kept);
    context->memory_base = base;
    smelt_rt_instance_destroy(context);
}

GUEST static void divide(context_t *context, uint64_t *arguments, uint64_t *results) {
    double x, y;
    __builtin_memcpy(&x, &arguments[0], 8);
    __builtin_memcpy(&y, &arguments[1], 8);
    volatile double z = x / y;
    double w = z;
    __builtin_memcpy(&results[0], &w, 8);
    results[1] = _mm_getcsr();
    if (arguments[2]) { context->raise(context, SMELT_RT_TRAP_UNREACHABLE); }
    if (arguments[3]) { context->call_import(context, 0, results); }
    results[1] = _mm_getcsr();
}

static int32_t rude_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)host;
    (void)context;
    (void)index;
    (void)slots;
    _mm_setcsr(0xffc0); /* FTZ, DAZ, toward zero, all masked */
    return 0;
}

static void floating_point_control_is_the_guests_own(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    options.host_import = rude_import;
    context_t *context = guest_instance(&module, &options);
    unsigned earlier = _mm_getcsr();
    unsigned short earlier_x87, after_x87, strange_x87 = 0x0c7f; /* single precision, toward zero */
    __asm__ volatile("fnstcw %0" : "=m"(earlier_x87));
    const double one = 1, three = 3, tiny = 2.2250738585072014e-308;
    uint64_t arguments[4] = {0}, expected[2], got[2];
    memcpy(&arguments[0], &one, 8);
    memcpy(&arguments[1], &three, 8);
    CHECK(smelt_rt_enter(context, divide, arguments, expected) == 0);
    /* Unmasked exceptions, upward, FTZ and DAZ in the host. */
    for (int trapping = 0; trapping < 2; trapping++) {
        arguments[2] = (uint64_t)trapping;
        _mm_setcsr(0xd840);
        __asm__ volatile("fldcw %0" : : "m"(strange_x87));
        int32_t trap = smelt_rt_enter(context, divide, arguments, got);
        unsigned after = _mm_getcsr();
        __asm__ volatile("fnstcw %0" : "=m"(after_x87));
        _mm_setcsr(earlier);
        __asm__ volatile("fldcw %0" : : "m"(earlier_x87));
        CHECK(trap == (trapping ? SMELT_RT_TRAP_UNREACHABLE : SMELT_RT_TRAP_NONE));
        CHECK(got[0] == expected[0]);
        CHECK((got[1] & 0xffc0) == 0x1f80);
        CHECK(after == 0xd840 && after_x87 == strange_x87);
    }
    /* A subnormal result is not flushed. */
    memcpy(&arguments[0], &tiny, 8);
    arguments[2] = 0;
    _mm_setcsr(0xffc0);
    int32_t trap = smelt_rt_enter(context, divide, arguments, got);
    _mm_setcsr(earlier);
    CHECK(trap == 0 && got[0] == UINT64_C(0x0005555555555555));
    /* A host function that leaves another mode behind does not change the guest's. */
    arguments[3] = 1;
    CHECK(smelt_rt_enter(context, divide, arguments, got) == 0);
    CHECK((got[1] & 0xffc0) == 0x1f80);
    _mm_setcsr(earlier);
    smelt_rt_instance_destroy(context);
}

/* ---- Explicit checks ---------------------------------------------------------------------------------*/

static void checking_modules_need_no_signals(void) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    context_t *context = NULL;
    smelt_rt_signals_uninstall();
    CHECK(!smelt_rt_signals_installed());
    CHECK(smelt_rt_instance_create(&module, &options, &context) == SMELT_RT_NO_SIGNALS && context == NULL);
    module.flags = SMELT_RT_CHECKS_BOUNDS;
    context = guest_instance(&module, &options);
    uint64_t trap = SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS;
    CHECK(smelt_rt_enter(context, guest_raise, &trap, NULL) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    smelt_rt_instance_destroy(context);
    CHECK(smelt_rt_signals_install() == 0);
}

void test_traps(void) {
    every_trap_reaches_the_entry();
    gas_is_exact_at_a_fault();
    a_trap_ends_the_innermost_entry_only();
    callee_saved_registers_survive_a_fault();
    floating_point_control_is_the_guests_own();
    checking_modules_need_no_signals();
}
