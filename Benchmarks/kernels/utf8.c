// Byte by byte: checks UTF-8 with its whole set of rules, counts code points, and writes the text again as UTF-16.
#include "kernel.h"

static uint8_t text[1 << 14];
static uint16_t wide[1 << 14];

static uint32_t encode(uint8_t *to, uint32_t point) {
    if (point < 0x80) return to[0] = (uint8_t)point, 1;
    if (point < 0x800) return to[0] = (uint8_t)(0xc0 | point >> 6), to[1] = (uint8_t)(0x80 | (point & 63)), 2;
    if (point < 0x10000) {
        to[0] = (uint8_t)(0xe0 | point >> 12), to[1] = (uint8_t)(0x80 | (point >> 6 & 63));
        return to[2] = (uint8_t)(0x80 | (point & 63)), 3;
    }
    to[0] = (uint8_t)(0xf0 | point >> 18), to[1] = (uint8_t)(0x80 | (point >> 12 & 63));
    return to[2] = (uint8_t)(0x80 | (point >> 6 & 63)), to[3] = (uint8_t)(0x80 | (point & 63)), 4;
}

static OUT_OF_LINE int64_t decode(uint32_t length) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < length;) {
        uint32_t lead = text[i++], point, more;
        if (lead < 0x80) point = lead, more = 0;
        else if (lead >= 0xc2 && lead < 0xe0) point = lead & 31, more = 1;
        else if (lead >= 0xe0 && lead < 0xf0) point = lead & 15, more = 2;
        else if (lead >= 0xf0 && lead < 0xf5) point = lead & 7, more = 3;
        else return -1;
        for (uint32_t k = 0; k < more; k++) {
            if (i >= length || (text[i] & 0xc0) != 0x80) return -1;
            point = point << 6 | (text[i++] & 63);
        }
        if ((more == 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) ||
            (more == 3 && (point < 0x10000 || point > 0x10ffff)))
            return -1;
        if (point >= 0x10000) {
            wide[out++] = (uint16_t)(0xd7c0 + (point >> 10));
            wide[out++] = (uint16_t)(0xdc00 | (point & 0x3ff));
        } else {
            wide[out++] = (uint16_t)point;
        }
    }
    return out;
}

KERNEL int64_t run(int32_t n) {
    uint64_t state = 2, sum = 0;
    uint32_t length = 0;
    while (length < sizeof text - 4) {
        uint64_t random = next_random(&state);
        uint32_t point = (random & 7) < 5 ? 32 + (uint32_t)(random >> 8) % 95
                         : (random & 7) < 7 ? 0xa0 + (uint32_t)(random >> 8) % 0x700
                                            : 0x1f300 + (uint32_t)(random >> 8) % 0x200;
        length += encode(text + length, point);
    }
    for (int32_t i = 0; i < n; i++) {
        text[(uint32_t)i & 1023] ^= (uint8_t)(text[(uint32_t)i & 1023] < 0x80);
        sum = fold(sum, (uint64_t)decode(length));
        sum = fold(sum, wide[(uint32_t)i & 1023]);
    }
    return (int64_t)sum;
}
