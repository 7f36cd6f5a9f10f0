/* guest.h: tests in plain C. A "guest" is a C function that follows the conventions of compiled code: its text lies in
 * a section of its own, which the test registers, and it touches nothing but its context. */
#ifndef SMELT_RT_TEST_GUEST_H
#define SMELT_RT_TEST_GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "../include/smeltrt.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int checks_done, checks_failed;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        __atomic_add_fetch(&checks_done, 1, __ATOMIC_RELAXED);                                                         \
        if (!(condition)) {                                                                                            \
            __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);                                                   \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                  \
        }                                                                                                              \
    } while (0)

/* Sanitizers would add checks and calls that compiled code does not have. */
#define GUEST                                                                                                          \
    __attribute__((noinline, section("guest_text"), no_sanitize("address"), no_sanitize("undefined"),                  \
                   no_sanitize("thread")))
extern const uint8_t __start_guest_text[], __stop_guest_text[];

/* Keeps a call before it from becoming a jump, which would not tell where it came from. */
#define GUEST_END __asm__ volatile("")

typedef struct smelt_rt_context context_t;

/* A module of guests without anything; tests copy and change it. */
struct smelt_module_descriptor guest_module(void);
struct smelt_rt_options guest_options(void);
/* Checks that it worked. */
context_t *guest_instance(const struct smelt_module_descriptor *module, const struct smelt_rt_options *options);

/* Guests used by several tests. Arguments: address (added to the base, 64 bits), value. */
void guest_load8(context_t *context, uint64_t *arguments, uint64_t *results);
void guest_load64(context_t *context, uint64_t *arguments, uint64_t *results);
void guest_store64(context_t *context, uint64_t *arguments, uint64_t *results);
void guest_raise(context_t *context, uint64_t *arguments, uint64_t *results);
void guest_call_import(context_t *context, uint64_t *arguments, uint64_t *results);
void guest_grow(context_t *context, uint64_t *arguments, uint64_t *results);

static inline int32_t load8(context_t *context, uint64_t address, uint64_t *value) {
    return smelt_rt_enter(context, guest_load8, &address, value);
}

/* xorshift64*, so that failures repeat. */
static inline uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

void test_traps(void);
void test_memory(void);
void test_tables(void);
void test_sampler(void);
void test_signals(void);
void test_stack(void);
void test_threads(void);
void test_interrupt(void);
void test_loader(const char *const *objects, int count);

#endif
