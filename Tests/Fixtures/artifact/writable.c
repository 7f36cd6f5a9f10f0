/* Against the rules: a variable that stays writable. */
#include "module.c"
static int counter = 1;
__attribute__((used)) static int count(void) { return counter++; }
