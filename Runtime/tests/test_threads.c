/* Threads that trap while code comes and goes. */
#include "guest.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

enum { THREADS = 8, ROUNDS = 1500 };

static void work(void *number) {
    struct smelt_module_descriptor module = guest_module();
    struct smelt_rt_options options = guest_options();
    uint64_t seed = *(uint64_t *)number + 1, value;
    context_t *context = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        if (context == NULL) {
            module.memory_minimum = (uint32_t)(next_random(&seed) % 4);
            context = guest_instance(&module, &options);
        }
        uint64_t size = context->memory_bytes, trap = 1 + next_random(&seed) % 12;
        CHECK(load8(context, size + next_random(&seed) % 1000, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
        CHECK(smelt_rt_enter(context, guest_raise, &trap, NULL) == (int32_t)trap);
        if (size > 0) {
            CHECK(load8(context, size - 1, &value) == 0 && (value == 0 || value == 1));
            context->memory_base[size - 1] = 1;
        }
        if (i % 16 == 0) {
            smelt_rt_instance_destroy(context);
            context = NULL;
        }
    }
    smelt_rt_instance_destroy(context);
}

static void *thread_main(void *number) {
    if (*(uint64_t *)number % 2 == 0) {
        work(number);
    } else {
        CHECK(smelt_rt_run_on_stack(work, number) == 0);
    }
    return NULL;
}

static volatile int stop;

/* Registers and removes made-up text around the guests' all the time. */
static void *loader_main(void *unused) {
    (void)unused;
    enum { MODULES = 32 };
    static struct smelt_module_descriptor modules[MODULES];
    uint8_t *space = mmap(NULL, MODULES * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (int i = 0; i < MODULES; i++) {
            modules[i] = guest_module();
            modules[i].text_start = space + i * 4096;
            modules[i].text_end = space + i * 4096 + 4096;
            CHECK(smelt_rt_code_register(&modules[i]) == SMELT_RT_OK);
        }
        CHECK(smelt_rt_code_register(&modules[5]) == SMELT_RT_BAD_OBJECT); /* twice the same text */
        for (int i = 0; i < MODULES; i++) { smelt_rt_code_unregister(&modules[(i * 7) % MODULES]); }
    }
    munmap(space, MODULES * 4096);
    return NULL;
}

static void ignore(int signal) { (void)signal; }

void test_threads(void) {
    /* A profiler's timer and a scheduler's wake-ups, as other runtimes in the process have them. */
    struct sigaction timer = {.sa_handler = ignore, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigaction(SIGPROF, &timer, NULL);
    struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_PROF, &every, NULL);
    pthread_t threads[THREADS], loader;
    uint64_t numbers[THREADS];
    CHECK(pthread_create(&loader, NULL, loader_main, NULL) == 0);
    for (uint64_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, thread_main, &numbers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) { pthread_join(threads[i], NULL); }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(loader, NULL);
    setitimer(ITIMER_PROF, &never, NULL);
}
