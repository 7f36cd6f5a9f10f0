/* What Embedded Swift asks of its platform: an allocator (a bump allocator: an actor lives for one message),
 * and the memory routines. */
#include <stddef.h>
#include <stdint.h>

extern uint8_t __heap_base;
static uintptr_t next;

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (next == 0) next = (uintptr_t)&__heap_base;
    uintptr_t at = (next + alignment - 1) & ~(uintptr_t)(alignment - 1);
    uintptr_t end = at + size;
    uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0) << 16;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + 0xffff) >> 16) == (size_t)-1) return 12;
    next = end;
    *out = (void *)at;
    return 0;
}

void free(void *pointer) { (void)pointer; }

void *memset(void *to, int value, size_t count) {
    for (uint8_t *p = to; count--;) *p++ = (uint8_t)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *p = to;
    for (const uint8_t *q = from; count--;) *p++ = *q++;
    return to;
}
