/* Mapping artifacts: two at once, and many that are damaged. */
#include "guest.h"

struct bytes {
    uint8_t *bytes;
    uint64_t length;
};

static struct bytes read_file(const char *path) {
    struct bytes result = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) { return result; }
    fseek(file, 0, SEEK_END);
    result.length = (uint64_t)ftell(file);
    rewind(file);
    result.bytes = malloc(result.length + 1);
    if (fread(result.bytes, 1, result.length, file) != result.length) { result.length = 0; }
    fclose(file);
    return result;
}

static int32_t call(const struct smelt_module_descriptor *module, const char *name, uint64_t *arguments,
                    uint64_t *result) {
    struct smelt_rt_options options = guest_options();
    context_t *context = guest_instance(module, &options);
    int32_t trap = -1;
    for (uint64_t i = 0; i < module->export_count; i++) {
        if (strcmp(module->exports[i].name, name) == 0) {
            context->gas = 100000;
            trap = smelt_rt_enter(context, module->exports[i].entry, arguments, result);
        }
    }
    smelt_rt_instance_destroy(context);
    return trap;
}

static void objects_run(const struct bytes *files, int count) {
    struct smelt_rt_code *codes[8];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < count; i++) {
            const char *why = "";
            int32_t error = smelt_rt_code_load(files[i].bytes, files[i].length, &codes[i], &why);
            if (error != SMELT_RT_OK) { fprintf(stderr, "load: %s\n", why); }
            CHECK(error == SMELT_RT_OK);
            if (error != SMELT_RT_OK) { return; }
        }
        for (int i = 0; i < count; i++) {
            const struct smelt_module_descriptor *module = smelt_rt_code_module(codes[i]);
            uint64_t arguments[2] = {40, 2}, result = 0, outside = 131072;
            CHECK(call(module, "add", arguments, &result) == 0 && result == 42);
            /* Each object answers with its own number: no mix-up of symbols. */
            CHECK(call(module, "answer", arguments, &result) == 0 && result == 42 + (uint64_t)i);
            CHECK(call(module, "load", &outside, &result) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);
            CHECK(call(module, "stop", arguments, &result) == SMELT_RT_TRAP_UNREACHABLE);
            uint64_t address = 2;
            CHECK(call(module, "load", &address, &result) == 0 && result == 8);
            CHECK(smelt_rt_code_find((uint64_t)module->text_start) == module);
        }
        for (int i = 0; i < count; i++) { smelt_rt_code_unload(codes[(i + round) % count]); }
    }
}

/* Whatever is changed: loading says no, or gives something whose tables lie inside the image. It never crashes. */
static void damaged_objects_do_no_harm(const struct bytes *file) {
    uint8_t *copy = malloc(file->length);
    uint64_t seed = 99;
    int refused = 0;
    for (int round = 0; round < 6000; round++) {
        memcpy(copy, file->bytes, file->length);
        uint64_t length = file->length;
        if (round % 4 == 0) {
            length = next_random(&seed) % file->length;
        } else {
            /* Headers and the dynamic part are where it matters. */
            uint64_t reach = round % 4 == 1 ? 1024 : file->length;
            for (uint64_t flips = 1 + next_random(&seed) % 4; flips > 0; flips--) {
                copy[next_random(&seed) % reach] ^= (uint8_t)(1u << next_random(&seed) % 8);
            }
        }
        struct smelt_rt_code *code = NULL;
        const char *why = NULL;
        uint8_t *exact = malloc(length == 0 ? 1 : length); /* so that a sanitizer sees what is read behind it */
        memcpy(exact, copy, length);
        int32_t error = smelt_rt_code_load(exact, length, &code, &why);
        free(exact);
        if (error == SMELT_RT_OK) {
            smelt_rt_code_unload(code);
        } else {
            refused++;
            CHECK(code == NULL && why != NULL);
        }
    }
    CHECK(refused > 1500);
    free(copy);
}

void test_loader(const char *const *objects, int count) {
    struct bytes files[8];
    if (count > 8) { count = 8; }
    for (int i = 0; i < count; i++) {
        files[i] = read_file(objects[i]);
        CHECK(files[i].length > 0);
    }
    objects_run(files, count);
    if (files[0].length > 0) { damaged_objects_do_no_harm(&files[0]); }
    for (int i = 0; i < count; i++) { free(files[i].bytes); }
}
