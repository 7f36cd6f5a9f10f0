// Runs a kernel once, as `smelt run` does, and prints its checksum and the nanoseconds of processor time it took.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

long long run(int n);

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int main(int count, char **words) {
    if (count != 2) return fprintf(stderr, "usage: %s N\n", words[0]), 2;
    int64_t start = now();
    long long checksum = run(atoi(words[1]));
    printf("%lld %" PRId64 "\n", checksum, now() - start);
    return 0;
}
