/* Plain functions for `smelt run`: no syscalls. */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(gcd) uint64_t gcd(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

EXPORT(fibonacci) uint64_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
EXPORT(hypotenuse) double hypotenuse(double a, double b) { return __builtin_sqrt(a * a + b * b); }
EXPORT(half) float half(float x) { return x / 2; }
EXPORT(divide) int32_t divide(int32_t a, int32_t b) { return a / b; }
EXPORT(mix) double mix(int32_t a, int64_t b, float c, double d) { return (double)a + (double)b + (double)c + d; }
EXPORT(nothing) void nothing(void) {}
EXPORT(spin) void spin(void) {
    for (;;) __asm__ volatile("");
}
