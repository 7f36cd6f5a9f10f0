/* Against the rules: a constructor. */
#include "module.c"
__attribute__((constructor)) static void run(void) { __asm__ volatile("nop"); }
