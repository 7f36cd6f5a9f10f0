#include <getopt.h>

/* getopt_long keeps its state in globals, which Swift rightly refuses to touch: one step, state handed out. */
struct getopt_step {
    int code;              /* what getopt_long returned */
    int next;              /* optind: index of the next argument */
    const char *argument;  /* optarg, or NULL */
};

static inline struct getopt_step getopt_begin(void) {
    optind = 0; /* glibc: start anew */
    opterr = 0;
    struct getopt_step step = {0, 1, 0};
    return step;
}

static inline struct getopt_step getopt_next(int count, char *const *arguments, const char *shorts,
                                             const struct option *longs) {
    optarg = 0;
    struct getopt_step step;
    step.code = getopt_long(count, arguments, shorts, longs, 0);
    step.next = optind;
    step.argument = optarg;
    return step;
}
