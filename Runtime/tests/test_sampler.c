/* Samples tell where a thread is, carry the label of the moment, and leave nothing behind. */
#include "guest.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static uint64_t processor_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Two places that differ. */
__attribute__((noinline)) static void spin_here(uint64_t until) {
    while (processor_time() < until) { __asm__ volatile(""); }
}

__attribute__((noinline)) static uint64_t spin_there(uint64_t turns) {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < turns; i++) { sum += i; }
    return sum;
}

static volatile sig_atomic_t foreign;
static void foreign_handler(int signal) { foreign = signal; }

void test_sampler(void) {
    static struct smelt_rt_sample samples[4096];
    CHECK(smelt_rt_sampler_start(0, samples, 4096) == EINVAL);
    struct sigaction own = {.sa_handler = foreign_handler}, now;
    sigaction(SIGPROF, &own, NULL);

    CHECK(smelt_rt_sampler_start(200000, samples, 4096) == 0);
    CHECK(smelt_rt_sampler_start(200000, samples, 4096) == EBUSY);
    spin_here(processor_time() + 5000000);
    CHECK(smelt_rt_sampler_count() == 0);
    smelt_rt_sampler_label(7);
    spin_here(processor_time() + 30000000);
    uint32_t first = smelt_rt_sampler_count();
    smelt_rt_sampler_label(8);
    uint64_t end = processor_time() + 30000000;
    while (processor_time() < end) { spin_there(100000); }
    uint32_t all = smelt_rt_sampler_stop();
    CHECK(first > 5 && all > first + 5 && all <= 4096);
    uint32_t there = 0;
    for (uint32_t i = 0; i < all; i++) {
        CHECK(samples[i].pc != 0);
        CHECK(samples[i].label == (i < first ? 7 : 8) || i == first);
        there += samples[i].pc - (uint64_t)spin_there < 512;
    }
    /* The loop is where the time went: not in every build of the sanitizers, but never nowhere. */
    CHECK(there > 0);

    /* The handler from before is back, and nothing that was on its way came to it. */
    sigaction(SIGPROF, NULL, &now);
    CHECK(now.sa_handler == foreign_handler && foreign == 0);
    CHECK(smelt_rt_sampler_stop() == 0);

    /* A buffer that is full takes no more. */
    CHECK(smelt_rt_sampler_start(100000, samples, 3) == 0);
    smelt_rt_sampler_label(1);
    spin_here(processor_time() + 20000000);
    CHECK(smelt_rt_sampler_stop() == 3);
}
