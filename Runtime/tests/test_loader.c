/* Mapping artifacts: two at once, and plans that are wrong. */
#include "guest.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SEGMENTS = 8, RELOCATIONS = 256 };

struct object {
    struct smelt_rt_load_plan plan;
    struct smelt_rt_segment segments[SEGMENTS];
    struct smelt_rt_relocation relocations[RELOCATIONS];
};

static uint8_t *read_file(const char *path, uint64_t *length) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) { return NULL; }
    fseek(file, 0, SEEK_END);
    *length = (uint64_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length + 1);
    if (fread(bytes, 1, *length, file) != *length) { *length = 0; }
    fclose(file);
    return bytes;
}

/* The plan of a file that this machine's linker made, which is believed. */
static void make_plan(struct object *object, const char *path) {
    memset(object, 0, sizeof *object);
    struct smelt_rt_load_plan *plan = &object->plan;
    plan->file = read_file(path, &plan->file_bytes);
    plan->segments = object->segments;
    plan->relocations = object->relocations;
    if (plan->file == NULL) { return; }
    Elf64_Ehdr header;
    memcpy(&header, plan->file, sizeof header);
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr row;
        memcpy(&row, plan->file + header.e_phoff + (uint64_t)i * sizeof row, sizeof row);
        if (row.p_type != PT_LOAD || plan->segment_count == SEGMENTS) { continue; }
        object->segments[plan->segment_count++] = (struct smelt_rt_segment){
            .address = row.p_vaddr, .bytes = row.p_memsz, .file_offset = row.p_offset, .file_bytes = row.p_filesz,
            .is_code = (row.p_flags & PF_X) != 0};
    }
    /* Of the sections, the dynamic symbols and the relocations with addends. */
    for (int i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr row, strings;
        memcpy(&row, plan->file + header.e_shoff + (uint64_t)i * sizeof row, sizeof row);
        for (uint64_t at = 0; row.sh_type == SHT_RELA && at < row.sh_size; at += sizeof(Elf64_Rela)) {
            Elf64_Rela entry;
            memcpy(&entry, plan->file + row.sh_offset + at, sizeof entry);
            CHECK(entry.r_info == R_X86_64_RELATIVE && plan->relocation_count < RELOCATIONS);
            if (plan->relocation_count == RELOCATIONS) { return; }
            object->relocations[plan->relocation_count++] =
                (struct smelt_rt_relocation){entry.r_offset, (uint64_t)entry.r_addend};
        }
        if (row.sh_type != SHT_DYNSYM) { continue; }
        memcpy(&strings, plan->file + header.e_shoff + row.sh_link * sizeof strings, sizeof strings);
        for (uint64_t at = 0; at < row.sh_size; at += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol;
            memcpy(&symbol, plan->file + row.sh_offset + at, sizeof symbol);
            const char *name = (const char *)plan->file + strings.sh_offset + symbol.st_name;
            if (strcmp(name, SMELT_MODULE_SYMBOL) == 0) { plan->module = symbol.st_value; }
        }
    }
    CHECK(plan->segment_count > 1 && plan->relocation_count > 30 && plan->module != 0);
}

/* Asks the system, which answers without a signal. */
static bool is_writable(const void *address) {
    int zero = open("/dev/zero", O_RDONLY);
    CHECK(zero >= 0);
    bool result = syscall(SYS_read, zero, address, 1) == 1;
    close(zero);
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

static void objects_run(const struct object *files, int count) {
    struct smelt_rt_code *codes[8];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < count; i++) {
            const char *why = "";
            int32_t error = smelt_rt_code_load(&files[i].plan, &codes[i], &why);
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
            CHECK(!is_writable(module) && !is_writable(module->text_start) && !is_writable(module->exports[0].name));
        }
        for (int i = 0; i < count; i++) { smelt_rt_code_unload(codes[(i + round) % count]); }
    }
}

/* ---- Wrong plans -------------------------------------------------------------------------------------*/

/* A copy to be changed; its tables are its own. */
static struct object *copy_of(const struct object *object) {
    struct object *copy = malloc(sizeof *copy);
    *copy = *object;
    copy->plan.segments = copy->segments;
    copy->plan.relocations = copy->relocations;
    return copy;
}

static bool is_refused(struct object *object, const char *reason) {
    struct smelt_rt_code *code = NULL;
    const char *why = "";
    int32_t error = smelt_rt_code_load(&object->plan, &code, &why);
    if (error == SMELT_RT_OK) { smelt_rt_code_unload(code); }
    bool result = error == SMELT_RT_BAD_OBJECT && code == NULL && strstr(why, reason) != NULL;
    if (!result) { fprintf(stderr, "expected \"%s\", got %d \"%s\"\n", reason, error, why); }
    free(object);
    return result;
}

static void wrong_plans_are_refused_with_a_reason(const struct object *object) {
    const struct smelt_rt_load_plan *plan = &object->plan;
    uint64_t last = plan->segment_count - 1, code = 0;
    while (!object->segments[code].is_code) { code++; }
    struct object *changed;
#define REFUSED(change, reason)                                                                                        \
    changed = copy_of(object);                                                                                         \
    change;                                                                                                            \
    CHECK(is_refused(changed, reason))
    REFUSED(changed->plan.segment_count = 0, "no segment");
    REFUSED(changed->plan.file_bytes -= changed->plan.file_bytes - 64, "outside the file");
    REFUSED(changed->segments[last].file_offset = plan->file_bytes, "outside the file");
    REFUSED(changed->segments[last].file_offset = UINT64_MAX, "outside the file");
    REFUSED(changed->segments[last].file_bytes = changed->segments[last].bytes + 1, "outside the file");
    REFUSED(changed->segments[last].bytes = UINT64_MAX, "too large");
    REFUSED(changed->segments[last].address = UINT64_C(1) << 40, "too large");
    REFUSED(changed->segments[last].address = changed->segments[0].address, "overlap");
    REFUSED(changed->relocations[0].place = plan->segments[code].address, "not data");
    REFUSED(changed->relocations[0].place = plan->segments[code].address - 4, "not data");
    REFUSED(changed->relocations[0].place = UINT64_MAX - 3, "not data");
    REFUSED(changed->relocations[0].place = plan->segments[last].address + plan->segments[last].bytes - 4, "not data");
    REFUSED(changed->relocations[0].value = UINT64_C(1) << 30, "outside the image");
    REFUSED(changed->relocations[0].value = UINT64_MAX, "outside the image");
    REFUSED(changed->plan.module = plan->segments[code].address / 8 * 8, "no descriptor");
    REFUSED(changed->plan.module += 4, "no descriptor");
    REFUSED(changed->plan.module = UINT64_MAX - 7, "no descriptor");
    REFUSED(changed->plan.module += 8, "magic");
    /* Without relocations text and tables lie where no image is; which is seen first depends on the linker. */
    REFUSED(changed->plan.relocation_count = 0, "");
    REFUSED(changed->segments[code].is_code = 0, "not in an executable segment");
#undef REFUSED
}

/* Whatever is changed: loading says no, or gives something whose tables lie inside the image. It never crashes. */
static void damaged_plans_do_no_harm(const struct object *object) {
    uint64_t seed = 99;
    int refused = 0;
    for (int round = 0; round < 6000; round++) {
        struct object *changed = copy_of(object);
        uint8_t *file = malloc(object->plan.file_bytes); /* of its size, so that a sanitizer sees what is read behind it */
        memcpy(file, object->plan.file, object->plan.file_bytes);
        changed->plan.file = file;
        for (uint64_t changes = 1 + next_random(&seed) % 3; changes > 0; changes--) {
            uint64_t bit = UINT64_C(1) << next_random(&seed) % 64;
            uint64_t words = sizeof(struct smelt_rt_segment) / 8 * object->plan.segment_count;
            switch (next_random(&seed) % 5) {
            case 0: ((uint64_t *)changed->segments)[next_random(&seed) % words] ^= bit; break;
            case 1: ((uint64_t *)changed->relocations)[next_random(&seed) % (2 * object->plan.relocation_count)] ^= bit; break;
            case 2: changed->plan.module ^= bit; break;
            case 3: changed->plan.relocation_count = next_random(&seed) % object->plan.relocation_count; break;
            default: {
                const struct smelt_rt_segment *data = &object->segments[object->plan.segment_count - 1];
                file[data->file_offset + next_random(&seed) % data->file_bytes] ^= (uint8_t)(1u << next_random(&seed) % 8);
            }
            }
        }
        struct smelt_rt_code *code = NULL;
        const char *why = NULL;
        int32_t error = smelt_rt_code_load(&changed->plan, &code, &why);
        if (error == SMELT_RT_OK) {
            /* Text alone is executable, nothing can be written, and the rows can be read. */
            const struct smelt_module_descriptor *module = smelt_rt_code_module(code);
            volatile uint64_t sum = 0;
            CHECK(!is_writable(module));
            for (uint64_t i = 0; i < module->function_count; i++) { sum += module->functions[i].code_length; }
            for (uint64_t i = 0; i < module->export_count; i++) { sum += module->exports[i].index; }
            smelt_rt_code_unload(code);
        } else {
            refused++;
            CHECK(code == NULL && why != NULL);
        }
        free(file);
        free(changed);
    }
    CHECK(refused > 1500);
}

void test_loader(const char *const *paths, int count) {
    static struct object objects[8];
    if (count > 8) { count = 8; }
    for (int i = 0; i < count; i++) {
        make_plan(&objects[i], paths[i]);
        CHECK(objects[i].plan.file_bytes > 0);
        if (objects[i].plan.file_bytes == 0) { return; }
    }
    objects_run(objects, count);
    wrong_plans_are_refused_with_a_reason(&objects[0]);
    damaged_plans_do_no_harm(&objects[0]);
    for (int i = 0; i < count; i++) { free((void *)objects[i].plan.file); }
}
