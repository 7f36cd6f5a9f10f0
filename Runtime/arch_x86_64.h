/* arch_x86_64.h: what C needs to know about the machine. */
#ifndef SMELT_RT_ARCH_X86_64_H
#define SMELT_RT_ARCH_X86_64_H

#if defined(__x86_64__)

#include <stdint.h>
#include <ucontext.h>
#include <xmmintrin.h>

/* A host callback may have changed rounding, FTZ, DAZ or masks: compiled code must not notice. The six sticky
 * exception flags are nobody's. */
static inline void arch_default_float_control(void) {
    if (__builtin_expect((_mm_getcsr() & 0xffc0u) != 0x1f80u, 0)) { _mm_setcsr(0x1f80u); }
}

static inline uint64_t arch_context_pc(const ucontext_t *context) {
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
}

/* Makes the interrupted thread go on with function(first, second). The function must not use the stack it finds. */
static inline void arch_context_redirect(ucontext_t *context, uint64_t function, uint64_t first, uint64_t second) {
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)function;
    context->uc_mcontext.gregs[REG_RDI] = (greg_t)first;
    context->uc_mcontext.gregs[REG_RSI] = (greg_t)second;
}

#else
#error "the runtime has no support for this architecture yet"
#endif
#endif
