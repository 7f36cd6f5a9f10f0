/* Replays unpacked vectors (Scripts/unpack-vectors.py) through libsmelt.so with callbacks in C.
 *
 * usage: replay OBJECTS CASES [THREADS]    (OBJECTS: a directory that `smelt compile --store` has filled)
 * With THREADS, so many threads share the engine and each replays all cases. */
#include <ctype.h>
#include <glob.h>
#include <pthread.h>
#include <smelt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Blocks: a table by the last bytes of the CID, which are a hash already ----------------------------------------- */

struct block {
    uint8_t *cid, *data;
    uint32_t cid_length, length;
};
struct blocks {
    struct block *rows;
    size_t room, count;
    const struct blocks *shared;
};

static void *taken(size_t bytes) {
    void *memory = calloc(bytes ? bytes : 1, 1);
    if (memory == NULL) { abort(); }
    return memory;
}

static size_t place(const struct blocks *all, const uint8_t *cid, size_t length) {
    uint64_t hash = 0;
    memcpy(&hash, cid + (length > 8 ? length - 8 : 0), length > 8 ? 8 : length);
    size_t at = hash % all->room;
    while (all->rows[at].cid != NULL &&
           (all->rows[at].cid_length != length || memcmp(all->rows[at].cid, cid, length) != 0)) {
        at = (at + 1) % all->room;
    }
    return at;
}

static void add(struct blocks *all, const uint8_t *cid, uint32_t cid_length, const uint8_t *data, uint32_t length) {
    if (all->count * 2 >= all->room) {
        struct blocks larger = {.room = all->room ? all->room * 2 : 1024, .count = all->count, .shared = all->shared};
        larger.rows = taken(larger.room * sizeof *larger.rows);
        for (size_t i = 0; i < all->room; i++) {
            if (all->rows[i].cid) { larger.rows[place(&larger, all->rows[i].cid, all->rows[i].cid_length)] = all->rows[i]; }
        }
        free(all->rows);
        *all = larger;
    }
    struct block *row = &all->rows[place(all, cid, cid_length)];
    if (row->cid != NULL) { return; }
    *row = (struct block){taken(cid_length), taken(length), cid_length, length};
    memcpy(row->cid, cid, cid_length);
    memcpy(row->data, data, length);
    all->count++;
}

static const struct block *find(const struct blocks *all, smelt_bytes cid) {
    for (; all != NULL; all = all->shared) {
        if (all->room == 0) { continue; }
        const struct block *row = &all->rows[place(all, cid.data, cid.length)];
        if (row->cid != NULL) { return row; }
    }
    return NULL;
}

static void drop(struct blocks *all) {
    for (size_t i = 0; i < all->room; i++) {
        free(all->rows[i].cid);
        free(all->rows[i].data);
    }
    free(all->rows);
}

static uint8_t *contents(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = taken(*length + 1);
    if (fread(data, 1, *length, file) != *length) { abort(); }
    fclose(file);
    return data;
}

static void read_blocks(struct blocks *all, const char *path) {
    size_t length, at = 0;
    uint8_t *data = contents(path, &length);
    while (at + 8 <= length) {
        uint32_t sizes[2];
        memcpy(&sizes[0], data + at, 4);
        const uint8_t *cid = data + at + 4;
        memcpy(&sizes[1], cid + sizes[0], 4);
        const uint8_t *block = cid + sizes[0] + 4;
        add(all, cid, sizes[0], block, sizes[1]);
        at = (size_t)(block + sizes[1] - data);
    }
    free(data);
}

/* ---- A case and its callbacks ------------------------------------------------------------------------------------- */

struct answer {
    char source;
    int64_t epoch;
    uint8_t digest[32];
};
struct message {
    smelt_bytes bytes, returned;
    uint64_t chain_length, gas_used;
    int32_t kind;
    uint32_t exit_code;
};
struct replay {
    const char *path;
    struct blocks blocks;
    smelt_epoch epoch;
    smelt_bytes final_root;
    struct answer answers[64];
    struct message messages[64];
    int answer_count, message_count, finalized;
    uint8_t *memory; /* of all bytes above */
};

static smelt_bytes unhex(const char *text, uint8_t **next) {
    smelt_bytes bytes = {*next, 0};
    for (; isxdigit(text[0]) && isxdigit(text[1]); text += 2) {
        char digits[3] = {text[0], text[1], 0};
        (*next)[bytes.length++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    *next += bytes.length;
    return bytes;
}

static void read_line(struct replay *replay, char *line, uint8_t **next) {
    char *rest, *name = strtok_r(line, " ", &rest), *at = rest;
    smelt_epoch *epoch = &replay->epoch;
    if (strcmp(name, "network_version") == 0) { epoch->network_version = (uint32_t)strtoul(at, NULL, 10); }
    if (strcmp(name, "epoch") == 0) { epoch->epoch = strtoll(at, NULL, 10); }
    if (strcmp(name, "timestamp") == 0) { epoch->timestamp = strtoull(at, NULL, 10); }
    if (strcmp(name, "chain_id") == 0) { epoch->chain_id = strtoull(at, NULL, 10); }
    smelt_amount *amount = strcmp(name, "base_fee") == 0             ? &epoch->base_fee
                           : strcmp(name, "circulating_supply") == 0 ? &epoch->circulating_supply
                                                                     : NULL;
    if (amount != NULL) {
        amount->high = strtoull(at, &at, 10);
        amount->low = strtoull(at, NULL, 10);
    }
    if (strcmp(name, "state_root") == 0) { epoch->state_root = unhex(at, next); }
    if (strcmp(name, "final_root") == 0) { replay->final_root = unhex(at, next); }
    if (strcmp(name, "randomness") == 0 && replay->answer_count < 64) {
        struct answer *answer = &replay->answers[replay->answer_count++];
        uint8_t *digest = answer->digest;
        answer->source = at[0];
        answer->epoch = strtoll(strchr(at, ' '), &at, 10);
        unhex(at + 1, &digest);
    }
    if (strcmp(name, "message") == 0 && replay->message_count < 64) {
        struct message *message = &replay->messages[replay->message_count++];
        message->bytes = unhex(at, next);
        message->chain_length = strtoull(strchr(at, ' '), &at, 10);
        message->kind = (int32_t)strtol(at, &at, 10);
        message->exit_code = (uint32_t)strtoul(at, &at, 10);
        message->gas_used = strtoull(at, &at, 10);
        message->returned = unhex(at + 1, next);
    }
}

/* Reads a case; the shared blocks are looked into after its own. */
static void read_replay(struct replay *replay, const struct blocks *shared, const char *path) {
    *replay = (struct replay){.path = path, .blocks.shared = shared};
    char blocks_path[4096];
    snprintf(blocks_path, sizeof blocks_path, "%.*s.blocks", (int)(strlen(path) - 5), path);
    read_blocks(&replay->blocks, blocks_path);
    SMELT_INIT(replay->epoch);
    size_t length;
    char *text = (char *)contents(path, &length), *rest;
    uint8_t *next = replay->memory = taken(length);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        read_line(replay, line, &next);
    }
    free(text);
}

static void free_replay(struct replay *replay) {
    drop(&replay->blocks);
    free(replay->memory);
}

static int32_t get(void *context, smelt_bytes cid, smelt_buffer *block) {
    const struct block *found = find(&((struct replay *)context)->blocks, cid);
    return found == NULL ? SMELT_NOT_FOUND : smelt_buffer_set(block, found->data, found->length);
}

static int32_t has(void *context, smelt_bytes cid) {
    return find(&((struct replay *)context)->blocks, cid) == NULL ? SMELT_NOT_FOUND : SMELT_OK;
}

static int32_t put(void *context, const smelt_block *blocks, size_t count) {
    for (size_t i = 0; i < count; i++) {
        add(&((struct replay *)context)->blocks, blocks[i].cid.data, (uint32_t)blocks[i].cid.length,
            blocks[i].data.data, (uint32_t)blocks[i].data.length);
    }
    return SMELT_OK;
}

static void finalize(void *context) { ((struct replay *)context)->finalized++; }

static int32_t randomness(const struct replay *replay, char source, int64_t epoch, uint8_t digest[32]) {
    memcpy(digest, "i_am_random_____i_am_random_____", 32);
    for (int i = 0; i < replay->answer_count; i++) {
        const struct answer *answer = &replay->answers[i];
        if (answer->source == source && answer->epoch == epoch) { memcpy(digest, answer->digest, 32); }
    }
    return SMELT_OK;
}

static int32_t chain_randomness(void *context, int64_t epoch, uint8_t digest[32]) {
    return randomness(context, 'c', epoch, digest);
}

static int32_t beacon_randomness(void *context, int64_t epoch, uint8_t digest[32]) {
    return randomness(context, 'b', epoch, digest);
}

static smelt_store_callbacks store_callbacks(struct replay *replay) {
    smelt_store_callbacks callbacks;
    SMELT_INIT(callbacks);
    callbacks.context = replay;
    callbacks.get = get;
    callbacks.has = has;
    callbacks.put = put;
    callbacks.finalize = finalize;
    return callbacks;
}

static smelt_outside outside_world(struct replay *replay) {
    smelt_outside outside;
    SMELT_INIT(outside);
    outside.context = replay;
    outside.chain_randomness = chain_randomness;
    outside.beacon_randomness = beacon_randomness;
    outside.proofs = SMELT_PROOFS_CONFORMANCE;
    return outside;
}

/* Prints a failure and frees it. */
static int failed(const char *path, int32_t status, smelt_error **error) {
    if (status == SMELT_OK) { return 0; }
    fprintf(stderr, "%s: status %d: %s\n", path, status, *error ? smelt_error_text(*error) : "");
    smelt_error_free(*error);
    *error = NULL;
    return 1;
}

static int equal(smelt_bytes one, smelt_bytes other) {
    return one.length == other.length && (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

/* Applies the messages and flushes; 1 where something is not as it was recorded. */
static int run(struct replay *replay, smelt_session *session) {
    smelt_error *error = NULL;
    smelt_outside outside = outside_world(replay);
    if (failed(replay->path, smelt_session_begin(session, &replay->epoch, &outside, &error), &error)) { return 1; }
    for (int i = 0; i < replay->message_count; i++) {
        const struct message *message = &replay->messages[i];
        smelt_result *result = NULL;
        int32_t status = smelt_session_apply(session, message->bytes, message->chain_length, message->kind, &result,
                                             &error);
        if (failed(replay->path, status, &error)) { return 1; }
        smelt_receipt receipt;
        SMELT_INIT(receipt);
        smelt_result_receipt(result, &receipt);
        int same = receipt.exit_code == message->exit_code && receipt.gas_used == message->gas_used &&
                   equal(receipt.return_data, message->returned);
        if (!same) {
            fprintf(stderr, "%s: message %d: exit %u, gas %llu, expected %u and %llu\n", replay->path, i,
                    receipt.exit_code, (unsigned long long)receipt.gas_used, message->exit_code,
                    (unsigned long long)message->gas_used);
        }
        smelt_result_free(result);
        if (!same) { return 1; }
    }
    smelt_buffer *root = smelt_buffer_new();
    int bad = failed(replay->path, smelt_session_flush(session, root, &error), &error);
    if (!bad && !equal(smelt_buffer_bytes(root), replay->final_root)) {
        fprintf(stderr, "%s: another state root\n", replay->path);
        bad = 1;
    }
    smelt_buffer_free(root);
    return bad;
}

static int replay_case(smelt_engine *engine, const struct blocks *shared, const char *path) {
    struct replay replay;
    read_replay(&replay, shared, path);
    smelt_store_callbacks callbacks = store_callbacks(&replay);
    smelt_error *error = NULL;
    smelt_store *store = NULL;
    smelt_session *session = NULL;
    int bad = failed(path, smelt_store_new(&callbacks, &store, &error), &error) ||
              failed(path, smelt_session_new(engine, store, NULL, &session, &error), &error) || run(&replay, session);
    smelt_store_free(store);
    smelt_session_free(session);
    if (replay.finalized != 1) {
        fprintf(stderr, "%s: the store was finalized %d times\n", path, replay.finalized);
        bad = 1;
    }
    free_replay(&replay);
    return bad;
}

/* ---- All cases ------------------------------------------------------------------------------------------------------ */

static smelt_engine *engine;
static struct blocks shared;

#ifndef NO_MAIN
static glob_t cases;
static atomic_int passed, not_passed;

static void *replay_all(void *unused) {
    (void)unused;
    for (size_t i = 0; i < cases.gl_pathc; i++) {
        if (replay_case(engine, &shared, cases.gl_pathv[i])) { not_passed++; } else { passed++; }
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: replay OBJECTS CASES [THREADS]\n");
        return 64;
    }
    smelt_engine_options options;
    SMELT_INIT(options);
    options.store_directory = argv[1];
    options.bounds = getenv("BOUNDS_CHECKS") ? SMELT_BOUNDS_CHECKS : SMELT_BOUNDS_GUARD;
    options.no_signals = getenv("BOUNDS_CHECKS") != NULL;
    smelt_error *error = NULL;
    if (failed("engine", smelt_engine_new(&options, &engine, &error), &error)) { return 1; }
    char path[4096];
    snprintf(path, sizeof path, "%s/shared.blocks", argv[2]);
    read_blocks(&shared, path);
    snprintf(path, sizeof path, "%s/*.case", argv[2]);
    if (glob(path, 0, NULL, &cases) != 0) { return 1; }
    enum { MOST = 64 };
    int threads = argc > 3 ? atoi(argv[3]) : 1;
    if (threads < 1 || threads > MOST) { threads = 1; }
    pthread_t ids[MOST];
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, replay_all, NULL) != 0) { abort(); }
    }
    for (int i = 0; i < threads; i++) { pthread_join(ids[i], NULL); }
    globfree(&cases);
    drop(&shared);
    smelt_engine_free(engine);
    printf("%d passed, %d failed\n", passed, not_passed);
    return not_passed == 0 && passed > 0 ? 0 : 1;
}
#endif
