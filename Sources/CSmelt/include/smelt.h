/* smelt.h: the Filecoin Virtual Machine as Smelt runs it, for programs in any language.
 *
 * Four things: an ENGINE has the compiled actors and is shared; a STORE has blocks; a SESSION is the machine on one
 * state after the other; a RESULT is what came of one message. Each is made and freed here; free(NULL) does nothing,
 * and the order in which they are freed does not matter.
 *
 * Status: every function that can fail returns one of SMELT_OK (0) and the negative codes below, and where a `smelt_error
 * **` is passed, an error to be freed with smelt_error_free, or NULL. A failure of a disk, of a callback or of the machine
 * is SMELT_HOST_FAULT: nothing is known about the message, there is no receipt, and the session answers SMELT_POISONED
 * from then on. It can never look like a receipt.
 *
 * Memory: bytes that are passed in are borrowed until the function returns. Bytes that a result or an error gives live
 * as long as it. A callback hands bytes out through smelt_buffer_set, which copies them.
 *
 * Threads: an engine and a store may be used by several threads at once (then so may the store's callbacks). A session is
 * used by one thread at a time, not always the same; smelt_session_interrupt by any thread. Callbacks run on the thread
 * that called, on that thread's own stack, and must not use the session they are called for. They return SMELT_OK or a
 * code that their comment names; they must return (no longjmp, no exception, no exit of the thread).
 *
 * Signals: with guard pages, handlers of SIGSEGV and SIGBUS are installed when the first actor is loaded; they run on the
 * alternate stack, leave by returning, and hand on what is not a guest's to the handler that was there before. With
 * SMELT_BOUNDS_CHECKS and without signals (see smelt_engine_options) there are none. No thread, environment variable or
 * standard stream is touched, and nothing is forked unless a worker is named. After fork() in the child only free is
 * allowed.
 *
 * Options begin with their size: set it with SMELT_INIT, and fields appended later stay zero. */
#ifndef SMELT_H
#define SMELT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The interface: MAJOR changes when a program must be changed, and the library's file name with it. */
#define SMELT_MAJOR 1
#define SMELT_MINOR 1

/* Zeroes an option structure and sets its size: smelt_epoch epoch; SMELT_INIT(epoch); */
#define SMELT_INIT(variable)                                                                                           \
    do {                                                                                                               \
        (variable) = (__typeof__(variable)){0};                                                                        \
        (variable).size = sizeof(variable);                                                                            \
    } while (0)

enum smelt_status {
    SMELT_OK = 0,
    SMELT_MISUSE = -1,      /* an argument is missing, malformed or out of range; no epoch has begun */
    SMELT_INVALID = -2,     /* the message cannot stand on chain or the state cannot take it: no receipt, go on */
    SMELT_BAD_STATE = -3,   /* a block of the state, or a file, is missing or malformed: no receipt, go on */
    SMELT_HOST_FAULT = -4,  /* disk, callback or machine: no receipt; the session is poisoned */
    SMELT_POISONED = -5,    /* an earlier host fault */
    SMELT_INTERRUPTED = -6, /* by smelt_session_interrupt: no receipt; begin an epoch to go on */
    SMELT_NOT_FOUND = -7,   /* of callbacks: there is no such block; of smelt_session_actor: no such actor */
    SMELT_REFUSED = -8,     /* of callbacks: the node's own answer is no; the actor sees it as its syscall says */
    SMELT_BAD_OBJECT = -9   /* a compiled object breaks a rule of its format, or is for another machine */
};

typedef struct smelt_engine smelt_engine;
typedef struct smelt_store smelt_store;
typedef struct smelt_session smelt_session;
typedef struct smelt_result smelt_result;
typedef struct smelt_error smelt_error;
typedef struct smelt_buffer smelt_buffer;

typedef struct smelt_bytes {
    const uint8_t *data; /* may be NULL where length is 0 */
    size_t length;
} smelt_bytes;

/* attoFIL, unsigned. */
typedef struct smelt_amount {
    uint64_t low, high;
} smelt_amount;

/* ---- Versions and errors ---------------------------------------------------------------------------- */

/* MAJOR << 16 | MINOR of the library that is loaded. */
uint32_t smelt_interface_version(void);
/* Version and runtime interface, for people. */
const char *smelt_build(void);

int32_t smelt_error_status(const smelt_error *error);
/* UTF-8: names what, where and why. */
const char *smelt_error_text(const smelt_error *error);
void smelt_error_free(smelt_error *error);

/* What a callback hands out; the last call counts. SMELT_MISUSE for more than 1 GiB. */
int32_t smelt_buffer_set(smelt_buffer *buffer, const uint8_t *data, size_t length);

/* ---- Engine ------------------------------------------------------------------------------------------ */

enum smelt_bounds { SMELT_BOUNDS_GUARD = 0, SMELT_BOUNDS_CHECKS = 1 };
enum smelt_tier { SMELT_TIER_OPTIMISED = 0, SMELT_TIER_BASELINE = 1 };

typedef struct smelt_engine_options {
    size_t size;
    const char *store_directory; /* of compiled objects, as smelt compile fills it; NULL: none */
    const char *worker;          /* path of smelt-worker, which compiles what is missing; NULL: nothing is compiled */
    int32_t bounds;              /* how memory accesses are bounded: decides which objects are looked for */
    int32_t tier;                /* which code is made, and looked for first */
    int32_t cpu_level;           /* 2 or 3 for x86-64-v2 or -v3; 0: 2 */
    uint32_t jobs;               /* processors for compiling; 0: all */
    uint8_t no_signals;          /* 1: no handlers; objects that need them are refused */
} smelt_engine_options;

int32_t smelt_engine_new(const smelt_engine_options *options, smelt_engine **engine, smelt_error **error);
/* Takes a compiled object, checked as one of a stranger is; it names the code it is of. */
int32_t smelt_engine_add_object(smelt_engine *engine, smelt_bytes object, smelt_error **error);
void smelt_engine_free(smelt_engine *engine);

/* ---- Stores ------------------------------------------------------------------------------------------ */

typedef struct smelt_block {
    smelt_bytes cid; /* binary */
    smelt_bytes data;
} smelt_block;

typedef struct smelt_store_callbacks {
    size_t size;
    void *context;
    /* Hands the block out. SMELT_NOT_FOUND, or another code: a host fault. The bytes are not hashed again. */
    int32_t (*get)(void *context, smelt_bytes cid, smelt_buffer *block);
    /* SMELT_OK where there is one, SMELT_NOT_FOUND, or another code: a host fault. NULL: get is asked. */
    int32_t (*has)(void *context, smelt_bytes cid);
    /* Takes blocks, children before parents; called by begin (once) and by flush. */
    int32_t (*put)(void *context, const smelt_block *blocks, size_t count);
    /* Called when nothing uses the store any more; may be NULL. */
    void (*finalize)(void *context);
} smelt_store_callbacks;

int32_t smelt_store_new(const smelt_store_callbacks *callbacks, smelt_store **store, smelt_error **error);

typedef struct smelt_archive_options {
    size_t size;
    /* Where archives without an index get one, named by the file's content; made when it is needed. NULL: smelt/archives
     * in $XDG_CACHE_HOME or $HOME/.cache, which is all that is ever asked of the environment. */
    const char *cache_directory;
} smelt_archive_options;

/* Reads archives (CAR of version 1 or 2, plain, in Zstandard frames, or Forest's; directories that smelt chain import has
 * filled), the first that has a block; what is put stays in memory. `options` may be NULL. SMELT_BAD_STATE: a file that
 * is not there, or is no archive. (Since 1.1.) */
int32_t smelt_store_open_archives(const char *const *paths, size_t count, const smelt_archive_options *options,
                                  smelt_store **store, smelt_error **error);
/* The same without options. */
int32_t smelt_store_open(const char *const *paths, size_t count, smelt_store **store, smelt_error **error);
int32_t smelt_store_get(smelt_store *store, smelt_bytes cid, smelt_buffer *block, smelt_error **error);
/* The binary CID of the first root of the first archive. */
int32_t smelt_store_root(smelt_store *store, smelt_buffer *cid, smelt_error **error);
void smelt_store_free(smelt_store *store);

/* A buffer of your own, for functions that fill one. */
smelt_buffer *smelt_buffer_new(void);
smelt_bytes smelt_buffer_bytes(const smelt_buffer *buffer);
void smelt_buffer_free(smelt_buffer *buffer);

/* ---- The outside world ------------------------------------------------------------------------------- */

enum smelt_fault_kind { SMELT_FAULT_NONE = 0, SMELT_FAULT_DOUBLE_FORK = 1, SMELT_FAULT_PARENT_GRINDING = 2,
                        SMELT_FAULT_TIME_OFFSET = 3 };
typedef struct smelt_fault {
    uint64_t miner; /* actor id */
    int64_t epoch;
    int32_t kind;
} smelt_fault;

enum smelt_proof_kind { SMELT_PROOF_WINDOW_POST = 1, SMELT_PROOF_AGGREGATE_SEALS = 2, SMELT_PROOF_REPLICA_UPDATE = 3,
                        SMELT_PROOF_SEAL = 4 };

enum smelt_proofs {
    SMELT_PROOFS_ASKED = 0,      /* verify_proof is asked */
    SMELT_PROOFS_CONFORMANCE = 1 /* valid, uncounted where the reference's conformance driver does not count: vectors */
};

/* Every callback returns SMELT_OK, SMELT_REFUSED (the node's own answer), or another code: a host fault. One that is
 * NULL and needed is a host fault that names it. */
typedef struct smelt_outside {
    size_t size;
    void *context;
    int32_t (*chain_randomness)(void *context, int64_t epoch, uint8_t digest[32]);
    int32_t (*beacon_randomness)(void *context, int64_t epoch, uint8_t digest[32]);
    int32_t (*tipset_cid)(void *context, int64_t epoch, smelt_buffer *cid);
    int32_t (*consensus_fault)(void *context, smelt_bytes first, smelt_bytes second, smelt_bytes extra,
                               smelt_fault *fault);
    /* The structure that the actor gave, in CBOR (FVM syscalls: verify_post, verify_aggregate_seals,
     * verify_replica_update, one seal of batch_verify_seals). SMELT_REFUSED: it cannot be judged. */
    int32_t (*verify_proof)(void *context, int32_t kind, smelt_bytes structure, uint8_t *valid);
    /* With debugging on; may be NULL. */
    void (*debug_log)(void *context, uint64_t actor, smelt_bytes text);
    int32_t proofs;
} smelt_outside;

/* ---- Sessions ---------------------------------------------------------------------------------------- */

typedef struct smelt_redirect {
    smelt_bytes from, to; /* binary CIDs of code */
} smelt_redirect;

typedef struct smelt_session_options {
    size_t size;
    const smelt_redirect *redirects; /* code that runs in the place of other code */
    size_t redirect_count;
} smelt_session_options;

/* The session keeps engine and store alive. `options` may be NULL. */
int32_t smelt_session_new(smelt_engine *engine, smelt_store *store, const smelt_session_options *options,
                          smelt_session **session, smelt_error **error);
void smelt_session_free(smelt_session *session);

typedef struct smelt_epoch {
    size_t size;
    uint32_t network_version; /* 18 and up */
    uint64_t chain_id;        /* EIP-155: 314 mainnet, 314159 calibration */
    int64_t epoch;
    uint64_t timestamp; /* seconds */
    smelt_amount base_fee, circulating_supply;
    smelt_bytes state_root; /* binary CID */
    uint8_t debugging;      /* changes gas */
    uint8_t tracing;        /* results have traces */
} smelt_epoch;

/* Begins an epoch; what was not flushed is lost. Callbacks of `outside` are called until the next one begins. */
int32_t smelt_session_begin(smelt_session *session, const smelt_epoch *epoch, const smelt_outside *outside,
                            smelt_error **error);

enum smelt_message_kind { SMELT_EXPLICIT = 0, SMELT_IMPLICIT = 1 };

/* Applies a message: its CBOR, the unsigned 10-tuple. `chain_length`: its bytes on chain, signature included. */
int32_t smelt_session_apply(smelt_session *session, smelt_bytes message, uint64_t chain_length, int32_t kind,
                            smelt_result **result, smelt_error **error);
/* The same, and takes back what it changed. */
int32_t smelt_session_simulate(smelt_session *session, smelt_bytes message, uint64_t chain_length, int32_t kind,
                               smelt_result **result, smelt_error **error);
/* The smallest gas limit with which the message ends as it does with `ceiling` (0: what a block may take). */
int32_t smelt_session_estimate(smelt_session *session, smelt_bytes message, uint64_t chain_length, int32_t kind,
                               uint64_t ceiling, uint64_t *gas_limit, smelt_error **error);
/* Writes the new blocks to the store and gives the binary CID of the state root. */
int32_t smelt_session_flush(smelt_session *session, smelt_buffer *root, smelt_error **error);
/* An actor as it is now, changes of this epoch included: its id, and [code, head, nonce, balance, address or null] in
 * DAG-CBOR. `address` in its binary form. SMELT_NOT_FOUND where there is none. */
int32_t smelt_session_actor(smelt_session *session, smelt_bytes address, uint64_t *id, smelt_buffer *state,
                            smelt_error **error);
/* Ends the message that runs, or the next one of this epoch, with SMELT_INTERRUPTED. Waits until the one that runs has
 * ended, two seconds at most. */
void smelt_session_interrupt(smelt_session *session);

/* ---- Results ----------------------------------------------------------------------------------------- */

typedef struct smelt_receipt {
    size_t size;
    uint32_t exit_code;
    uint64_t gas_used;        /* whole gas, as all gas here */
    smelt_bytes return_data;  /* empty without one */
    uint64_t return_codec;    /* multicodec; 0 without a block */
    smelt_bytes events_root;  /* binary CID; empty without events */
    uint64_t gas_refund, gas_burned;
    smelt_amount penalty, miner_tip, base_fee_burn, over_estimation_burn, refund;
} smelt_receipt;

/* Fills as many fields as `receipt->size` says there are. */
int32_t smelt_result_receipt(const smelt_result *result, smelt_receipt *receipt);
/* Why it failed, for people, UTF-8; empty for exit code 0. */
smelt_bytes smelt_result_failure(const smelt_result *result);
/* [[emitter, [[flags, key, codec, value]...]]...] in CBOR; empty without events. */
smelt_bytes smelt_result_events(const smelt_result *result);
/* Lotus's ExecutionTrace in CBOR; empty without tracing, and for a message that was refused before it ran. */
smelt_bytes smelt_result_trace(const smelt_result *result);
void smelt_result_free(smelt_result *result);

#ifdef __cplusplus
}
#endif
#endif
