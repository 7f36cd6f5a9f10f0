// Bit fields as lists of run lengths, in RLE+'s code, written and read bit by bit, then united.
#include "kernel.h"

static uint8_t encoded[2][1 << 13];
static uint32_t lengths[2][4096];

static OUT_OF_LINE uint32_t write_runs(uint8_t *to, const uint32_t *runs, uint32_t count) {
    uint64_t bits = 0;
    uint32_t held = 0, bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t code;
        uint32_t width;
        if (runs[i] == 1) code = 1, width = 1;
        else if (runs[i] < 16) code = 2 | (uint64_t)runs[i] << 2, width = 6;
        else {
            code = 0, width = 2;
            uint32_t rest = runs[i];
            do {
                uint64_t group = (rest & 127) | (rest > 127 ? 128 : 0);
                code |= group << width, width += 8, rest >>= 7;
            } while (rest);
        }
        bits |= code << held, held += width;
        while (held >= 8) to[bytes++] = (uint8_t)bits, bits >>= 8, held -= 8;
    }
    to[bytes++] = (uint8_t)bits;
    return bytes;
}

static OUT_OF_LINE uint32_t read_runs(const uint8_t *from, uint32_t bytes, uint32_t *runs, uint32_t count) {
    uint64_t bits = 0;
    uint32_t held = 0, at = 0, found = 0;
    while (found < count) {
        while (held <= 48 && at < bytes) bits |= (uint64_t)from[at++] << held, held += 8;
        uint32_t run = 0, used;
        if (bits & 1) run = 1, used = 1;
        else if (bits & 2) run = (uint32_t)(bits >> 2) & 15, used = 6;
        else {
            used = 2;
            for (uint32_t shift = 0;; shift += 7, used += 8) {
                uint32_t group = (uint32_t)(bits >> used) & 255;
                run |= (group & 127) << shift;
                if (group < 128) break;
            }
            used += 8;
        }
        bits >>= used, held -= used;
        runs[found++] = run;
    }
    return found;
}

static OUT_OF_LINE uint64_t unite(uint32_t count) {
    uint64_t set = 0, pieces = 0;
    uint32_t i = 0, j = 0, a = lengths[0][0], b = lengths[1][0], was = 0;
    while (i < count && j < count) {
        uint32_t step = a < b ? a : b, is = (i | j) & 1;
        if (is) set += step;
        pieces += is != was, was = is;
        a -= step, b -= step;
        if (a == 0 && ++i < count) a = lengths[0][i];
        if (b == 0 && ++j < count) b = lengths[1][j];
    }
    return fold(set, pieces);
}

KERNEL int64_t run(int32_t n) {
    uint64_t state = 4, sum = 0;
    for (int32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < 2; k++) {
            for (uint32_t j = 0; j < 2000; j++) {
                uint64_t random = next_random(&state);
                lengths[k][j] = 1 + (uint32_t)((random >> 8) & ((random & 7) < 5 ? 0 : (random & 7) < 7 ? 13 : 0xffff));
            }
            uint32_t bytes = write_runs(encoded[k], lengths[k], 2000);
            sum = fold(sum, bytes + read_runs(encoded[k], bytes, lengths[k], 2000));
        }
        sum = fold(sum, unite(2000));
    }
    return (int64_t)sum;
}
