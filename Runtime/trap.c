/* trap.c: entering guest code, leaving it by a trap, the gate to the host. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch_x86_64.h"
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#if SMELT_RT_ASAN
#include <sanitizer/asan_interface.h>
#endif

_Thread_local struct smelt_rt_thread smelt_rt_thread;

const char *smelt_rt_trap_text(int32_t trap) {
    switch (trap) {
#define X(symbol, number, text)                                                                                        \
    case number: return text;
        SMELT_RT_TRAPS(X)
#undef X
    default: return NULL;
    }
}

/* Besides its frames a guest needs room for what runs below the deepest of them: services, the raise path, and the
 * thunks of imports with the handlers they call. */
#define BELOW_GUEST (UINT64_C(512) << 10)


int32_t smelt_rt_enter(struct smelt_rt_context *context, smelt_rt_entry_fn entry, uint64_t *arguments,
                       uint64_t *results) {
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    if (UNLIKELY(!thread->bounds_known || !thread->signals_ready)) { smelt_rt_thread_first_use(thread); }
    struct smelt_rt_activation activation = {.previous = thread->current, .context = context};
    uint64_t frame = (uint64_t)__builtin_frame_address(0);
    if (frame < thread->deepest_entry) { thread->deepest_entry = frame; }
    uint64_t needed = context->module->stack_bytes + BELOW_GUEST;
    if (UNLIKELY(frame - thread->stack_low < needed)) {
        context->trap = SMELT_RT_TRAP_LOCAL_FAILURE;
        context->trap_pc = 0;
        return SMELT_RT_TRAP_LOCAL_FAILURE;
    }
    /* The handler and the raise path of this thread read the chain: it is complete before it is linked. */
    atomic_signal_fence(memory_order_seq_cst);
    thread->current = &activation;
    int32_t trap = smelt_rt_arch_enter(&activation, context, entry, arguments, results);
    thread->current = activation.previous;
    if (UNLIKELY(trap != SMELT_RT_TRAP_NONE)) {
#if SMELT_RT_ASAN
        /* The frames that were left did not unpoison their variables. */
        uint64_t here = (uint64_t)__builtin_frame_address(0);
        uint64_t low = here > needed + thread->stack_low ? here - needed : thread->stack_low;
        __asan_unpoison_memory_region((void *)low, activation.stack_pointer - low);
#endif
        context->trap = trap;
        context->trap_pc = activation.trap_pc;
    }
    return trap;
}

UNINSTRUMENTED void smelt_rt_raise_at(struct smelt_rt_context *context, int32_t trap, uint64_t pc) {
    (void)context;
    struct smelt_rt_activation *activation = smelt_rt_thread.current;
    if (UNLIKELY(activation == NULL || trap == SMELT_RT_TRAP_NONE)) {
        fputs("smelt runtime: raise outside an entry\n", stderr);
        abort();
    }
    activation->trap_pc = pc;
    smelt_rt_arch_leave(activation, trap);
    __builtin_unreachable();
}

UNINSTRUMENTED void smelt_rt_raise(struct smelt_rt_context *context, int32_t trap) {
    TAKE_CALL_SITE(site);
    smelt_rt_raise_at(context, trap, site);
    __builtin_unreachable();
}

void smelt_rt_call_import(struct smelt_rt_context *context, uint32_t import_index, uint64_t *slots) {
    TAKE_CALL_SITE(site);
    int32_t trap = context->host_import(context->host, context, import_index, slots);
    if (UNLIKELY(trap != SMELT_RT_TRAP_NONE)) { smelt_rt_raise_at(context, trap, site); }
    arch_default_float_control();
}

void smelt_rt_dynamic_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results) {
    (void)context;
    (void)results;
    const struct smelt_rt_dynamic_call *call = (const struct smelt_rt_dynamic_call *)arguments;
    call->call(call->interface, call->function, call->result, call->arguments);
}
