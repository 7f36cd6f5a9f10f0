/* What the C interface does with bad input, with callbacks that fail, and with an embedder who wants an end.
 *
 * usage: failures OBJECTS CASES    (both bounds modes of the samples in OBJECTS; CASES: the samples, unpacked) */
#define NO_MAIN
#include "../../docs/examples/replay.c"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int checks, wrong;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(condition)) {                                                                                            \
            wrong++;                                                                                                   \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                  \
        }                                                                                                              \
    } while (0)

static smelt_engine *checking;
static char relay_path[4096];

/* Whether the call failed with this status and an error that says `text`; frees it. */
static int fails(int32_t status, int32_t wanted, smelt_error **error, const char *text) {
    int right = status == wanted && *error != NULL && smelt_error_status(*error) == wanted &&
                strstr(smelt_error_text(*error), text) != NULL;
    if (!right) { fprintf(stderr, "status %d: %s\n", status, *error ? smelt_error_text(*error) : "no error"); }
    smelt_error_free(*error);
    *error = NULL;
    return right;
}

/* ---- A session whose callbacks can be told to fail ------------------------------------------------------------------ */

struct rig {
    struct replay replay; /* first: the context of its callbacks */
    smelt_store *store;
    smelt_session *session;
    int gets, failing_get, puts_fail;
    int32_t failure;
};

static int32_t counted_get(void *context, smelt_bytes cid, smelt_buffer *block) {
    struct rig *rig = context;
    return ++rig->gets == rig->failing_get ? rig->failure : get(&rig->replay, cid, block);
}

static int32_t failing_put(void *context, const smelt_block *blocks, size_t count) {
    struct rig *rig = context;
    return rig->puts_fail ? -40 : put(&rig->replay, blocks, count);
}

static void set_up(struct rig *rig, smelt_engine *with, const char *path) {
    *rig = (struct rig){.failing_get = -1};
    read_replay(&rig->replay, &shared, path);
    smelt_store_callbacks callbacks = store_callbacks(&rig->replay);
    callbacks.context = rig;
    callbacks.get = counted_get;
    callbacks.has = NULL;
    callbacks.put = failing_put;
    smelt_error *error;
    CHECK(smelt_store_new(&callbacks, &rig->store, &error) == SMELT_OK);
    CHECK(smelt_session_new(with, rig->store, NULL, &rig->session, &error) == SMELT_OK);
}

static int32_t begin(struct rig *rig, smelt_error **error) {
    smelt_outside outside = outside_world(&rig->replay);
    return smelt_session_begin(rig->session, &rig->replay.epoch, &outside, error);
}

static int32_t apply(struct rig *rig, int index, smelt_receipt *receipt, smelt_error **error) {
    struct message *message = &rig->replay.messages[index];
    smelt_result *result;
    int32_t status = smelt_session_apply(rig->session, message->bytes, message->chain_length, message->kind, &result,
                                         error);
    receipt->size = sizeof *receipt;
    if (status == SMELT_OK) { smelt_result_receipt(result, receipt); }
    smelt_result_free(result);
    return status;
}

static void tear_down(struct rig *rig) {
    smelt_store_free(rig->store);
    CHECK(rig->replay.finalized == 0); /* the session keeps it */
    smelt_session_free(rig->session);
    CHECK(rig->replay.finalized == 1);
    free_replay(&rig->replay);
}

/* ---- Misuse ----------------------------------------------------------------------------------------------------------- */

static void misuse_is_told(void) {
    smelt_error *error;
    smelt_engine *made;
    smelt_engine_options options = {0};
    CHECK(fails(smelt_engine_new(&options, &made, &error), SMELT_MISUSE, &error, "SMELT_INIT"));
    CHECK(fails(smelt_engine_new(NULL, &made, &error), SMELT_MISUSE, &error, "options is NULL"));
    SMELT_INIT(options);
    CHECK(fails(smelt_engine_new(&options, NULL, &error), SMELT_MISUSE, &error, "engine is NULL"));
    options.cpu_level = 4;
    CHECK(fails(smelt_engine_new(&options, &made, &error), SMELT_MISUSE, &error, "CPU level 4"));
    CHECK(smelt_engine_new(&options, &made, NULL) == SMELT_MISUSE); /* nobody wants to know why */
    smelt_bytes junk = {(const uint8_t *)"\x7f" "ELF is not enough", 18};
    CHECK(fails(smelt_engine_add_object(engine, junk, &error), SMELT_BAD_OBJECT, &error, ""));
    smelt_store *store;
    smelt_store_callbacks callbacks;
    SMELT_INIT(callbacks);
    CHECK(fails(smelt_store_new(&callbacks, &store, &error), SMELT_MISUSE, &error, "callbacks.get is NULL"));
    const char *paths[] = {"/nowhere/chain.car"};
    CHECK(fails(smelt_store_open(paths, 1, &store, &error), SMELT_BAD_STATE, &error, "/nowhere/chain.car"));

    struct rig rig;
    smelt_receipt receipt;
    set_up(&rig, engine, relay_path);
    CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_MISUSE, &error, "no epoch"));
    uint32_t version = rig.replay.epoch.network_version;
    rig.replay.epoch.network_version = 3;
    CHECK(fails(begin(&rig, &error), SMELT_MISUSE, &error, "network_version"));
    rig.replay.epoch.network_version = version;
    smelt_bytes root = rig.replay.epoch.state_root;
    rig.replay.epoch.state_root.length = 5;
    CHECK(fails(begin(&rig, &error), SMELT_MISUSE, &error, "state_root"));
    uint8_t other[64];
    memcpy(other, root.data, root.length);
    other[root.length - 1] ^= 1;
    rig.replay.epoch.state_root = (smelt_bytes){other, root.length};
    CHECK(fails(begin(&rig, &error), SMELT_BAD_STATE, &error, "missing"));
    rig.replay.epoch.state_root = root;
    CHECK(begin(&rig, &error) == SMELT_OK);
    struct message *message = &rig.replay.messages[0];
    message->bytes.length--;
    CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_MISUSE, &error, "not a message"));
    message->bytes.length++;
    message->kind = 7;
    CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_MISUSE, &error, "kind 7"));
    message->kind = 0;
    CHECK(apply(&rig, 0, &receipt, &error) == SMELT_OK && receipt.gas_used == message->gas_used); /* it went on */
    tear_down(&rig);
    smelt_engine_free(NULL);
    smelt_store_free(NULL);
    smelt_session_free(NULL);
    smelt_result_free(NULL);
    smelt_error_free(NULL);
    smelt_buffer_free(NULL);
}

/* ---- Failures of the host ---------------------------------------------------------------------------------------------- */

/* Whichever read fails, no message has a receipt that differs, and the session is of no use any more. */
static void a_read_that_fails_is_never_a_receipt(void) {
    struct rig rig;
    smelt_error *error = NULL;
    smelt_receipt receipt;
    int faults = 0;
    set_up(&rig, engine, relay_path);
    CHECK(run(&rig.replay, rig.session) == 0);
    int reads = rig.gets;
    tear_down(&rig);
    for (int failing = 1; failing <= reads; failing++) {
        set_up(&rig, engine, relay_path);
        rig.failing_get = failing;
        rig.failure = -40;
        int32_t status = begin(&rig, &error);
        for (int i = 0; i < rig.replay.message_count && status == SMELT_OK; i++) {
            status = apply(&rig, i, &receipt, &error);
            if (status == SMELT_OK) {
                CHECK(receipt.gas_used == rig.replay.messages[i].gas_used &&
                      receipt.exit_code == rig.replay.messages[i].exit_code);
            }
        }
        if (status != SMELT_OK) {
            faults++;
            CHECK(fails(status, SMELT_HOST_FAULT, &error, "-40"));
            CHECK(fails(begin(&rig, &error), SMELT_POISONED, &error, "-40"));
            CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_POISONED, &error, "-40"));
        }
        tear_down(&rig);
    }
    if (faults != reads || reads < 5) { fprintf(stderr, "%d faults of %d reads\n", faults, reads); }
    CHECK(faults == reads && reads >= 5);
}

static void a_write_that_fails_loses_nothing(void) {
    struct rig rig;
    smelt_error *error;
    smelt_receipt receipt;
    set_up(&rig, engine, relay_path);
    CHECK(begin(&rig, &error) == SMELT_OK && apply(&rig, 0, &receipt, &error) == SMELT_OK);
    rig.puts_fail = 1;
    smelt_buffer *root = smelt_buffer_new();
    CHECK(fails(smelt_session_flush(rig.session, root, &error), SMELT_HOST_FAULT, &error, "put failed with -40"));
    CHECK(smelt_buffer_bytes(root).length == 0);
    rig.puts_fail = 0;
    CHECK(fails(smelt_session_flush(rig.session, root, &error), SMELT_POISONED, &error, "-40"));
    smelt_buffer_free(root);
    tear_down(&rig);
}

static void missing_code_is_named(void) {
    smelt_engine_options options;
    SMELT_INIT(options);
    smelt_engine *empty;
    smelt_error *error;
    smelt_receipt receipt;
    struct rig rig;
    CHECK(smelt_engine_new(&options, &empty, &error) == SMELT_OK);
    set_up(&rig, empty, relay_path);
    smelt_engine_free(empty); /* the session keeps it */
    CHECK(begin(&rig, &error) == SMELT_OK);
    CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_HOST_FAULT, &error, "code bafk"));
    tear_down(&rig);
}

/* ---- An end from outside ------------------------------------------------------------------------------------------------ */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *interrupt_soon(void *session) {
    struct timespec soon = {.tv_nsec = 50000000};
    nanosleep(&soon, NULL);
    smelt_session_interrupt(session);
    return NULL;
}

/* Of the relay's messages, the one that goes round until its gas ends; with a limit that it does not reach in years.
 * Its own stands in it as it is used up: a head of 1a and four bytes, or of 1b and eight. */
static int endless(struct replay *replay, uint8_t *room) {
    for (int i = 0; i < replay->message_count; i++) {
        struct message *message = &replay->messages[i];
        if (message->exit_code != 7) { continue; }
        for (size_t at = 0; at + 9 < message->bytes.length; at++) {
            size_t width = message->bytes.data[at] == 0x1a ? 4 : message->bytes.data[at] == 0x1b ? 8 : 0;
            uint64_t value = 0;
            for (size_t j = 1; j <= width; j++) { value = value << 8 | message->bytes.data[at + j]; }
            if (width == 0 || value != message->gas_used) { continue; }
            memcpy(room, message->bytes.data, at);
            memcpy(room + at, "\x1b\x3f\xff\xff\xff\xff\xff\xff\xff", 9);
            memcpy(room + at + 9, message->bytes.data + at + 1 + width, message->bytes.length - at - 1 - width);
            message->bytes = (smelt_bytes){room, message->bytes.length - width + 8};
            message->kind = SMELT_IMPLICIT; /* which is not paid for */
            return i;
        }
    }
    return -1;
}

static void a_message_ends_when_asked(void) {
    struct rig rig;
    smelt_error *error;
    smelt_receipt receipt;
    set_up(&rig, engine, relay_path);
    uint8_t room[1024];
    struct message untouched[64];
    memcpy(untouched, rig.replay.messages, sizeof untouched);
    int message = endless(&rig.replay, room);
    CHECK(message >= 0);
    if (message < 0) { return; }
    for (int round = 0; round < 3; round++) {
        CHECK(begin(&rig, &error) == SMELT_OK);
        for (int i = 0; i < message; i++) { CHECK(apply(&rig, i, &receipt, &error) == SMELT_OK); }
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, interrupt_soon, rig.session) == 0);
        double start = seconds();
        CHECK(fails(apply(&rig, message, &receipt, &error), SMELT_INTERRUPTED, &error, "interrupted"));
        CHECK(seconds() - start < 1.5);
        pthread_join(thread, NULL);
        CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_MISUSE, &error, "no epoch"));
    }
    /* The next epoch is as if nothing had been. */
    memcpy(rig.replay.messages, untouched, sizeof untouched);
    CHECK(run(&rig.replay, rig.session) == 0);
    tear_down(&rig);
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------- */

static void simulations_leave_the_state_alone(void) {
    struct rig rig;
    smelt_error *error;
    set_up(&rig, engine, relay_path);
    rig.replay.epoch.tracing = 1;
    CHECK(begin(&rig, &error) == SMELT_OK);
    struct message *message = &rig.replay.messages[0];
    for (int i = 0; i < 3; i++) {
        smelt_result *result;
        CHECK(smelt_session_simulate(rig.session, message->bytes, message->chain_length, 0, &result, &error) == SMELT_OK);
        smelt_receipt receipt;
        SMELT_INIT(receipt);
        CHECK(smelt_result_receipt(result, &receipt) == SMELT_OK && receipt.gas_used == message->gas_used);
        smelt_bytes trace = smelt_result_trace(result);
        CHECK(trace.length > 100 && trace.data[0] == 0x87); /* a list of seven */
        CHECK(smelt_result_failure(result).length == 0 && smelt_result_events(result).length == 0);
        /* An older header's structure has fewer fields: no more are filled. */
        smelt_receipt small = {.size = 16, .gas_used = 1};
        CHECK(smelt_result_receipt(result, &small) == SMELT_OK && small.gas_used == 1 && small.size == 16);
        smelt_result_free(result);
    }
    uint64_t limit = 0, id = 0;
    CHECK(smelt_session_estimate(rig.session, message->bytes, message->chain_length, 0, 0, &limit, &error) == SMELT_OK);
    CHECK(limit >= message->gas_used);
    smelt_buffer *buffer = smelt_buffer_new();
    CHECK(smelt_session_flush(rig.session, buffer, &error) == SMELT_OK);
    CHECK(equal(smelt_buffer_bytes(buffer), rig.replay.epoch.state_root));
    const uint8_t init[] = {0, 1}, nobody[] = {0, 0x88, 0x27};
    CHECK(smelt_session_actor(rig.session, (smelt_bytes){init, 2}, &id, buffer, &error) == SMELT_OK && id == 1);
    CHECK(smelt_buffer_bytes(buffer).data[0] == 0x85); /* a list of five */
    CHECK(fails(smelt_session_actor(rig.session, (smelt_bytes){nobody, 3}, &id, buffer, &error), SMELT_NOT_FOUND, &error,
                "f05000"));
    smelt_buffer_free(buffer);
    CHECK(run(&rig.replay, rig.session) == 0);
    tear_down(&rig);
}

/* A callback may use another session: its guests get a stack of their own. */
struct nested {
    struct rig rig; /* first */
    int depth, runs;
};

static int32_t nested_randomness_get(void *context, smelt_bytes cid, smelt_buffer *block) {
    struct nested *nested = context;
    if (nested->depth == 0 && nested->runs < 3) {
        nested->depth++;
        nested->runs++;
        CHECK(replay_case(engine, &shared, relay_path) == 0);
        nested->depth--;
    }
    return get(&nested->rig.replay, cid, block);
}

static void callbacks_may_use_other_sessions(void) {
    struct nested nested = {0};
    read_replay(&nested.rig.replay, &shared, relay_path);
    smelt_store_callbacks callbacks = store_callbacks(&nested.rig.replay);
    callbacks.context = &nested;
    callbacks.get = nested_randomness_get;
    callbacks.has = NULL;
    callbacks.put = failing_put;
    smelt_error *error;
    CHECK(smelt_store_new(&callbacks, &nested.rig.store, &error) == SMELT_OK);
    CHECK(smelt_session_new(engine, nested.rig.store, NULL, &nested.rig.session, &error) == SMELT_OK);
    CHECK(run(&nested.rig.replay, nested.rig.session) == 0 && nested.runs == 3);
    tear_down(&nested.rig);
}

/* ---- Signals ---------------------------------------------------------------------------------------------------------------- */

/* A signal may be ignored from the program's start, as under nohup. */
static int has_no_handler(int signal) {
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
}

static int no_handlers(void) {
    int all = 1;
    for (int signal = 1; signal < 32; signal++) {
        all = all && (signal == SIGKILL || signal == SIGSTOP || has_no_handler(signal));
    }
    stack_t stack;
    return all && sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE);
}

static volatile sig_atomic_t foreign;
static void foreign_handler(int signal) { foreign = signal; }

/* Before anything was loaded with guard pages. */
static void code_that_checks_needs_no_handlers(void) {
    CHECK(no_handlers());
    CHECK(replay_case(checking, &shared, relay_path) == 0);
    CHECK(no_handlers());
}

static void guard_pages_without_handlers_are_refused(const char *objects) {
    smelt_engine_options options;
    SMELT_INIT(options);
    options.store_directory = objects;
    options.no_signals = 1;
    smelt_engine *silent;
    smelt_error *error;
    smelt_receipt receipt;
    struct rig rig;
    CHECK(smelt_engine_new(&options, &silent, &error) == SMELT_OK);
    set_up(&rig, silent, relay_path);
    CHECK(begin(&rig, &error) == SMELT_OK);
    CHECK(fails(apply(&rig, 0, &receipt, &error), SMELT_HOST_FAULT, &error, "guard pages"));
    tear_down(&rig);
    smelt_engine_free(silent);
    CHECK(no_handlers());
}

/* What is no guest's goes to the handler that was there first. */
static void other_faults_go_on(void) {
    struct sigaction theirs = {.sa_handler = foreign_handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &theirs, NULL);
    CHECK(replay_case(engine, &shared, relay_path) == 0); /* installs ours above it; the relay traps by fault */
    raise(SIGSEGV);
    CHECK(foreign == SIGSEGV);
}

/* ---- Archives --------------------------------------------------------------------------------------------------------- */

static const uint8_t word_cid[] = {1, 0x55, 0, 3, 'a', 'b', 'c'}; /* raw; an identity: it has its block in it */

/* A plain archive of more than 32 MiB, which is not read whole: a block of three bytes, then 33 of a MiB that nobody
 * reads, so that what their CIDs say does not matter. */
static void write_large_archive(const char *path) {
    static const uint8_t header[] = {0xa2, 0x65, 'r', 'o', 'o', 't', 's', 0x81, 0xd8, 0x2a, 0x48, 0, 1, 0x55, 0, 3, 'a', 'b',
                                     'c', 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 1};
    static uint8_t block[38 + (1 << 20)] = {1, 0x55, 0xa0, 0xe4, 2, 32};
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    fputc(sizeof header, file);
    fwrite(header, 1, sizeof header, file);
    fputc(sizeof word_cid + 3, file);
    fwrite(word_cid, 1, sizeof word_cid, file);
    fwrite("abc", 1, 3, file);
    for (int i = 0; i < 33; i++) {
        block[6] = (uint8_t)i;
        const uint8_t length[3] = {0xa6, 0x80, 0x40}; /* of a block, in groups of seven bits */
        fwrite(length, 1, sizeof length, file);
        fwrite(block, 1, sizeof block, file);
    }
    CHECK(fclose(file) == 0);
}

static int has_index(const char *directory) {
    char command[4200];
    snprintf(command, sizeof command, "test \"$(ls '%s' 2> /dev/null | grep -c 'car.index$')\" = 1", directory);
    return system(command) == 0;
}

static void an_index_lies_where_the_embedder_says(void) {
    char folder[] = "/tmp/smelt-archives-XXXXXX", path[64], cache[64], other[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/large.car", folder);
    snprintf(cache, sizeof cache, "%s/deep/cache", folder);
    snprintf(other, sizeof other, "%s/environment", folder);
    write_large_archive(path);
    const char *paths[] = {path};
    smelt_error *error;
    smelt_store *store;
    smelt_archive_options options = {0};
    CHECK(fails(smelt_store_open_archives(paths, 1, &options, &store, &error), SMELT_MISUSE, &error, "SMELT_INIT"));
    SMELT_INIT(options);
    options.cache_directory = "";
    CHECK(fails(smelt_store_open_archives(paths, 1, &options, &store, &error), SMELT_MISUSE, &error, "cache_directory"));

    /* Of the environment nothing is needed then. */
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    options.cache_directory = cache;
    CHECK(smelt_store_open_archives(paths, 1, &options, &store, &error) == SMELT_OK && has_index(cache));
    smelt_buffer *buffer = smelt_buffer_new();
    smelt_bytes word = {word_cid, sizeof word_cid};
    CHECK(smelt_store_get(store, word, buffer, &error) == SMELT_OK);
    smelt_bytes got = smelt_buffer_bytes(buffer);
    CHECK(got.length == 3 && memcmp(got.data, "abc", 3) == 0);
    smelt_store_free(store);

    options.cache_directory = NULL;
    CHECK(fails(smelt_store_open_archives(paths, 1, &options, &store, &error), SMELT_HOST_FAULT, &error,
                "no cache directory"));
    setenv("XDG_CACHE_HOME", other, 1);
    CHECK(smelt_store_open_archives(paths, 1, NULL, &store, &error) == SMELT_OK);
    smelt_store_free(store);
    strcat(other, "/smelt/archives");
    CHECK(has_index(other));

    /* A place where nothing can be made. */
    options.cache_directory = path;
    CHECK(fails(smelt_store_open_archives(paths, 1, &options, &store, &error), SMELT_HOST_FAULT, &error, path));
    smelt_buffer_free(buffer);
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK(system(command) == 0);
}

int main(int argc, char **argv) {
    if (argc != 3) { return 64; }
    snprintf(relay_path, sizeof relay_path, "%s/relay.case", argv[2]);
    smelt_engine_options options;
    SMELT_INIT(options);
    options.store_directory = argv[1];
    smelt_error *error;
    CHECK(smelt_engine_new(&options, &engine, &error) == SMELT_OK);
    options.bounds = SMELT_BOUNDS_CHECKS;
    options.no_signals = 1;
    CHECK(smelt_engine_new(&options, &checking, &error) == SMELT_OK);
    CHECK(smelt_interface_version() == (SMELT_MAJOR << 16 | SMELT_MINOR));

    code_that_checks_needs_no_handlers();
    guard_pages_without_handlers_are_refused(argv[1]);
    other_faults_go_on();
    misuse_is_told();
    a_read_that_fails_is_never_a_receipt();
    a_write_that_fails_loses_nothing();
    missing_code_is_named();
    a_message_ends_when_asked();
    simulations_leave_the_state_alone();
    callbacks_may_use_other_sessions();
    an_index_lies_where_the_embedder_says();

    smelt_engine_free(engine);
    smelt_engine_free(checking);
    printf("%d checks, %d failed\n", checks, wrong);
    return wrong == 0 ? 0 : 1;
}
