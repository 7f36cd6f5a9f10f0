/* A guest that another thread ends, and calls that go back to the stack of the thread. */
#include "guest.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* ---- Interruption ------------------------------------------------------------------------------------*/

enum { RUNS = 50 };

struct spinner {
    struct smelt_rt_thread *thread; /* this and the next are read and written atomically */
    int ended, entered, in_host;
    int32_t traps[RUNS];
    bool waits_in_host;
};

/* Goes round until its memory says otherwise, which it never does. */
GUEST static void spin(context_t *context, uint64_t *arguments, uint64_t *results) {
    volatile uint8_t *flag = context->memory_base;
    uint64_t rounds = 0;
    while (*flag == 0) { rounds += arguments[0]; }
    results[0] = rounds;
}

static int32_t waiting_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)context;
    (void)index;
    (void)slots;
    struct spinner *spinner = host;
    __atomic_store_n(&spinner->in_host, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&spinner->in_host, __ATOMIC_SEQ_CST) == 1) { usleep(100); }
    return 0;
}

static void spin_in_runs(void *raw) {
    struct spinner *spinner = raw;
    struct smelt_module_descriptor module = guest_module();
    module.memory_minimum = 1;
    struct smelt_rt_options options = guest_options();
    options.host = spinner;
    options.host_import = waiting_import;
    context_t *context = guest_instance(&module, &options);
    uint64_t arguments[3] = {1, 0, 0}, result;
    if (spinner->waits_in_host) {
        arguments[0] = 0;
        spinner->traps[0] = smelt_rt_enter(context, guest_call_import, arguments, &result);
    } else {
        for (int i = 0; i < RUNS; i++) {
            __atomic_store_n(&spinner->entered, i + 1, __ATOMIC_SEQ_CST);
            spinner->traps[i] = smelt_rt_enter(context, spin, arguments, &result);
            if (i % 2 == 0) { CHECK(context->trap_pc >= (uint64_t)__start_guest_text); }
        }
    }
    smelt_rt_instance_destroy(context);
}

static void *spinning_thread(void *raw) {
    struct spinner *spinner = raw;
    __atomic_store_n(&spinner->thread, smelt_rt_thread_self(), __ATOMIC_SEQ_CST);
    CHECK(smelt_rt_run_on_stack(spin_in_runs, spinner) == 0);
    __atomic_store_n(&spinner->ended, 1, __ATOMIC_SEQ_CST);
    /* The thread is asked of until it is joined, so it waits for that. */
    while (__atomic_load_n(&spinner->ended, __ATOMIC_SEQ_CST) == 1) { usleep(100); }
    return NULL;
}

static struct smelt_rt_thread *start(struct spinner *spinner, pthread_t *thread) {
    CHECK(pthread_create(thread, NULL, spinning_thread, spinner) == 0);
    struct smelt_rt_thread *running;
    while ((running = __atomic_load_n(&spinner->thread, __ATOMIC_SEQ_CST)) == NULL) { usleep(100); }
    return running;
}

static void finish(struct spinner *spinner, pthread_t thread) {
    while (__atomic_load_n(&spinner->ended, __ATOMIC_SEQ_CST) == 0) { usleep(100); }
    __atomic_store_n(&spinner->ended, 2, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
}

static void endless_guests_end_when_asked(void) {
    struct spinner spinner = {0};
    pthread_t thread;
    struct smelt_rt_thread *running = start(&spinner, &thread);
    while (__atomic_load_n(&spinner.ended, __ATOMIC_SEQ_CST) == 0) {
        CHECK(smelt_rt_interrupt(running) == 0);
        usleep(50);
    }
    finish(&spinner, thread);
    int interrupted = 0;
    for (int i = 0; i < RUNS; i++) { interrupted += spinner.traps[i] == SMELT_RT_TRAP_INTERRUPTED; }
    CHECK(interrupted == RUNS);
}

static void a_host_is_not_interrupted(void) {
    struct spinner spinner = {.waits_in_host = true};
    pthread_t thread;
    struct smelt_rt_thread *running = start(&spinner, &thread);
    while (__atomic_load_n(&spinner.in_host, __ATOMIC_SEQ_CST) == 0) { usleep(100); }
    for (int i = 0; i < 20; i++) {
        CHECK(smelt_rt_interrupt(running) == 0);
        usleep(100);
    }
    __atomic_store_n(&spinner.in_host, 2, __ATOMIC_SEQ_CST);
    finish(&spinner, thread);
    CHECK(spinner.traps[0] == SMELT_RT_TRAP_NONE);
}

static volatile sig_atomic_t foreign;

static void foreign_handler(int signal) { foreign = signal; }

/* Whoever sends this signal for reasons of his own reaches who was there before. */
static void signals_nobody_asked_for_are_handed_on(void) {
    smelt_rt_signals_uninstall();
    struct sigaction theirs = {.sa_handler = foreign_handler}, earlier;
    sigaction(SIGSEGV, &theirs, &earlier);
    CHECK(smelt_rt_signals_install() == 0);
    foreign = 0;
    pthread_kill(pthread_self(), SIGSEGV);
    CHECK(foreign == SIGSEGV);
    foreign = 0;
    CHECK(smelt_rt_interrupt(smelt_rt_thread_self()) == 0);
    CHECK(foreign == 0);
    pthread_kill(pthread_self(), SIGSEGV);
    CHECK(foreign == SIGSEGV);
    smelt_rt_signals_uninstall();
    sigaction(SIGSEGV, &earlier, NULL);
    CHECK(smelt_rt_interrupt(smelt_rt_thread_self()) == -1); /* nobody would take it */
    CHECK(smelt_rt_signals_install() == 0);
}

/* ---- The thread's own stack --------------------------------------------------------------------------*/

struct visit {
    uint64_t here, below, own;
    int depth, visits;
    context_t *context;
};

static void on_own(void *raw);

static int32_t visiting_import(void *host, context_t *context, uint32_t index, uint64_t *slots) {
    (void)context;
    (void)index;
    slots[0] = 7;
    smelt_rt_run_on_own_stack(on_own, host);
    CHECK(smelt_rt_on_big_stack());
    return 0;
}

static void on_big(void *raw) {
    struct visit *visit = raw;
    volatile uint8_t mark[4096];
    memset((void *)mark, visit->depth + 1, sizeof mark);
    CHECK(smelt_rt_on_big_stack());
    uint64_t arguments[3] = {0, 0, 0}, result;
    CHECK(smelt_rt_enter(visit->context, guest_call_import, arguments, &result) == SMELT_RT_TRAP_NONE);
    CHECK(result == 7 && load8(visit->context, 65536, &result) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
    for (size_t i = 0; i < sizeof mark; i++) {
        if (mark[i] != mark[0]) { CHECK(false); }
    }
}

static void on_own(void *raw) {
    struct visit *visit = raw;
    volatile uint8_t mark[4096];
    memset((void *)mark, 0x80 + visit->depth, sizeof mark);
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    CHECK(!smelt_rt_on_big_stack() && here < visit->own && visit->own - here < (1 << 20));
    visit->visits++;
    /* Applies a message of its own: it gets another big stack. */
    if (visit->depth < 3) {
        visit->depth++;
        CHECK(smelt_rt_run_on_stack(on_big, visit) == 0);
        visit->depth--;
        CHECK(!smelt_rt_on_big_stack());
    }
    for (size_t i = 0; i < sizeof mark; i++) {
        if (mark[i] != mark[0]) { CHECK(false); }
    }
}

static void calls_go_back_to_the_threads_stack(void) {
    struct smelt_module_descriptor module = guest_module();
    struct visit visit = {.own = (uint64_t)__builtin_frame_address(0)};
    struct smelt_rt_options options = guest_options();
    options.host = &visit;
    options.host_import = visiting_import;
    visit.context = guest_instance(&module, &options);
    for (int i = 0; i < 3; i++) { CHECK(smelt_rt_run_on_stack(on_big, &visit) == 0); }
    CHECK(visit.visits == 3 * 4);
    smelt_rt_run_on_own_stack(on_own, &visit); /* from there it just calls */
    CHECK(visit.visits == 3 * 4 + 4);
    smelt_rt_instance_destroy(visit.context);
}

void test_interrupt(void) {
    calls_go_back_to_the_threads_stack();
    endless_guests_end_when_asked();
    a_host_is_not_interrupted();
    signals_nobody_asked_for_are_handed_on();
}
