// A machine with a stack of integers: one switch in a loop, its operand stack in memory.
#include "kernel.h"

enum { PUSH, ADD, SUB, MUL, XOR, SHIFT, DUP, SWAP, DROP, LOAD, STORE, LESS, JUMP_IF, DONE };
static uint64_t cells[16], stack[64];
// Cells 0 and 1 count down and collect; the loop begins at 6.
static const uint8_t program[] = {
    PUSH, 200, PUSH, 0, STORE, DROP,
    PUSH, 1, LOAD, PUSH, 0, LOAD, DUP, MUL, ADD, DUP, PUSH, 7, SHIFT, XOR, PUSH, 1, STORE, DROP,
    PUSH, 0, LOAD, PUSH, 1, SUB, DUP, PUSH, 0, STORE, DROP, PUSH, 1, SWAP, LESS, JUMP_IF, 6,
    PUSH, 1, LOAD, DONE};

static OUT_OF_LINE uint64_t interpret(int64_t fuel) {
    uint32_t at = 0, top = 0;
    for (;;) {
        if (--fuel < 0) return ~(uint64_t)0;
        switch (program[at++]) {
        case PUSH: stack[top++ & 63] = program[at++]; break;
        case ADD: top--, stack[(top - 1) & 63] += stack[top & 63]; break;
        case SUB: top--, stack[(top - 1) & 63] -= stack[top & 63]; break;
        case MUL: top--, stack[(top - 1) & 63] *= stack[top & 63]; break;
        case XOR: top--, stack[(top - 1) & 63] ^= stack[top & 63]; break;
        case SHIFT: top--, stack[(top - 1) & 63] >>= stack[top & 63] & 63; break;
        case DUP: stack[top & 63] = stack[(top - 1) & 63], top++; break;
        case SWAP: {
            uint64_t value = stack[(top - 1) & 63];
            stack[(top - 1) & 63] = stack[(top - 2) & 63], stack[(top - 2) & 63] = value;
            break;
        }
        case DROP: top--; break;
        case LOAD: stack[(top - 1) & 63] = cells[stack[(top - 1) & 63] & 15]; break;
        case STORE: top--, cells[stack[top & 63] & 15] = stack[(top - 1) & 63]; break;
        case LESS: top--, stack[(top - 1) & 63] = stack[(top - 1) & 63] < stack[top & 63]; break;
        case JUMP_IF: {
            uint32_t target = program[at++];
            if (stack[--top & 63]) at = target;
            break;
        }
        case DONE: return stack[(top - 1) & 63];
        default: return 0;
        }
    }
}

KERNEL int64_t run(int32_t n) {
    uint64_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        cells[1] = (uint64_t)i;
        sum = fold(sum, interpret(1000000));
    }
    return (int64_t)sum;
}
