// Quicksort with a partition whose branches nobody can foresee, then searches by halves.
#include "kernel.h"

static uint32_t keys[1 << 12];

static OUT_OF_LINE void sort(uint32_t *low, uint32_t *high) {
    while (high - low > 12) {
        uint32_t pivot = low[(high - low) / 2], *left = low, *right = high - 1;
        for (;;) {
            while (*left < pivot) left++;
            while (*right > pivot) right--;
            if (left >= right) break;
            uint32_t value = *left;
            *left++ = *right;
            *right-- = value;
        }
        if (left - low < high - left) sort(low, left), low = left;
        else sort(left, high), high = left;
    }
    for (uint32_t *at = low; at < high; at++) {
        uint32_t value = *at, *to = at;
        while (to > low && to[-1] > value) *to = to[-1], to--;
        *to = value;
    }
}

static OUT_OF_LINE uint32_t find(uint32_t key) {
    uint32_t low = 0, count = 1 << 12;
    while (count > 1) {
        uint32_t half = count / 2;
        low += keys[low + half - 1] < key ? half : 0;
        count -= half;
    }
    return low;
}

KERNEL int64_t run(int32_t n) {
    uint64_t state = 3, sum = 0;
    for (int32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < 1 << 12; j++) keys[j] = (uint32_t)next_random(&state);
        sort(keys, keys + (1 << 12));
        for (uint32_t j = 0; j < 1000; j++) sum = fold(sum, find((uint32_t)next_random(&state)));
    }
    return (int64_t)sum;
}
