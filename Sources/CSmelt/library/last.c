/* last.c: the initialiser that runs behind all others of the library, since the linker is handed it last. */
extern void smelt_put_signals_back(void);

__attribute__((constructor)) static void last(void) { smelt_put_signals_back(); }
