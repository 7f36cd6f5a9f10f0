/* Against the rules: needs a symbol from elsewhere. */
#include "module.c"
int somewhere_else(void);
__attribute__((used)) static int call(void) { return somewhere_else(); }
