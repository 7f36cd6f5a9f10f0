/* cpu.c: the processor's psABI level, for objects that require one. */
#include "smeltrt.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The state components the kernel saves: bits 1 and 2 are the SSE and AVX registers. */
static uint32_t saved_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

int32_t smelt_rt_cpu_level(void) {
    const uint32_t v2_ecx = bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT;
    const uint32_t v3_ecx = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    const uint32_t v3_ebx7 = bit_BMI | bit_AVX2 | bit_BMI2;
    const uint32_t lahf = 1u << 0, lzcnt = 1u << 5;
    uint32_t eax, ebx, ecx, edx, ebx7, ecx81, unused;

    if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx81, &edx)) return 1;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return 1;
    if (!__get_cpuid_count(7, 0, &eax, &ebx7, &unused, &edx)) ebx7 = 0;
    if ((ecx & v2_ecx) != v2_ecx || !(ecx81 & lahf)) return 1;
    if ((ecx & v3_ecx) != v3_ecx || (ebx7 & v3_ebx7) != v3_ebx7 || !(ecx81 & lzcnt)) return 2;
    return (saved_state() & 6) == 6 ? 3 : 2;
}
#else
int32_t smelt_rt_cpu_level(void) { return 0; }
#endif
