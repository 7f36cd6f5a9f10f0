/* memory_linux.c: guard-page memories and their pool. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RESERVATION (SMELT_RT_SLOT_BEFORE + SMELT_RT_SLOT_SPAN + SMELT_RT_SLOT_AFTER)
/* Free memories kept: as many as the deepest call chain of the FVM. Beyond, the reservation is unmapped. */
#define POOL_MAXIMUM 1024
/* Of these, how many may keep pages, and how many bytes each: 32 MiB at most. Writing zeros over a page that is in
 * memory takes a fiftieth to a hundredth of the fault that brings one in: for an actor of 18 pages and 79 KB of data an
 * instance costs 7 us this way and 60 us when its pages are given back (Runtime/tests/bench.c). */
#define POOL_RESIDENT 32
#define RESIDENT_MAXIMUM (UINT64_C(1) << 20)
/* Above this size looking for touched pages costs more than it saves. */
#define SCAN_MAXIMUM (UINT64_C(32) << 20)
#define SYSTEM_PAGE UINT64_C(4096)

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct smelt_rt_slot *pool; /* last given back first: its pages are in the caches */
static uint32_t pool_count;

static _Atomic int pagemap = -1;
static _Atomic pid_t pagemap_owner;

/* The file tells the pages of the process that opened it: after a fork it must be opened again. */
static int pagemap_file(void) {
    int file = atomic_load(&pagemap);
    if (file >= 0 && atomic_load(&pagemap_owner) == getpid()) { return file; }
    static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&opening);
    file = atomic_load(&pagemap);
    if (file < 0 || atomic_load(&pagemap_owner) != getpid()) {
        if (file >= 0) { close(file); }
        file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        atomic_store(&pagemap, file);
        atomic_store(&pagemap_owner, getpid());
    }
    pthread_mutex_unlock(&opening);
    return file;
}

/* Writes zeros over every page that was touched, which leaves it in memory for the next user. False, with
 * part of the work done, when there are too many or the kernel does not tell. */
static bool clear_touched(uint8_t *base, uint64_t bytes) {
    enum { BATCH = 512 };
    const uint64_t touched = UINT64_C(3) << 62; /* present or swapped (a page that is moving counts as swapped) */
    uint64_t entries[BATCH], resident = 0;
    if (bytes > SCAN_MAXIMUM) { return false; }
    int file = pagemap_file();
    if (file < 0) { return false; }
    for (uint64_t at = 0; at < bytes;) {
        uint64_t pages = (bytes - at) / SYSTEM_PAGE;
        if (pages > BATCH) { pages = BATCH; }
        off_t offset = (off_t)(((uint64_t)base + at) / SYSTEM_PAGE * 8);
        if (pread(file, entries, pages * 8, offset) != (ssize_t)(pages * 8)) { return false; }
        for (uint64_t i = 0; i < pages;) {
            if (!(entries[i] & touched)) {
                i++;
                continue;
            }
            uint64_t end = i + 1;
            while (end < pages && (entries[end] & touched)) { end++; }
            resident += (end - i) * SYSTEM_PAGE;
            if (resident > RESIDENT_MAXIMUM) { return false; }
            memset(base + at + i * SYSTEM_PAGE, 0, (end - i) * SYSTEM_PAGE);
            i = end;
        }
        at += pages * SYSTEM_PAGE;
    }
    return true;
}

static void unmap(struct smelt_rt_slot *slot) {
    munmap(slot->base - SMELT_RT_SLOT_BEFORE, RESERVATION);
    free(slot);
}

static struct smelt_rt_slot *map(void) {
    struct smelt_rt_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL) { return NULL; }
    uint8_t *start = mmap(NULL, RESERVATION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        free(slot);
        return NULL;
    }
    /* Guests touch a few KiB here and there; and what is not touched need not be cleared. */
    (void)madvise(start, RESERVATION, MADV_NOHUGEPAGE);
    slot->base = start + SMELT_RT_SLOT_BEFORE;
    return slot;
}

/* Makes exactly the first `bytes` accessible. */
static bool resize(struct smelt_rt_slot *slot, uint64_t bytes) {
    int failed = 0;
    if (bytes > slot->bytes) {
        failed = mprotect(slot->base + slot->bytes, bytes - slot->bytes, PROT_READ | PROT_WRITE);
    } else if (bytes < slot->bytes) {
        failed = mprotect(slot->base + bytes, slot->bytes - bytes, PROT_NONE);
    }
    if (failed == 0) { slot->bytes = bytes; }
    return failed == 0;
}

struct smelt_rt_slot *smelt_rt_slot_take(uint64_t bytes) {
    if (bytes > SMELT_RT_SLOT_SPAN || bytes % SMELT_RT_PAGE != 0) { return NULL; }
    pthread_mutex_lock(&pool_lock);
    struct smelt_rt_slot **link = &pool;
    /* One of the same size needs no system call: look at the first few. */
    for (int i = 0; i < 4 && *link != NULL && (*link)->bytes != bytes; i++) { link = &(*link)->next; }
    if (*link == NULL || (*link)->bytes != bytes) { link = &pool; }
    struct smelt_rt_slot *slot = *link;
    if (slot != NULL) {
        *link = slot->next;
        pool_count--;
    }
    pthread_mutex_unlock(&pool_lock);
    if (slot == NULL) { slot = map(); }
    if (slot == NULL) { return NULL; }
    if (!resize(slot, bytes)) {
        unmap(slot);
        return NULL;
    }
    slot->next = NULL;
    slot->users = NULL;
    slot->holds = 1;
    slot->declared_maximum = SMELT_RT_SLOT_SPAN;
    slot->has_maximum = false;
    return slot;
}

void *smelt_rt_slot_front(struct smelt_rt_slot *slot, uint64_t bytes) {
    uint8_t *front = slot->base - SMELT_RT_MEMORY_BEHIND_CONTEXT;
    uint64_t pages = (bytes + SYSTEM_PAGE - 1) & ~(SYSTEM_PAGE - 1);
    if (pages > slot->front_bytes) {
        if (mprotect(front, pages, PROT_READ | PROT_WRITE) != 0) { return NULL; }
        slot->front_bytes = pages;
    }
    memset(front, 0, bytes);
    return front;
}

int32_t smelt_rt_slot_grow(struct smelt_rt_slot *slot, uint64_t bytes) {
    if (bytes < slot->bytes || bytes > SMELT_RT_SLOT_SPAN || bytes % SMELT_RT_PAGE != 0) { return -1; }
    if (!resize(slot, bytes)) { return -1; }
    for (struct smelt_rt_instance *user = slot->users; user != NULL; user = user->next_user) {
        user->context.memory_bytes = bytes;
    }
    return 0;
}

void smelt_rt_slot_release(struct smelt_rt_slot *slot) {
    if (--slot->holds > 0) { return; }
    pthread_mutex_lock(&pool_lock);
    uint32_t waiting = pool_count;
    pthread_mutex_unlock(&pool_lock);
    bool keep = waiting < POOL_MAXIMUM;
    if (keep && !(waiting < POOL_RESIDENT && clear_touched(slot->base, slot->bytes))) {
        keep = slot->bytes == 0 || madvise(slot->base, slot->bytes, MADV_DONTNEED) == 0;
    }
    if (!keep) {
        unmap(slot);
        return;
    }
    pthread_mutex_lock(&pool_lock);
    slot->next = pool;
    pool = slot;
    pool_count++;
    pthread_mutex_unlock(&pool_lock);
}

uint8_t *smelt_rt_slot_base(const struct smelt_rt_slot *slot) { return slot->base; }

uint64_t smelt_rt_slot_bytes(const struct smelt_rt_slot *slot) { return slot->bytes; }

void smelt_rt_pool_trim(void) {
    pthread_mutex_lock(&pool_lock);
    struct smelt_rt_slot *slot = pool;
    pool = NULL;
    pool_count = 0;
    pthread_mutex_unlock(&pool_lock);
    while (slot != NULL) {
        struct smelt_rt_slot *next = slot->next;
        unmap(slot);
        slot = next;
    }
}
