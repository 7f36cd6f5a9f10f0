/* signal_linux.c: faults of guest code become traps, all others go where they went before.
 *
 * The handler takes no lock, allocates nothing and leaves by returning: it only redirects the interrupted thread
 * to the landing of its newest entry. (Leaving a handler by longjmp broke Go, and the signal mask with it.) */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch_x86_64.h"
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int handled_signals[] = {SIGSEGV, SIGBUS};
enum { HANDLED = sizeof handled_signals / sizeof handled_signals[0] };

static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous_actions[HANDLED];
static _Atomic uint32_t installations;
/* Its address comes with the signals of smelt_rt_interrupt and with no others. */
static uint8_t interruption;
/* Somebody put a handler above ours and (we must assume) calls ours: it stays where it is for good. */
static bool stays[HANDLED];

static bool inside_unreachable_memory(const struct smelt_rt_slot *slot, uint64_t address) {
    if (slot == NULL) { return false; }
    uint64_t base = (uint64_t)slot->base;
    /* Not the accessible part: a fault there is a defect of the machine or of the host. */
    bool before = address < base && address >= base - SMELT_RT_SLOT_BEFORE;
    bool behind = address >= base + slot->bytes && address < base + SMELT_RT_SLOT_SPAN + SMELT_RT_SLOT_AFTER;
    return before || behind;
}

/* The trap that a fault is, or SMELT_RT_TRAP_NONE when it is none of ours. */
static int32_t trap_of_fault(const struct smelt_rt_thread *thread, int signal, const siginfo_t *info, uint64_t pc) {
    const struct smelt_rt_activation *activation = thread->current;
    if (activation == NULL) { return SMELT_RT_TRAP_NONE; }
    bool by_address = signal == SIGSEGV ? info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR
                                        : info->si_code == BUS_ADRERR;
    if (!by_address || smelt_rt_code_find(pc) == NULL) { return SMELT_RT_TRAP_NONE; }
    uint64_t address = (uint64_t)info->si_addr;
    if (address >= thread->guard_low && address < thread->stack_low) { return SMELT_RT_TRAP_STACK_END; }
    const struct smelt_rt_instance *first = instance_of(activation->context), *instance = first;
    do {
        if (inside_unreachable_memory(instance->context.slot, address)) { return SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS; }
        instance = instance->group;
    } while (instance != first);
    return SMELT_RT_TRAP_NONE;
}

/* Whether the signal is one that smelt_rt_interrupt sent; then what it does is done. */
static bool takes_interrupt(struct smelt_rt_thread *thread, int signal, const siginfo_t *info, ucontext_t *context) {
    if (signal != SIGSEGV || info->si_code != SI_QUEUE || info->si_value.sival_ptr != &interruption) { return false; }
    uint64_t pc = arch_context_pc(context);
    if (thread->current != NULL && smelt_rt_code_find(pc) != NULL) {
        thread->current->trap_pc = pc;
        arch_context_redirect(
            context, (uint64_t)smelt_rt_arch_leave, (uint64_t)thread->current, SMELT_RT_TRAP_INTERRUPTED);
    }
    return true;
}

/* Does what the kernel would have done without our handler. */
static void forward(int signal, siginfo_t *info, void *context, struct sigaction *previous) {
    bool takes_info = previous->sa_flags & SA_SIGINFO;
    bool sent = info->si_code <= 0; /* by kill or raise, not by an instruction */
    if (!takes_info && (previous->sa_handler == SIG_DFL || previous->sa_handler == SIG_IGN)) {
        if (sent && previous->sa_handler == SIG_IGN) { return; }
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(signal, &standard, NULL);
        /* A fault happens again when the handler returns; a sent signal has to be sent again. */
        if (sent) { syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal); }
        return;
    }
    struct sigaction called = *previous;
    if (called.sa_flags & SA_RESETHAND) {
        previous->sa_flags &= ~SA_SIGINFO;
        previous->sa_handler = SIG_DFL;
    }
    sigset_t earlier;
    pthread_sigmask(SIG_BLOCK, &called.sa_mask, &earlier);
    if (called.sa_flags & SA_NODEFER) {
        sigset_t own;
        sigemptyset(&own);
        sigaddset(&own, signal);
        pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    }
    if (takes_info) {
        called.sa_sigaction(signal, info, context);
    } else {
        called.sa_handler(signal);
    }
    pthread_sigmask(SIG_SETMASK, &earlier, NULL);
}

UNWATCHED static void handler(int signal, siginfo_t *info, void *raw) {
    int earlier_errno = errno;
    ucontext_t *context = raw;
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    uint64_t pc = arch_context_pc(context);
    if (takes_interrupt(thread, signal, info, context)) {
        errno = earlier_errno;
        return;
    }
    int32_t trap = trap_of_fault(thread, signal, info, pc);
    if (trap != SMELT_RT_TRAP_NONE) {
        thread->current->trap_pc = pc;
        arch_context_redirect(context, (uint64_t)smelt_rt_arch_leave, (uint64_t)thread->current, (uint64_t)trap);
    } else {
        forward(signal, info, raw, &previous_actions[signal == SIGSEGV ? 0 : 1]);
    }
    errno = earlier_errno;
}

static bool is_ours(const struct sigaction *action) {
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == handler;
}

static int install_one(int i) {
    struct sigaction current;
    if (sigaction(handled_signals[i], NULL, &current) != 0) { return -1; }
    if (is_ours(&current) || stays[i]) { return 0; }
    /* Set before our handler can run and need it. */
    previous_actions[i] = current;
    struct sigaction ours = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    return sigaction(handled_signals[i], &ours, NULL);
}

static void uninstall_one(int i) {
    struct sigaction current;
    if (sigaction(handled_signals[i], NULL, &current) != 0) { return; }
    if (is_ours(&current)) {
        sigaction(handled_signals[i], &previous_actions[i], NULL);
    } else {
        stays[i] = true;
    }
}

int32_t smelt_rt_signals_install(void) {
    int32_t result = 0;
    pthread_mutex_lock(&installing);
    if (atomic_load(&installations) == 0) {
        for (int i = 0; i < HANDLED && result == 0; i++) {
            if (install_one(i) != 0) {
                while (i-- > 0) { uninstall_one(i); }
                result = -1;
                break;
            }
        }
    }
    if (result == 0) { atomic_fetch_add(&installations, 1); }
    pthread_mutex_unlock(&installing);
    return result;
}

void smelt_rt_signals_uninstall(void) {
    pthread_mutex_lock(&installing);
    if (atomic_load(&installations) > 0 && atomic_fetch_sub(&installations, 1) == 1) {
        for (int i = 0; i < HANDLED; i++) { uninstall_one(i); }
    }
    pthread_mutex_unlock(&installing);
}

int32_t smelt_rt_signals_installed(void) { return atomic_load(&installations) > 0; }

struct smelt_rt_thread *smelt_rt_thread_self(void) {
    struct smelt_rt_thread *thread = &smelt_rt_thread;
    if (thread->id == 0) { thread->id = (pid_t)syscall(SYS_gettid); }
    return thread;
}

int32_t smelt_rt_interrupt(struct smelt_rt_thread *thread) {
    if (!smelt_rt_signals_installed()) { return -1; }
    /* One that finds another on its way is dropped by the kernel, and nobody misses it. */
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_value.sival_ptr = &interruption;
    return (int32_t)syscall(SYS_rt_tgsigqueueinfo, info.si_pid, thread->id, SIGSEGV, &info);
}
