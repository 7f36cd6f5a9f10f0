/* smeltrt.h: the contract between compiled actors, the C runtime and its embedder.
 *
 * This header is the specification. Compiled code touches `struct smelt_rt_context` and nothing else;
 * an artifact exports one symbol, `smelt_module`, of type `struct smelt_module_descriptor`.
 *
 * Units: gas in milligas (signed 64 bits in the counter), memory in bytes unless a name says pages
 * (65,536 bytes), stack heights in counted elements of the FVM's stack limiter.
 */
#ifndef SMELTRT_H
#define SMELTRT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Versions ----------------------------------------------------------------------------------
 * MAJOR changes when an object compiled before cannot run on a runtime built after (layout of the
 * context or the descriptor, meaning of a field). MINOR changes when fields are appended. An object of
 * another MAJOR, or of a newer MINOR, is refused and compiled again. */
#define SMELT_RT_ABI_MAJOR 4
#define SMELT_RT_ABI_MINOR 0
#define SMELT_RT_MAGIC 0x31544c454d53ull /* "SMELT1" */
#define SMELT_RT_NONE 0xffffffffu          /* no maximum; no function, no reference */

/* ---- 2. Traps: the one list -----------------------------------------------------------------------
 * X(symbol, number, text). Those below the first of the host are what a guest does; the others end a call for the
 * host's reasons and say nothing about the guest. */
#define SMELT_RT_FIRST_HOST_TRAP 32
#define SMELT_RT_TRAPS(X)                                                                              \
    X(UNREACHABLE, 1, "unreachable")                                                                   \
    X(MEMORY_OUT_OF_BOUNDS, 2, "out of bounds memory access")                                          \
    X(TABLE_OUT_OF_BOUNDS, 3, "out of bounds table access")                                            \
    X(UNDEFINED_ELEMENT, 4, "undefined element")                                                       \
    X(UNINITIALIZED_ELEMENT, 5, "uninitialized element")                                               \
    X(INDIRECT_CALL_TYPE, 6, "indirect call type mismatch")                                            \
    X(INTEGER_DIVIDE_BY_ZERO, 7, "integer divide by zero")                                             \
    X(INTEGER_OVERFLOW, 8, "integer overflow")                                                         \
    X(INVALID_CONVERSION, 9, "invalid conversion to integer")                                          \
    X(STACK_HEIGHT, 10, "stack height limit exceeded")                                                 \
    X(OUT_OF_GAS, 11, "out of gas")                                                                    \
    X(NATIVE_STACK, 12, "call stack exhausted")                                                        \
    X(RESOURCE_LIMIT, 13, "resource limit exceeded at instantiation")                                  \
    X(HOST_ABORT, 32, "ended by the host")                                                             \
    X(LOCAL_FAILURE, 33, "local failure of the host")                                                  \
    X(STACK_END, 34, "end of the machine's stack")                                                     \
    X(INTERRUPTED, 35, "interrupted")

enum smelt_rt_trap {
    SMELT_RT_TRAP_NONE = 0,
#define X(symbol, number, text) SMELT_RT_TRAP_##symbol = number,
    SMELT_RT_TRAPS(X)
#undef X
};

/* The text of a trap, or NULL for a number that is not in the list. */
const char *smelt_rt_trap_text(int32_t trap);

/* ---- 3. The context: all that compiled code sees ---------------------------------------------------
 * Hot fields come first. Compiled code reads the offsets from this header at compile time. */
struct smelt_rt_context;

/* A table element. A null reference is all zero. `code` is the function's table entry point: it has the
 * internal calling convention of compiled code with the function's own type, charges the trampoline's
 * gas, raises the stack height and checks it. `type_id` is the module's canonical number of its type,
 * plus one, so that 0 never matches. Modules that are linked to each other (suite profile only) must number
 * types alike: there it is a hash of the signature, never 0. `context` is the context to call it with.
 *
 * A reference as a value (local, argument slot, slot of a global) is the address of such a record that lives
 * as long as its instance, or 0 for null: `ref_func` and `table_get` of the context give these. */
struct smelt_rt_funcref {
    void *code;
    struct smelt_rt_context *context;
    uint64_t type_id;
    uint64_t number; /* of the reference in its instance: a function index, or one plus the function count */
};

struct smelt_rt_table {
    struct smelt_rt_funcref *elements; /* moves when the table grows: load it again after every call */
    uint64_t size;    /* elements */
    uint64_t maximum; /* elements; growth beyond fails */
};

/* Calls import `import_index` (position among the module's function imports). Arguments are one 64-bit
 * slot each (i32 and f32 zero-extended, f64 as bits); the result replaces slot 0. A non-zero return value
 * is a trap to raise: the gate raises it after the handler has returned, so no host frame is jumped over. */
typedef int32_t (*smelt_rt_import_fn)(void *host, struct smelt_rt_context *context, uint32_t import_index,
                                      uint64_t *slots);

/* Asked before memory or a table (8 bytes an element) grows, all in bytes; also at instantiation, with
 * `current` 0. Returns non-zero to allow. `maximum` is the declared maximum of a memory (4 GiB when there is
 * none), which the embedder's cap does not lower, and for a table the smaller of declared maximum and cap.
 * `desired` may exceed it; such a request must be refused. */
typedef int32_t (*smelt_rt_limiter_fn)(void *host, uint64_t current, uint64_t desired, uint64_t maximum);

struct smelt_rt_context {
    int64_t gas;                /* 0   milligas left; negative means exhausted */
    uint8_t *memory_base;       /* 8   never moves while the context lives */
    uint64_t memory_bytes;      /* 16  current size */
    uint64_t *globals;          /* 24  one slot per global of the index space: its value, or, for an imported
                                 *     one (suite profile only), the address of the exporter's slot. Up to
                                 *     SMELT_RT_NEAR_GLOBALS of them lie SMELT_RT_GLOBALS behind the context */
    struct smelt_rt_table *table; /* 32  table 0, or NULL */
    void (*raise)(struct smelt_rt_context *, int32_t trap); /* 40  never returns */

    /* 48: services; compiled code calls them with the C convention after it stored its counter to `gas`, and
     * loads the counter again after call_import. They raise traps themselves. A reference passed as NULL or
     * as an all-zero record is null. */
    void (*call_import)(struct smelt_rt_context *, uint32_t import_index, uint64_t *slots);
    uint64_t (*memory_grow)(struct smelt_rt_context *, uint32_t pages); /* previous pages or 0xffffffff */
    void (*memory_fill)(struct smelt_rt_context *, uint32_t to, uint32_t value, uint32_t count);
    void (*memory_copy)(struct smelt_rt_context *, uint32_t to, uint32_t from, uint32_t count);
    void (*memory_init)(struct smelt_rt_context *, uint32_t segment, uint32_t to, uint32_t from, uint32_t count);
    void (*data_drop)(struct smelt_rt_context *, uint32_t segment);
    void (*table_init)(struct smelt_rt_context *, uint32_t segment, uint32_t to, uint32_t from, uint32_t count);
    void (*table_copy)(struct smelt_rt_context *, uint32_t to, uint32_t from, uint32_t count);
    void (*table_fill)(struct smelt_rt_context *, uint32_t to, const struct smelt_rt_funcref *value, uint32_t count);
    uint64_t (*table_grow)(struct smelt_rt_context *, const struct smelt_rt_funcref *value, uint32_t count);
    void (*elem_drop)(struct smelt_rt_context *, uint32_t segment);

    /* 136: the embedder's side; compiled code does not touch what follows. */
    const struct smelt_module_descriptor *module;
    void *host;
    smelt_rt_import_fn host_import;
    smelt_rt_limiter_fn host_limiter;
    int32_t trap;               /* of the last entry that ended in one */
    uint64_t trap_pc;           /* native address inside the instruction that trapped when known, else 0 */
    uint8_t *dropped;           /* one byte per data segment, then per element segment */
    struct smelt_rt_slot *slot; /* the pooled memory */
    uint64_t memory_maximum;    /* bytes: the smaller of declared maximum and the embedder's cap */

    /* 208: rarely used services, for compiled code again. */
    const struct smelt_rt_funcref *(*ref_func)(struct smelt_rt_context *, uint32_t function_index);
    const struct smelt_rt_funcref *(*table_get)(struct smelt_rt_context *, uint32_t index);
    void (*table_set)(struct smelt_rt_context *, uint32_t index, const struct smelt_rt_funcref *value);
};

/* A module that defines a memory has its context at a constant distance in front of it, so that one register leads
 * compiled code to both, and to its globals. Between them lie pages without access. */
#define SMELT_RT_MEMORY_BEHIND_CONTEXT 65536 /* bytes from the context to the memory's first */
#define SMELT_RT_GLOBALS 280                 /* bytes from the context to the slot of global 0 */
#define SMELT_RT_NEAR_GLOBALS 4096           /* a module with more has its slots elsewhere */

/* ---- 4. The module descriptor: the one exported symbol `smelt_module` ------------------------------ */

/* Uniform entry: arguments and results in 64-bit slots. Runs only under smelt_rt_enter. It goes through
 * the trampoline (its gas, height check), charges from context->gas and leaves the counter there. */
typedef void (*smelt_rt_entry_fn)(struct smelt_rt_context *, uint64_t *arguments, uint64_t *results);

enum smelt_rt_external_kind { SMELT_RT_FUNCTION = 0, SMELT_RT_TABLE = 1, SMELT_RT_MEMORY = 2, SMELT_RT_GLOBAL = 3 };

/* Types of values are those of the binary format: 0x7f i32, 0x7e i64, 0x7d f32, 0x7c f64, 0x70 funcref.
 * A signature is "params count, result count, types…" in a byte string, the counts in unsigned LEB128. */
struct smelt_rt_export {
    const char *name;      /* bytes, may hold NUL; rows in the module's export order */
    uint32_t name_length;
    uint32_t kind;
    uint32_t index;        /* in the module's index space of that kind */
    uint32_t reserved;
    const uint8_t *signature;  /* functions only */
    smelt_rt_entry_fn entry;   /* functions only */
    void *typed;               /* functions only: C function (context, parameters…) -> result, for libffi */
};

struct smelt_rt_import {
    const char *module;
    const char *name;
    uint32_t module_length, name_length;
    uint32_t kind;             /* smelt_rt_external_kind */
    uint32_t reserved;
    const uint8_t *signature;  /* functions: as above; globals: type byte, mutability byte */
    uint32_t minimum, maximum; /* tables and memories; maximum SMELT_RT_NONE when none */
};

enum smelt_rt_segment_mode { SMELT_RT_ACTIVE = 0, SMELT_RT_PASSIVE = 1, SMELT_RT_DECLARATIVE = 2 };

struct smelt_rt_data_segment {
    const uint8_t *bytes;
    uint64_t length;
    uint32_t offset;       /* active with a constant offset */
    uint32_t offset_global;/* active: global index + 1, or 0 */
    uint32_t mode;         /* smelt_rt_segment_mode: active or passive */
    uint32_t reserved;
};

/* What a reference in an element segment or a global is: function index, or SMELT_RT_NONE for null. In a segment of the
 * suite profile also the value of a global, its index with this bit set. */
#define SMELT_RT_ELEMENT_GLOBAL 0x80000000u
struct smelt_rt_element_segment {
    const uint32_t *functions;
    uint64_t length;
    uint32_t offset;
    uint32_t offset_global;/* active: global index + 1, or 0 */
    uint32_t mode;         /* smelt_rt_segment_mode */
    uint32_t reserved;
};

enum smelt_rt_global_init {
    SMELT_RT_INIT_CONSTANT = 0,
    SMELT_RT_INIT_GLOBAL = 1,   /* the value of another global */
    SMELT_RT_INIT_FUNCTION = 2, /* ref.func */
    SMELT_RT_INIT_NULL = 3      /* ref.null */
};

struct smelt_rt_global {
    uint64_t value;         /* constant, or function index for ref.func */
    uint32_t from_global;   /* initialised from global index + 1, or 0 */
    uint8_t type;           /* value type byte */
    uint8_t is_mutable;
    uint8_t is_imported;
    uint8_t init;           /* smelt_rt_global_init */
};

/* One row per function of the index space (imports first). */
struct smelt_rt_function {
    void *table_entry;      /* what a funcref to it calls; imports have a thunk here too */
    uint64_t type_id;       /* see smelt_rt_funcref */
    const void *code;       /* first byte of its native code, NULL for imports: for naming trap sites */
    uint64_t code_length;   /* bytes */
};

enum smelt_rt_module_flag {
    SMELT_RT_CHECKS_BOUNDS = 1 /* compares addresses itself, needs no signals */
};

struct smelt_module_descriptor {
    uint64_t magic;
    uint32_t abi_major, abi_minor;
    uint32_t struct_size;
    uint32_t flags;            /* smelt_rt_module_flag */
    const uint8_t *text_start, *text_end;
    const struct smelt_rt_function *functions;
    uint64_t function_count;   /* imports included */
    const struct smelt_rt_import *imports;
    uint64_t import_count;
    const struct smelt_rt_export *exports;
    uint64_t export_count;
    const struct smelt_rt_global *globals;
    uint64_t global_count;
    const struct smelt_rt_data_segment *data;
    uint64_t data_count;
    const struct smelt_rt_element_segment *elements;
    uint64_t element_count;
    uint32_t has_memory, has_table;      /* defined by the module itself */
    uint32_t memory_minimum, memory_maximum; /* pages; maximum SMELT_RT_NONE when none */
    uint32_t table_minimum, table_maximum;   /* elements; likewise */
    smelt_rt_entry_fn start;             /* through its trampoline, or NULL */
    uint64_t stack_bytes;                /* the most native stack that guest frames of one entry take */
};

#define SMELT_MODULE_SYMBOL "smelt_module"

/* ---- 5. Memories -----------------------------------------------------------------------------------
 * A slot reserves 2 GiB without access but for the context near their end, 4 GiB of address space, and 4 GiB + 64 KiB without access behind
 * it. An access reaches base + index + offset with index and offset below 2^32 and at most 8 bytes wide:
 * at most 8 GiB + 6 behind base, inside the reservation; the part in front catches an address computed with
 * a sign-extended index. Pages below the memory's size are readable and writable, all others fault.
 * Slots are pooled: one is cleared when it is given back, so it reads as zero when it is taken. */
struct smelt_rt_slot;

#define SMELT_RT_PAGE 65536ull
#define SMELT_RT_SLOT_BEFORE (UINT64_C(2) << 30)
#define SMELT_RT_SLOT_SPAN (UINT64_C(4) << 30)
#define SMELT_RT_SLOT_AFTER ((UINT64_C(4) << 30) + SMELT_RT_PAGE)

/* Takes a memory of `bytes` (a multiple of the page, at most 4 GiB), all zero. NULL: the machine has no room. */
struct smelt_rt_slot *smelt_rt_slot_take(uint64_t bytes);
/* Commits up to `bytes`. Returns 0, or -1 (nothing changed) when the machine has no room. */
int32_t smelt_rt_slot_grow(struct smelt_rt_slot *slot, uint64_t bytes);
/* Gives one hold back; the last one clears the memory and puts it into the pool. */
void smelt_rt_slot_release(struct smelt_rt_slot *slot);
uint8_t *smelt_rt_slot_base(const struct smelt_rt_slot *slot);
uint64_t smelt_rt_slot_bytes(const struct smelt_rt_slot *slot);
/* Unmaps the pooled memories that nobody holds. */
void smelt_rt_pool_trim(void);

/* ---- 6. Code ---------------------------------------------------------------------------------------
 * Maps an artifact from memory. The caller has verified the file and says what of it goes where: the mapper knows no
 * file format. It copies, adds the image's address to the words named, and makes code executable and everything else
 * read-only; it checks again that nothing leaves the file or the image and that no code is changed. No code of the
 * artifact runs while it is loaded. Addresses are offsets from the image's start. */
struct smelt_rt_code;

/* Whole pages of 4,096 bytes that no other segment shares. In the order of their addresses. */
struct smelt_rt_segment {
    uint64_t address;
    uint64_t bytes;       /* in the image */
    uint64_t file_offset;
    uint64_t file_bytes;  /* at most `bytes`; the rest is zero */
    uint32_t is_code;     /* 1: executable; 0: data, which alone is relocated */
    uint32_t reserved;
};

/* The word at `place` of the image becomes the address of `value`, an offset too. */
struct smelt_rt_relocation {
    uint64_t place;
    uint64_t value;
};

struct smelt_rt_load_plan {
    const uint8_t *file;
    uint64_t file_bytes;
    const struct smelt_rt_segment *segments;
    uint64_t segment_count;
    const struct smelt_rt_relocation *relocations;
    uint64_t relocation_count;
    uint64_t module; /* where `smelt_module` is */
};

/* Returns 0 and the code, or an error number below; `why`, when given, points to a constant text. */
int32_t smelt_rt_code_load(const struct smelt_rt_load_plan *plan, struct smelt_rt_code **code, const char **why);
const struct smelt_module_descriptor *smelt_rt_code_module(const struct smelt_rt_code *code);
/* Unmaps. No instance of it may exist any more. */
void smelt_rt_code_unload(struct smelt_rt_code *code);

/* Checks magic, version, size and the ranges a runtime relies on. Returns NULL, or what is wrong. */
const char *smelt_rt_module_check(const struct smelt_module_descriptor *module);

/* Registers a module's text, so that faults in it are traps; smelt_rt_code_load does it. 0 or an error. */
int32_t smelt_rt_code_register(const struct smelt_module_descriptor *module);
void smelt_rt_code_unregister(const struct smelt_module_descriptor *module);
/* Safe in a signal handler. NULL when the address belongs to no registered text. */
const struct smelt_module_descriptor *smelt_rt_code_find(uint64_t pc);

/* ---- 7. Instances ----------------------------------------------------------------------------------*/
struct smelt_rt_limits {
    uint64_t memory_maximum; /* bytes an instance may have, 512 MiB for the FVM */
    uint32_t table_maximum;  /* elements, 20,000 for the FVM */
};

enum smelt_rt_error {
    SMELT_RT_OK = 0,
    SMELT_RT_NO_MEMORY = 1,   /* of this machine; never the guest's fault */
    SMELT_RT_BAD_OBJECT = 2,  /* not an artifact this runtime can run */
    SMELT_RT_NO_SIGNALS = 3,  /* the module relies on guard pages and smelt_rt_signals_install was not called */
    SMELT_RT_BAD_IMPORT = 4   /* suite profile: an import is missing or of another kind or type */
};

/* What an import is bound to, one row per import of the module. Needed for memories, tables and globals; for a
 * function `exporter` may be NULL, its calls go to host_import in any case. Exporters must outlive the instance;
 * contexts that are linked run on one thread at a time. */
struct smelt_rt_extern {
    uint32_t kind;
    uint32_t index; /* globals: in the exporter's index space */
    struct smelt_rt_context *exporter;
};

struct smelt_rt_options {
    struct smelt_rt_limits limits;
    void *host;
    smelt_rt_import_fn host_import;
    smelt_rt_limiter_fn host_limiter;      /* NULL: everything up to `maximum` is allowed */
    const struct smelt_rt_extern *externs; /* may be NULL when nothing but functions is imported */
    uint64_t extern_count;
};

/* Makes a context with globals, and neither memory nor table yet: `gas` can be set. Returns an error number. */
int32_t smelt_rt_instance_create(const struct smelt_module_descriptor *module, const struct smelt_rt_options *options,
                                 struct smelt_rt_context **context);
/* Takes memory and table (asking the limiter), applies the segments, runs the start function. Once per instance.
 * Returns the trap that ended it, or 0. */
int32_t smelt_rt_instance_start(struct smelt_rt_context *context);
/* Not while it runs. */
void smelt_rt_instance_destroy(struct smelt_rt_context *context);
/* The cell of a global of the index space. */
uint64_t *smelt_rt_instance_global(struct smelt_rt_context *context, uint32_t index);

/* ---- 8. Entering and leaving guest code ------------------------------------------------------------
 * smelt_rt_enter calls `entry` and returns 0, or the trap that ended it. It sets the default floating-point
 * control words and restores the caller's. Entries nest, also in different instances. Between an entry and a
 * raise lie only compiled code, its thunks and C functions that hold no resources: host callbacks have
 * returned by then. An entry for which the thread's stack has no room (the module's `stack_bytes`, and some for the
 * runtime) is a local failure before any guest code runs. */
int32_t smelt_rt_enter(struct smelt_rt_context *context, smelt_rt_entry_fn entry, uint64_t *arguments,
                       uint64_t *results);
/* Ends the newest entry of this thread with `trap`. What context->raise points to. */
void smelt_rt_raise(struct smelt_rt_context *context, int32_t trap) __attribute__((noreturn));

/* An entry for calls whose signature is known only at run time: `arguments` is the address of a
 * struct smelt_rt_dynamic_call, whose `call` is libffi's ffi_call. */
struct smelt_rt_dynamic_call {
    void (*call)(void *interface, void (*function)(void), void *result, void **arguments);
    void *interface;
    void (*function)(void);
    void *result;
    void **arguments;
};
void smelt_rt_dynamic_entry(struct smelt_rt_context *context, uint64_t *arguments, uint64_t *results);

/* ---- 9. Signals ------------------------------------------------------------------------------------
 * Needed by modules without explicit bounds checks; with them the guard below the big stack is an error for the
 * others too. Installs handlers of SIGSEGV and SIGBUS that turn a
 * fault into a trap only when it is one: the instruction belongs to registered text and the address to a
 * memory of the running entry, or to the guard below the big stack: that is STACK_END, which no sound object reaches.
 * Anything else goes to the handler that was there before. */
int32_t smelt_rt_signals_install(void);   /* counted; 0 or -1 */
void smelt_rt_signals_uninstall(void);    /* puts the earlier handler back if ours is still the installed one */
int32_t smelt_rt_signals_installed(void);

/* Gives the calling thread an alternate signal stack unless it has one. smelt_rt_enter does it when it was not
 * done; the end of the thread or smelt_rt_thread_release frees it. 0 or -1. */
int32_t smelt_rt_thread_prepare(void);
void smelt_rt_thread_release(void);

/* ---- 10. Stack -------------------------------------------------------------------------------------
 * Where a guest ends is counted: compiled code adds up what its live frames may take at most, a number computed from
 * the WASM, and ends the entry (NATIVE_STACK) when the sum exceeds the budget. What frames really take depends on the
 * code generator and decides nothing; the stack has room for whatever the count allows. */
#define SMELT_RT_ENTRY_STACK 16777216 /* bytes, the budget of one entry: 16 MiB */

/* Runs `function` on this thread's own big stack: address space for 1,024 nested entries, of which only what is
 * used takes memory. Called on that stack already, it just calls. Returns 0, or -1 when the machine has no room. */
int32_t smelt_rt_run_on_stack(void (*function)(void *), void *argument);
/* Whether the calling thread is on its big stack. */
int32_t smelt_rt_on_big_stack(void);
/* Runs `function` on the stack the thread was born with, below the frames that wait there: for calls of a foreign
 * runtime that knows the bounds of its threads' stacks (Go's does). Elsewhere than on the big stack it just calls. A
 * message that `function` applies in its turn gets a big stack of its own. */
void smelt_rt_run_on_own_stack(void (*function)(void *), void *argument);

/* Ends what a guest does on another thread, by a signal that only arrives in compiled code: the entry it is in ends
 * with INTERRUPTED. Elsewhere the signal does nothing, so whoever wants an end asks again until there is one. Needs the
 * handlers of section 9. The thread must not end during the call. 0 or -1. */
struct smelt_rt_thread;
struct smelt_rt_thread *smelt_rt_thread_self(void);
int32_t smelt_rt_interrupt(struct smelt_rt_thread *thread);

/* ---- 11. Processor ---------------------------------------------------------------------------------
 * The highest x86-64 psABI level (1 to 3) whose instructions this processor has, or 0 on another one. */
int32_t smelt_rt_cpu_level(void);

/* ---- 12. Self test ---------------------------------------------------------------------------------
 * Takes a memory, faults, traps, nests, grows and takes it again. NULL, or what does not work on this machine. */
const char *smelt_rt_self_test(void);

/* ---- 13. Sampler -----------------------------------------------------------------------------------
 * Interrupts the thread that starts it every so many nanoseconds (of SIGPROF; by the monotonic clock) and notes where
 * it is, until the buffer is full; not while the label is 0, as it is at first. There is one sampler at a time; the
 * thread that started it stops it. */
struct smelt_rt_sample {
    uint64_t pc;
    uint64_t label; /* what was set last when it was taken */
};
int32_t smelt_rt_sampler_start(uint64_t nanoseconds, struct smelt_rt_sample *buffer, uint32_t room); /* 0 or errno */
void smelt_rt_sampler_label(uint64_t label);
uint32_t smelt_rt_sampler_count(void); /* samples so far */
uint32_t smelt_rt_sampler_stop(void);  /* the same, and no more come; the handler that was there is back */

#ifdef __cplusplus
}
#endif
#endif
