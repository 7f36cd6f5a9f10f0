/* stack_linux.c: the stacks of a thread: the one it was born with, the big one for guests, the one for signals. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#if SMELT_RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if SMELT_RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* 1,024 nested entries (the FVM's call depth), each with its budget and room for the host's frames between two
 * entries. Compiled code has made its frame when it compares, so the innermost one may have the frame of one function
 * more, which is at most another budget; the rest is for the host below the first entry and services of the last. */
#define BIG_STACK_ENTRIES UINT64_C(1024)
#define BIG_STACK_ENTRY ((uint64_t)SMELT_RT_ENTRY_STACK + (UINT64_C(1) << 20))
#define BIG_STACK_EXTRA ((uint64_t)SMELT_RT_ENTRY_STACK + (UINT64_C(64) << 20))
/* Compiled code touches every page of a frame it makes, so it cannot step over the guard. */
#define BIG_STACK_GUARD (UINT64_C(1) << 20)
/* What stays in memory between two runs, besides what the guest of the deepest entry used. */
#define BIG_STACK_KEPT (UINT64_C(1) << 20)
/* Handlers that were there before ours run on this stack as well. */
#define ALTERNATE_ROOM (UINT64_C(64) << 10)
/* For the frame of the function that left it, when a call comes back to the thread's own stack. */
#define OWN_STACK_LEFT_FREE (UINT64_C(4) << 10)
/* Assumed of a stack whose bounds the system does not tell. */
#define UNKNOWN_STACK (UINT64_C(1) << 20)

static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;
static bool thread_end_exists;

static void at_thread_end(void *unused) {
    (void)unused;
    smelt_rt_thread_release();
}

static void make_thread_end(void) { thread_end_exists = pthread_key_create(&thread_end, at_thread_end) == 0; }

static void release_at_thread_end(void) {
    pthread_once(&thread_end_once, make_thread_end);
    /* Any value but NULL makes the destructor run. */
    if (thread_end_exists) { pthread_setspecific(thread_end, &thread_end); }
}

static void use_own_stack(struct smelt_rt_thread *thread) {
    thread->on_big_stack = false;
    thread->stack_low = thread->guard_low = thread->own_low;
}

static void use_big_stack(struct smelt_rt_thread *thread) {
    thread->on_big_stack = true;
    thread->guard_low = (uint64_t)thread->big_stack;
    thread->stack_low = thread->guard_low + BIG_STACK_GUARD;
}

static void find_bounds(struct smelt_rt_thread *thread) {
    if (thread->bounds_known) { return; }
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    uint64_t low = here > UNKNOWN_STACK ? here - UNKNOWN_STACK : 0;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *address = NULL;
        size_t size = 0, guard = 0;
        if (pthread_attr_getstack(&attributes, &address, &size) == 0 && size > 0) { low = (uint64_t)address; }
        /* glibc counts the guard into the stack of threads it makes in some versions: leave room for one. */
        if (pthread_attr_getguardsize(&attributes, &guard) == 0) { low += guard; }
        pthread_attr_destroy(&attributes);
    }
    thread->own_low = low;
    if (!thread->on_big_stack) { use_own_stack(thread); }
    thread->bounds_known = true;
}

int32_t smelt_rt_thread_prepare(void) {
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    find_bounds(thread);
    if (thread->signals_ready) { return 0; }
    stack_t current;
    if (sigaltstack(NULL, &current) != 0) { return -1; }
    if (current.ss_flags & SS_DISABLE) {
        long least = sysconf(_SC_SIGSTKSZ);
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        uint64_t room = ((least > 0 ? (uint64_t)least : 0) + ALTERNATE_ROOM + page - 1) / page * page;
        uint8_t *stack = mmap(NULL, room + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED) { return -1; }
        stack_t ours = {.ss_sp = stack + page, .ss_size = room};
        if (mprotect(stack + page, room, PROT_READ | PROT_WRITE) != 0 || sigaltstack(&ours, NULL) != 0) {
            munmap(stack, room + page);
            return -1;
        }
        thread->alternate = stack;
        thread->alternate_bytes = room + page;
        release_at_thread_end();
    }
    thread->signals_ready = true;
    return 0;
}

void smelt_rt_thread_first_use(struct smelt_rt_thread *thread) {
    find_bounds(thread);
    /* Without an alternate stack only an overflow of the stack itself could not be handled, which no sound object
     * makes: so a failure is tried again at the next entry and not reported. */
    if (smelt_rt_signals_installed()) { (void)smelt_rt_thread_prepare(); }
}

static void free_big_stack(struct smelt_rt_thread *thread) {
#if SMELT_RT_TSAN
    __tsan_destroy_fiber(thread->big_stack_fiber);
#endif
    munmap(thread->big_stack, thread->big_stack_bytes);
    thread->big_stack = NULL;
}

void smelt_rt_thread_release(void) {
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    if (thread->current != NULL || thread->on_big_stack || thread->big_stack_waits) { return; }
    if (thread->alternate != NULL) {
        stack_t current;
        bool is_current = sigaltstack(NULL, &current) == 0 && (uint8_t *)current.ss_sp >= thread->alternate &&
                          (uint8_t *)current.ss_sp < thread->alternate + thread->alternate_bytes;
        if (is_current) {
            stack_t none = {.ss_flags = SS_DISABLE};
            sigaltstack(&none, NULL);
        }
        munmap(thread->alternate, thread->alternate_bytes);
        thread->alternate = NULL;
    }
    thread->signals_ready = false;
    if (thread->big_stack != NULL) { free_big_stack(thread); }
}

static bool make_big_stack(struct smelt_rt_thread *thread) {
    uint64_t bytes = BIG_STACK_GUARD + BIG_STACK_ENTRIES * BIG_STACK_ENTRY + BIG_STACK_EXTRA;
    /* Address space, not memory: pages are committed when they are touched. */
    uint8_t *stack = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) { return false; }
    if (mprotect(stack + BIG_STACK_GUARD, bytes - BIG_STACK_GUARD, PROT_READ | PROT_WRITE) != 0) {
        munmap(stack, bytes);
        return false;
    }
    /* A huge page would take 2 MiB where a few KiB are used. Kernels without huge pages refuse: no matter. */
    (void)madvise(stack, bytes, MADV_NOHUGEPAGE);
    thread->big_stack = stack;
    thread->big_stack_bytes = bytes;
#if SMELT_RT_TSAN
    thread->big_stack_fiber = __tsan_create_fiber(0);
#endif
    release_at_thread_end();
    return true;
}

struct job {
    void (*function)(void *);
    void *argument;
#if SMELT_RT_ASAN
    const void *earlier_bottom;
    size_t earlier_size;
#endif
#if SMELT_RT_TSAN
    void *earlier_fiber;
#endif
};

/* Does the job on the stack it was brought to, and tells the sanitizers that the thread goes back. */
UNWATCHED
static void do_and_go_back(const struct job *job) {
    job->function(job->argument);
#if SMELT_RT_ASAN
    __sanitizer_start_switch_fiber(NULL, job->earlier_bottom, job->earlier_size);
#endif
#if SMELT_RT_TSAN
    __tsan_switch_to_fiber(job->earlier_fiber, 0);
#endif
}

/* First frame on the big stack. */
UNWATCHED
static void run(void *raw) {
    struct job *job = raw;
#if SMELT_RT_ASAN
    __sanitizer_finish_switch_fiber(NULL, &job->earlier_bottom, &job->earlier_size);
    smelt_rt_thread.own_bottom = job->earlier_bottom;
    smelt_rt_thread.own_bytes = job->earlier_size;
#endif
    do_and_go_back(job);
}

int32_t smelt_rt_on_big_stack(void) { return smelt_rt_thread.on_big_stack; }

/* A run inside of a call that the big stack made on the thread's own: on another big stack, for that time. */
static int32_t run_on_another(struct smelt_rt_thread *thread, void (*function)(void *), void *argument) {
    struct smelt_rt_thread outer = *thread;
    thread->big_stack = NULL;
    thread->big_stack_waits = false;
    int32_t result = smelt_rt_run_on_stack(function, argument);
    if (thread->big_stack != NULL) { free_big_stack(thread); }
    thread->big_stack = outer.big_stack;
    thread->big_stack_bytes = outer.big_stack_bytes;
    thread->big_stack_fiber = outer.big_stack_fiber;
    thread->own_top = outer.own_top;
    thread->deepest_entry = outer.deepest_entry;
    thread->big_stack_waits = true;
    return result;
}

int32_t smelt_rt_run_on_stack(void (*function)(void *), void *argument) {
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    if (thread->on_big_stack) {
        function(argument);
        return 0;
    }
    if (thread->big_stack_waits) { return run_on_another(thread, function, argument); }
    find_bounds(thread);
    if (thread->big_stack == NULL && !make_big_stack(thread)) { return -1; }
    /* Below this function's frame lies a return address and what the switch pushes: much less than is left free. */
    thread->own_top = ((uint64_t)__builtin_frame_address(0) - OWN_STACK_LEFT_FREE) & ~UINT64_C(15);
    struct job job = {.function = function, .argument = argument};
    uint8_t *top = thread->big_stack + thread->big_stack_bytes;
    use_big_stack(thread);
    thread->deepest_entry = UINT64_MAX;
#if SMELT_RT_ASAN
    void *fake_stack = NULL;
    __sanitizer_start_switch_fiber(&fake_stack, thread->big_stack + BIG_STACK_GUARD,
                                   thread->big_stack_bytes - BIG_STACK_GUARD);
#endif
#if SMELT_RT_TSAN
    job.earlier_fiber = thread->own_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(thread->big_stack_fiber, 0);
#endif
    smelt_rt_arch_on_stack(run, &job, top);
#if SMELT_RT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    use_own_stack(thread);
    /* What deep call chains have touched goes back; nothing on it is alive. What lies below the deepest entry is its
     * own: not worth a system call after each message. */
    if (thread->deepest_entry < (uint64_t)top - BIG_STACK_KEPT) {
        (void)madvise(thread->big_stack + BIG_STACK_GUARD, thread->big_stack_bytes - BIG_STACK_GUARD - BIG_STACK_KEPT,
                      MADV_DONTNEED);
    }
    return 0;
}

/* First frame back on the thread's own stack. */
UNWATCHED
static void leave_big_stack(void *raw) {
#if SMELT_RT_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
    do_and_go_back(raw);
}

void smelt_rt_run_on_own_stack(void (*function)(void *), void *argument) {
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    if (!thread->on_big_stack) {
        function(argument);
        return;
    }
    struct job job = {.function = function, .argument = argument};
    use_own_stack(thread);
    thread->big_stack_waits = true;
#if SMELT_RT_ASAN
    void *fake_stack = NULL;
    job.earlier_bottom = thread->big_stack + BIG_STACK_GUARD;
    job.earlier_size = thread->big_stack_bytes - BIG_STACK_GUARD;
    __sanitizer_start_switch_fiber(&fake_stack, thread->own_bottom, thread->own_bytes);
#endif
#if SMELT_RT_TSAN
    job.earlier_fiber = thread->big_stack_fiber;
    __tsan_switch_to_fiber(thread->own_fiber, 0);
#endif
    smelt_rt_arch_on_stack(leave_big_stack, &job, (uint8_t *)thread->own_top);
#if SMELT_RT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    thread->big_stack_waits = false;
    use_big_stack(thread);
}
