/* A counter kept in the state tree, in C.
 *
 * State: the DAG-CBOR array [count]. Method 1 sets it to 0. Method 2 adds the little-endian integer in the
 * parameters (8 raw bytes) and returns the new count in the same form. Method 3 returns the count.
 */
#include "fvm.h"

static _Noreturn void abort_with(uint32_t code, const char *text, uint32_t length) {
    fvm_exit(code, 0, text, length);
    __builtin_trap();
}
#define ABORT(code, text) abort_with(code, text, sizeof(text) - 1)

static void save(uint64_t count) {
    uint8_t state[10] = {0x81, 0x1b};
    for (int i = 0; i < 8; i++) state[2 + i] = (uint8_t)(count >> (56 - 8 * i));
    uint32_t block, length;
    uint8_t cid[64];
    if (fvm_block_create(&block, FVM_DAG_CBOR, state, sizeof state)) ABORT(FVM_ILLEGAL_STATE, "create");
    if (fvm_block_link(&length, block, FVM_BLAKE2B_256, 32, cid, sizeof cid)) ABORT(FVM_ILLEGAL_STATE, "link");
    if (fvm_self_set_root(cid)) ABORT(FVM_ILLEGAL_STATE, "set root");
}

static uint64_t load(void) {
    uint8_t cid[64], state[10];
    uint32_t length;
    struct fvm_block_open block;
    int32_t rest;
    if (fvm_self_root(&length, cid, sizeof cid)) ABORT(FVM_ILLEGAL_STATE, "root");
    if (fvm_block_open(&block, cid)) ABORT(FVM_ILLEGAL_STATE, "open");
    if (block.size != sizeof state) ABORT(FVM_ILLEGAL_STATE, "state size");
    if (fvm_block_read(&rest, block.id, 0, state, sizeof state)) ABORT(FVM_ILLEGAL_STATE, "read");
    uint64_t count = 0;
    for (int i = 0; i < 8; i++) count = count << 8 | state[2 + i];
    return count;
}

static uint64_t parameter(uint32_t handle) {
    uint64_t value;
    struct fvm_block_stat stat;
    int32_t rest;
    if (handle == 0 || fvm_block_stat(&stat, handle) || stat.size != sizeof value)
        ABORT(FVM_ILLEGAL_ARGUMENT, "parameters must be 8 bytes");
    if (fvm_block_read(&rest, handle, 0, (uint8_t *)&value, sizeof value)) ABORT(FVM_ILLEGAL_ARGUMENT, "read");
    return value;
}

static uint32_t answer(uint64_t value) {
    uint32_t block;
    if (fvm_block_create(&block, FVM_RAW, (const uint8_t *)&value, sizeof value)) ABORT(FVM_ILLEGAL_STATE, "answer");
    return block;
}

__attribute__((export_name("invoke"))) uint32_t invoke(uint32_t parameters) {
    struct fvm_message_context context;
    if (fvm_message_context(&context)) ABORT(FVM_ILLEGAL_STATE, "context");
    switch (context.method) {
    case 1:
        save(0);
        return 0;
    case 2: {
        uint64_t count = load() + parameter(parameters);
        save(count);
        return answer(count);
    }
    case 3:
        return answer(load());
    default:
        ABORT(FVM_UNHANDLED_MESSAGE, "no such method");
    }
}
