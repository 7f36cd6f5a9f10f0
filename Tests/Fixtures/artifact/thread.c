/* Against the rules: thread-local storage. */
#include "module.c"
__attribute__((tls_model("initial-exec"))) static __thread int counter = 1;
__attribute__((used)) static int count(void) { return counter++; }
