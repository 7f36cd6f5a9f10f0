/* foreign_process.c: the Swift runtime inside this library has a handler of crashes, which it installs while it is
 * loaded, where it finds its helper program. In a process that is somebody else's it must not: what was there before the
 * library's initialisers is put back behind them.
 *
 * The first function runs before all initialisers of the library (of the priorities below 100 none are ours to use). The
 * second runs behind them: the linker is handed this object's section last (Scripts/build-library.sh). */
#include <signal.h>
#include <stddef.h>

static const int crashes[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
enum { CRASHES = sizeof crashes / sizeof crashes[0] };

static struct sigaction before[CRASHES];
static stack_t stack_before;

__attribute__((constructor(101))) static void remember(void) {
    for (int i = 0; i < CRASHES; i++) { sigaction(crashes[i], NULL, &before[i]); }
    sigaltstack(NULL, &stack_before);
}

__attribute__((visibility("hidden"))) void smelt_put_signals_back(void) {
    for (int i = 0; i < CRASHES; i++) {
        struct sigaction now;
        if (sigaction(crashes[i], NULL, &now) != 0 || now.sa_handler == before[i].sa_handler) { continue; }
        sigaction(crashes[i], &before[i], NULL);
    }
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp != stack_before.ss_sp) { sigaltstack(&stack_before, NULL); }
}
