/* The FVM syscalls the sample actors use, as network versions 18 to 20 declare them.
 * Every syscall returns an error number, 0 for success; a value comes back through the first pointer. */
#ifndef SMELT_SAMPLES_FVM_H
#define SMELT_SAMPLES_FVM_H

#include <stdint.h>

#define FVM_IMPORT(module, function) __attribute__((import_module(module), import_name(function)))

struct __attribute__((packed)) fvm_message_context {
    uint64_t origin, nonce, caller, receiver, method, value_lo, value_hi, premium_lo, premium_hi, flags;
};
struct __attribute__((packed)) fvm_block_stat {
    uint64_t codec;
    uint32_t size;
};
struct __attribute__((packed)) fvm_block_open {
    uint64_t codec;
    uint32_t id, size;
};

FVM_IMPORT("vm", "message_context") uint32_t fvm_message_context(struct fvm_message_context *out);
/* Never returns; its type has a result like every syscall's. */
FVM_IMPORT("vm", "exit") uint32_t fvm_exit(uint32_t code, uint32_t block, const char *text, uint32_t length);
FVM_IMPORT("ipld", "block_open") uint32_t fvm_block_open(struct fvm_block_open *out, const uint8_t *cid);
FVM_IMPORT("ipld", "block_create")
uint32_t fvm_block_create(uint32_t *out, uint64_t codec, const uint8_t *data, uint32_t length);
FVM_IMPORT("ipld", "block_read")
uint32_t fvm_block_read(int32_t *out, uint32_t id, uint32_t offset, uint8_t *to, uint32_t length);
FVM_IMPORT("ipld", "block_stat") uint32_t fvm_block_stat(struct fvm_block_stat *out, uint32_t id);
FVM_IMPORT("ipld", "block_link")
uint32_t fvm_block_link(uint32_t *out, uint32_t id, uint64_t hash, uint32_t hash_length, uint8_t *cid, uint32_t length);
FVM_IMPORT("self", "root") uint32_t fvm_self_root(uint32_t *out, uint8_t *cid, uint32_t length);
FVM_IMPORT("self", "set_root") uint32_t fvm_self_set_root(const uint8_t *cid);

enum { FVM_RAW = 0x55, FVM_DAG_CBOR = 0x71, FVM_BLAKE2B_256 = 0xb220 };
enum { FVM_ILLEGAL_ARGUMENT = 16, FVM_ILLEGAL_STATE = 20, FVM_UNHANDLED_MESSAGE = 22 };

#endif
