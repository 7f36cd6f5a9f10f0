/* sampler_linux.c: where a thread is, again and again, for those who ask which functions take its time.
 *
 * The handler takes no lock and allocates nothing: it notes a number in a buffer that was there before. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch_x86_64.h"
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc before 2.40 has no name for it. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static _Atomic bool taken; /* there is one sampler at a time */
static struct smelt_rt_sample *_Atomic samples;
static uint32_t capacity;
static _Atomic uint32_t count;
static _Atomic uint64_t label;
static timer_t timer;
static struct sigaction previous;

static void handler(int signal, siginfo_t *info, void *raw) {
    (void)signal;
    struct smelt_rt_sample *buffer = atomic_load(&samples);
    uint32_t next = atomic_load_explicit(&count, memory_order_relaxed);
    uint64_t now = atomic_load_explicit(&label, memory_order_relaxed);
    if (info->si_code != SI_TIMER || buffer == NULL || now == 0 || next >= capacity) { return; }
    buffer[next].pc = arch_context_pc(raw);
    buffer[next].label = now;
    atomic_store_explicit(&count, next + 1, memory_order_relaxed);
}

int32_t smelt_rt_sampler_start(uint64_t nanoseconds, struct smelt_rt_sample *buffer, uint32_t room) {
    if (nanoseconds == 0) { return EINVAL; }
    bool expected = false;
    if (!atomic_compare_exchange_strong(&taken, &expected, true)) { return EBUSY; }
    capacity = room;
    atomic_store(&count, 0);
    atomic_store(&label, 0);
    atomic_store(&samples, buffer);
    struct sigaction ours = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&ours.sa_mask);
    if (sigaction(SIGPROF, &ours, &previous) != 0) {
        int32_t error = errno;
        atomic_store(&taken, false);
        return error;
    }
    /* The monotonic clock: timers of processor time go by the scheduler's tick, which is milliseconds. */
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    struct timespec interval = {
        .tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    struct itimerspec times = {.it_interval = interval, .it_value = interval};
    int32_t error = 0;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        error = errno;
    } else if (timer_settime(timer, 0, &times, NULL) != 0) {
        error = errno;
        timer_delete(timer);
    }
    if (error != 0) {
        sigaction(SIGPROF, &previous, NULL);
        atomic_store(&taken, false);
    }
    return error;
}

void smelt_rt_sampler_label(uint64_t value) { atomic_store_explicit(&label, value, memory_order_relaxed); }

uint32_t smelt_rt_sampler_count(void) { return atomic_load(&count); }

uint32_t smelt_rt_sampler_stop(void) {
    if (!atomic_load(&taken)) { return 0; }
    timer_delete(timer);
    atomic_store(&samples, NULL);
    /* What is on its way is dropped: the handler before may be the one that ends the process. */
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigaction(SIGPROF, &ignored, NULL);
    sigaction(SIGPROF, &previous, NULL);
    uint32_t result = atomic_load(&count);
    atomic_store(&taken, false);
    return result;
}
