// What the kernels here share: freestanding C, one exported function, the same checksum wherever it runs.
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __wasm__
#define KERNEL __attribute__((export_name("run")))
#else
#define KERNEL
#endif
#define OUT_OF_LINE __attribute__((noinline))
int64_t run(int32_t n);

static inline uint64_t next_random(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static inline uint64_t fold(uint64_t sum, uint64_t value) { return (sum ^ value) * 0x100000001B3u + (sum >> 47); }
