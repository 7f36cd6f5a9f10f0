/* Functions of glibc that Swift's Glibc module leaves out: it is imported without _GNU_SOURCE, and variadic functions
 * cannot be called from Swift. */
#ifndef SMELT_CLINUX_H
#define SMELT_CLINUX_H

#include <malloc.h>
#include <spawn.h>

extern int memfd_create(const char *name, unsigned int flags);
extern int malloc_trim(size_t pad);
extern int pipe2(int descriptors[2], int flags);
extern int prctl(int option, ...);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

/* The process is killed when its parent ends. */
static inline int smelt_die_with_parent(void) {
    return prctl(1 /* PR_SET_PDEATHSIG */, 9L /* SIGKILL */, 0L, 0L, 0L);
}

#endif
