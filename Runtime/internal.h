/* internal.h: what the files of the runtime share. Nothing here is part of the contract with compiled code. */
#ifndef SMELT_RT_INTERNAL_H
#define SMELT_RT_INTERNAL_H

#include "include/smeltrt.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#if defined(__SANITIZE_ADDRESS__)
#define SMELT_RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SMELT_RT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SMELT_RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SMELT_RT_TSAN 1
#endif
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define INTERNAL __attribute__((visibility("hidden")))

/* Before a call that does not return, the address sanitizer clears its marks of the whole stack, which takes minutes on
 * a stack of gigabytes: smelt_rt_enter clears the part that was left. */
#if SMELT_RT_ASAN
#define LEAVES
#if defined(__clang__)
#define UNINSTRUMENTED __attribute__((no_sanitize_address))
#else
#define UNINSTRUMENTED __attribute__((no_sanitize_address, noipa)) /* or it finds out that calls do not return */
#endif
#else
#define LEAVES __attribute__((noreturn))
#define UNINSTRUMENTED
#endif

/* The thread sanitizer takes a thread's stacks for threads: it must not count calls whose entry and exit are on different
 * ones, nor what a handler does to the thread's errno on each. Clang's no_sanitize counts calls all the same. */
#if SMELT_RT_TSAN && defined(__clang__)
#define UNWATCHED __attribute__((disable_sanitizer_instrumentation))
#elif SMELT_RT_TSAN
#define UNWATCHED __attribute__((no_sanitize("thread")))
#else
#define UNWATCHED
#endif

/* ---- Activations and threads ------------------------------------------------------------------------ */

/* One entry into guest code; lies in the frame of smelt_rt_enter. */
struct smelt_rt_activation {
    uint64_t stack_pointer; /* 0: where smelt_rt_arch_leave lands; written and read by assembly */
    struct smelt_rt_activation *previous;
    struct smelt_rt_context *context;
    uint64_t trap_pc; /* 0 when unknown */
};

struct smelt_rt_thread {
    struct smelt_rt_activation *current; /* newest entry */
    uint64_t stack_low;                  /* lowest usable byte of the stack the thread runs on */
    uint64_t guard_low;                  /* where the guard below it begins; equal when we did not make it */
    uint64_t deepest_entry;              /* lowest frame of an entry in this run on the big stack */
    uint64_t own_low;                    /* stack_low of the stack the thread was born with */
    uint64_t own_top;                    /* free below this on that stack while the thread is on the big one */
    uint8_t *big_stack;                  /* the mapping, guard first, or NULL */
    uint64_t big_stack_bytes;
    void *big_stack_fiber; /* sanitizers */
    void *own_fiber;
    const void *own_bottom;
    size_t own_bytes;
    uint8_t *alternate;    /* our alternate signal stack, guard first, or NULL */
    uint64_t alternate_bytes;
    pid_t id; /* the kernel's; 0 before smelt_rt_thread_self */
    bool on_big_stack;
    bool big_stack_waits; /* frames of a run are on it though the thread is on its own stack */
    bool bounds_known;
    bool signals_ready;
};

/* Initial-exec: the handler may touch it, and access takes one instruction. */
extern _Thread_local struct smelt_rt_thread smelt_rt_thread INTERNAL __attribute__((tls_model("initial-exec")));

/* Finds the bounds of the stack, and an alternate signal stack when there are handlers. */
INTERNAL void smelt_rt_thread_first_use(struct smelt_rt_thread *thread);

INTERNAL void smelt_rt_raise_at(struct smelt_rt_context *context, int32_t trap, uint64_t pc) LEAVES;

/* Names the call in compiled code that the service it stands in was called by: a return address follows the call, one
 * less lies inside it. Taken at the beginning, in front of what the compiler could move to a function of its own
 * together with the cold path: there it would be another return address. */
#define TAKE_CALL_SITE(name)                                                                                           \
    uint64_t name = (uint64_t)__builtin_return_address(0) - 1;                                                         \
    __asm__ volatile("" : "+r"(name))

/* ---- Assembly ----------------------------------------------------------------------------------------*/

INTERNAL int32_t smelt_rt_arch_enter(struct smelt_rt_activation *activation, struct smelt_rt_context *context,
                                     smelt_rt_entry_fn entry, uint64_t *arguments, uint64_t *results);
INTERNAL void smelt_rt_arch_leave(struct smelt_rt_activation *activation, int32_t trap) LEAVES;
INTERNAL void smelt_rt_arch_on_stack(void (*function)(void *), void *argument, uint8_t *top);
/* A guest of two entries for the self test: loads the byte at memory_base + arguments[0]; raises arguments[0]. */
INTERNAL void smelt_rt_arch_probe_load(struct smelt_rt_context *, uint64_t *arguments, uint64_t *results);
INTERNAL void smelt_rt_arch_probe_raise(struct smelt_rt_context *, uint64_t *arguments, uint64_t *results);
INTERNAL extern const uint8_t smelt_rt_arch_probe_start[], smelt_rt_arch_probe_end[];

/* ---- Memories and tables -----------------------------------------------------------------------------*/

struct smelt_rt_instance;

struct smelt_rt_slot {
    uint8_t *base;
    uint64_t bytes;            /* size; exactly these are accessible */
    uint64_t front_bytes;      /* accessible from SMELT_RT_MEMORY_BEHIND_CONTEXT in front of the base */
    uint64_t declared_maximum; /* bytes, 4 GiB when none */
    bool has_maximum;
    uint32_t holds;
    struct smelt_rt_instance *users; /* contexts that mirror `bytes` */
    struct smelt_rt_slot *next;      /* in the pool */
};

/* The `bytes` in front of a memory where its instance lies, all zero. NULL: the machine has no room. */
INTERNAL void *smelt_rt_slot_front(struct smelt_rt_slot *slot, uint64_t bytes);

struct smelt_rt_shared_table {
    struct smelt_rt_table table; /* first: contexts point to it */
    uint64_t capacity;
    uint32_t declared_maximum; /* 0xffffffff when none */
    uint32_t holds;
};

/* ---- Instances ---------------------------------------------------------------------------------------*/

struct smelt_rt_instance {
    struct smelt_rt_context context; /* first: a context is its instance */
    struct smelt_rt_instance *group; /* circular list of the instances linked with this one */
    struct smelt_rt_instance *next_user;
    struct smelt_rt_shared_table *table;
    struct smelt_rt_funcref *functions; /* filled on demand by ref_func; NULL before */
    uint64_t memory_cap;
    uint32_t table_cap;
    bool started;
    uint64_t slots[]; /* globals, then `dropped`, unless they are too many */
};
_Static_assert(offsetof(struct smelt_rt_instance, slots) == SMELT_RT_GLOBALS, "compiled code relies on it");

/* Data and element segments whose marks lie behind their instance. */
#define NEAR_SEGMENTS UINT64_C(8192)
_Static_assert(SMELT_RT_GLOBALS + SMELT_RT_NEAR_GLOBALS * 8 + NEAR_SEGMENTS <= SMELT_RT_MEMORY_BEHIND_CONTEXT / 4 * 3,
               "an instance ends far in front of its memory");

static inline struct smelt_rt_instance *instance_of(struct smelt_rt_context *context) {
    return (struct smelt_rt_instance *)context;
}

INTERNAL extern const struct smelt_rt_context smelt_rt_context_template;

/* NULL when there is no memory for it. */
INTERNAL const struct smelt_rt_funcref *smelt_rt_reference(struct smelt_rt_instance *instance, uint32_t number);
INTERNAL void smelt_rt_set_element(struct smelt_rt_funcref *to, struct smelt_rt_instance *instance, uint32_t item);
/* A number below the function count is a reference as segments make them: it calls the table entry. The same plus the
 * count is one from a global's initialiser, which the reference does not lead through the trampoline. */
static inline void smelt_rt_set_reference(struct smelt_rt_funcref *to, struct smelt_rt_instance *instance,
                                          uint32_t number) {
    uint64_t count = instance->context.module->function_count;
    bool bare = number >= count;
    const struct smelt_rt_function *function = &instance->context.module->functions[bare ? number - count : number];
    to->code = bare && function->code != NULL ? (void *)function->code : function->table_entry;
    to->context = &instance->context;
    to->type_id = function->type_id;
    to->number = number;
}

/* Services, installed in every context. */
INTERNAL void smelt_rt_call_import(struct smelt_rt_context *, uint32_t import_index, uint64_t *slots);
INTERNAL uint64_t smelt_rt_memory_grow(struct smelt_rt_context *, uint32_t pages);
INTERNAL void smelt_rt_memory_fill(struct smelt_rt_context *, uint32_t to, uint32_t value, uint32_t count);
INTERNAL void smelt_rt_memory_copy(struct smelt_rt_context *, uint32_t to, uint32_t from, uint32_t count);
INTERNAL void smelt_rt_memory_init(struct smelt_rt_context *, uint32_t segment, uint32_t to, uint32_t from,
                                   uint32_t count);
INTERNAL void smelt_rt_data_drop(struct smelt_rt_context *, uint32_t segment);
INTERNAL void smelt_rt_table_init(struct smelt_rt_context *, uint32_t segment, uint32_t to, uint32_t from,
                                  uint32_t count);
INTERNAL void smelt_rt_table_copy(struct smelt_rt_context *, uint32_t to, uint32_t from, uint32_t count);
INTERNAL void smelt_rt_table_fill(struct smelt_rt_context *, uint32_t to, const struct smelt_rt_funcref *value,
                                  uint32_t count);
INTERNAL uint64_t smelt_rt_table_grow(struct smelt_rt_context *, const struct smelt_rt_funcref *value, uint32_t count);
INTERNAL void smelt_rt_elem_drop(struct smelt_rt_context *, uint32_t segment);
INTERNAL const struct smelt_rt_funcref *smelt_rt_ref_func(struct smelt_rt_context *, uint32_t function_index);
INTERNAL const struct smelt_rt_funcref *smelt_rt_table_get(struct smelt_rt_context *, uint32_t index);
INTERNAL void smelt_rt_table_set(struct smelt_rt_context *, uint32_t index, const struct smelt_rt_funcref *value);

/* Whether a module needs signals: it does unless it checks bounds itself. */
static inline bool relies_on_signals(const struct smelt_module_descriptor *module) { return !(module->flags & SMELT_RT_CHECKS_BOUNDS); }

#endif
