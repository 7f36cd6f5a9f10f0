// Calls and nothing else: a recursive tree walk, two functions that call each other, and a sum through small accessors.
#include "kernel.h"

static uint32_t cells[4096];

static OUT_OF_LINE uint32_t cell(uint32_t at) { return cells[at & 4095]; }
static OUT_OF_LINE void put(uint32_t at, uint32_t value) { cells[at & 4095] = value; }
static OUT_OF_LINE uint64_t walk(uint32_t at, uint32_t depth) {
    if (depth == 0) return cell(at);
    return walk(2 * at + 1, depth - 1) + 3 * walk(2 * at + 2, depth - 1);
}
static OUT_OF_LINE uint32_t odd(uint32_t n);
static OUT_OF_LINE uint32_t even(uint32_t n) { return n == 0 ? 1 : 3 * odd(n - 1) + cell(n); }
static OUT_OF_LINE uint32_t odd(uint32_t n) { return n == 0 ? 0 : 5 * even(n - 1) ^ cell(n); }
static OUT_OF_LINE uint32_t clamp(uint32_t value, uint32_t most) { return value > most ? most : value; }

KERNEL int64_t run(int32_t n) {
    uint64_t state = 1, sum = 0;
    for (uint32_t i = 0; i < 4096; i++) put(i, (uint32_t)next_random(&state));
    for (int32_t i = 0; i < n; i++) {
        sum = fold(sum, walk((uint32_t)i & 7, 9));
        sum = fold(sum, even(200 + ((uint32_t)i & 15)));
        for (uint32_t j = 0; j < 200; j++) put(j, clamp(cell(j) + cell(j + 1), 0x7fffffff));
    }
    return (int64_t)sum;
}
