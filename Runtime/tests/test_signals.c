/* Faults that are not the guest's reach whoever was there before. */
#include "guest.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t foreign, foreign_info;
static volatile uint64_t foreign_address;

static void plain_handler(int signal) {
    foreign = signal;
    siglongjmp(back, 1);
}

static void info_handler(int signal, siginfo_t *info, void *context) {
    foreign_info = signal;
    foreign_address = (uint64_t)info->si_addr;
    if (context == NULL) { _exit(3); }
    siglongjmp(back, 1);
}

/* A host's own defect: writes to an address that no guest has. */
__attribute__((noinline, no_sanitize("address"), no_sanitize("undefined"))) static void host_fault(uint64_t address) {
    *(volatile uint8_t *)address = 1;
}

static uint64_t host_address;

static int32_t faulting_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)host;
    (void)slots;
    /* Outside any memory, or inside the guard of the running guest: the instruction is the host's either way. */
    host_fault(index == 0 ? host_address : (uint64_t)context->memory_base + context->memory_bytes);
    return 0;
}

/* A guest whose address is no guest's: a defect of the compiler, not a trap. */
GUEST static void wild_guest(context_t *context, uint64_t *arguments, uint64_t *results) {
    (void)context;
    (void)results;
    *(volatile uint8_t *)arguments[0] = 1;
}

static void with_handler_below(bool info, void (*body)(void)) {
    struct sigaction ours = {0}, earlier;
    if (info) {
        ours.sa_sigaction = info_handler;
        ours.sa_flags = SA_SIGINFO;
    } else {
        ours.sa_handler = plain_handler;
    }
    smelt_rt_signals_uninstall();
    sigaction(SIGSEGV, &ours, &earlier);
    CHECK(smelt_rt_signals_install() == 0);
    body();
    smelt_rt_signals_uninstall();
    struct sigaction current;
    sigaction(SIGSEGV, &earlier, &current);
    CHECK(info ? current.sa_sigaction == info_handler : current.sa_handler == plain_handler);
    CHECK(smelt_rt_signals_install() == 0);
}

static context_t *faulting_instance(void) {
    static struct smelt_module_descriptor module;
    module = guest_module();
    struct smelt_rt_options options = guest_options();
    options.host_import = faulting_import;
    return guest_instance(&module, &options);
}

static void host_faults_reach_the_plain_handler(void) {
    foreign = 0;
    if (sigsetjmp(back, 1) == 0) { host_fault(host_address); }
    CHECK(foreign == SIGSEGV);
    /* A signal that somebody sent. */
    foreign = 0;
    if (sigsetjmp(back, 1) == 0) { raise(SIGSEGV); }
    CHECK(foreign == SIGSEGV);
}

static void host_faults_reach_the_info_handler(void) {
    foreign_info = 0;
    if (sigsetjmp(back, 1) == 0) { host_fault(host_address); }
    CHECK(foreign_info == SIGSEGV && foreign_address == host_address);
    /* The guest still traps. */
    context_t *context = faulting_instance();
    uint64_t value;
    CHECK(load8(context, SMELT_RT_PAGE, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    smelt_rt_instance_destroy(context);
}

/* ---- Those that end the process ----------------------------------------------------------------------*/

static void guest_write_far(void) {
    context_t *context = faulting_instance();
    smelt_rt_enter(context, wild_guest, &host_address, NULL);
}
static void import_fault(void) {
    context_t *context = faulting_instance();
    uint64_t arguments[3] = {0}, value;
    smelt_rt_enter(context, guest_call_import, arguments, &value);
}
static void import_fault_in_guard(void) {
    context_t *context = faulting_instance();
    uint64_t arguments[3] = {1, 0, 0}, value;
    smelt_rt_enter(context, guest_call_import, arguments, &value);
}
static void fault_without_entry(void) {
    context_t *context = faulting_instance();
    uint64_t address = SMELT_RT_PAGE, value;
    guest_load8(context, &address, &value);
}
__attribute__((no_sanitize("undefined"))) static void wild_jump(void) {
    void (*volatile nowhere)(void) = (void (*)(void))host_address;
    nowhere();
}
static void sent_signal(void) { raise(SIGSEGV); }
static void null_write(void) { host_fault(0); }

/* The way a child process ends that runs `body` with the standard action below our handler. */
static int end_of(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        smelt_rt_signals_uninstall();
        signal(SIGSEGV, SIG_DFL);
        smelt_rt_signals_install();
        body();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static void an_ignored_signal_stays_ignored(void) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        smelt_rt_signals_uninstall();
        signal(SIGSEGV, SIG_IGN);
        smelt_rt_signals_install();
        raise(SIGSEGV);
        _exit(7);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* Somebody installs a handler above ours and forwards to it. */
static struct sigaction buried;
static void above(int signal, siginfo_t *info, void *context) { buried.sa_sigaction(signal, info, context); }

static void a_handler_above_ours_is_left_alone(void) {
    struct sigaction top = {.sa_sigaction = above, .sa_flags = SA_SIGINFO | SA_ONSTACK}, current;
    sigaction(SIGSEGV, &top, &buried);
    context_t *context = faulting_instance();
    uint64_t value;
    CHECK(load8(context, SMELT_RT_PAGE, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    smelt_rt_instance_destroy(context);
    smelt_rt_signals_uninstall();
    sigaction(SIGSEGV, NULL, &current);
    CHECK(current.sa_sigaction == above);
    /* Installing again does not make a circle. */
    CHECK(smelt_rt_signals_install() == 0);
    sigaction(SIGSEGV, NULL, &current);
    CHECK(current.sa_sigaction == above);
    context = faulting_instance();
    CHECK(load8(context, SMELT_RT_PAGE, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    smelt_rt_instance_destroy(context);
    sigaction(SIGSEGV, &buried, NULL);
}

static void the_signal_mask_is_untouched_by_traps(void) {
    context_t *context = faulting_instance();
    sigset_t before, after;
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    sigprocmask(SIG_SETMASK, NULL, &before);
    uint64_t value;
    for (int i = 0; i < 1000; i++) { load8(context, SMELT_RT_PAGE, &value); }
    sigprocmask(SIG_SETMASK, NULL, &after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    smelt_rt_instance_destroy(context);
}

void test_signals(void) {
    void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    host_address = (uint64_t)nowhere;
    with_handler_below(false, host_faults_reach_the_plain_handler);
    with_handler_below(true, host_faults_reach_the_info_handler);
    void (*const deadly[])(void) = {guest_write_far, import_fault, import_fault_in_guard, fault_without_entry,
                                    wild_jump,       sent_signal,  null_write};
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        int status = end_of(deadly[i]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
    an_ignored_signal_stays_ignored();
    the_signal_mask_is_untouched_by_traps();
    a_handler_above_ours_is_left_alone();
    munmap(nowhere, 4096);
}
