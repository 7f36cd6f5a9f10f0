/* loader.c: maps an artifact.
 *
 * Not dlopen: glibc finds a library again by its name (a reused descriptor path gave the first object's symbols),
 * runs whatever initialisers a file names, and keeps a file behind the mapping. An artifact needs none of that: two
 * or three segments and one kind of relocation. Its bytes are copied, so nobody can change them after they were
 * verified. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch_x86_64.h"
#include "internal.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SYSTEM_PAGE UINT64_C(4096)
/* A native image of a WASM module of some MiB; far below what would trouble the address space. */
#define IMAGE_MAXIMUM (UINT64_C(1) << 30)
#define SEGMENT_MAXIMUM 16

struct smelt_rt_code {
    uint8_t *image;
    uint64_t span; /* bytes, whole pages */
    const struct smelt_module_descriptor *module;
};

struct segment {
    uint64_t start, end; /* whole pages, from the image's start */
    int protection;
};

struct image {
    const uint8_t *file;
    uint64_t length;
    uint8_t *memory;
    uint64_t span;
    struct segment segments[SEGMENT_MAXIMUM];
    int segment_count;
    uint64_t dynamic, dynamic_bytes; /* in the image */
    uint64_t sealed, sealed_end;     /* PT_GNU_RELRO */
};

#define REFUSE(text) return (text)
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        const char *refused = (call);                                                                                  \
        if (refused != NULL) { return refused; }                                                                       \
    } while (0)

static bool inside(uint64_t start, uint64_t bytes, uint64_t size) { return start <= size && bytes <= size - start; }

static const char *read_header(const struct image *image, Elf64_Ehdr *header) {
    if (image->length < sizeof *header) { REFUSE("shorter than an ELF header"); }
    memcpy(header, image->file, sizeof *header);
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) { REFUSE("not an ELF file"); }
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB) {
        REFUSE("not a 64-bit little-endian ELF");
    }
    if (header->e_type != ET_DYN) { REFUSE("not a shared object"); }
    if (header->e_machine != ARCH_ELF_MACHINE) { REFUSE("made for another processor"); }
    if (header->e_phentsize != sizeof(Elf64_Phdr) ||
        !inside(header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr), image->length)) {
        REFUSE("program headers outside the file");
    }
    return NULL;
}

static const char *read_segment(struct image *image, const Elf64_Phdr *row) {
    if (image->segment_count == SEGMENT_MAXIMUM) { REFUSE("too many segments"); }
    if (row->p_filesz > row->p_memsz || !inside(row->p_offset, row->p_filesz, image->length) ||
        !inside(row->p_vaddr, row->p_memsz, IMAGE_MAXIMUM)) {
        REFUSE("segment outside the file or too large");
    }
    if ((row->p_flags & PF_W) && (row->p_flags & PF_X)) { REFUSE("segment both writable and executable"); }
    struct segment segment = {
        .start = row->p_vaddr / SYSTEM_PAGE * SYSTEM_PAGE,
        .end = (row->p_vaddr + row->p_memsz + SYSTEM_PAGE - 1) / SYSTEM_PAGE * SYSTEM_PAGE,
        .protection = (row->p_flags & PF_R ? PROT_READ : 0) | (row->p_flags & PF_W ? PROT_WRITE : 0) |
                      (row->p_flags & PF_X ? PROT_EXEC : 0),
    };
    if (segment.start < image->span) { REFUSE("segments overlap or are out of order"); }
    image->segments[image->segment_count++] = segment;
    image->span = segment.end;
    return NULL;
}

static const char *read_program_headers(struct image *image, const Elf64_Ehdr *header, bool copy) {
    for (uint64_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr row;
        memcpy(&row, image->file + header->e_phoff + i * sizeof row, sizeof row);
        if (copy) {
            if (row.p_type == PT_LOAD && row.p_filesz > 0) {
                memcpy(image->memory + row.p_vaddr, image->file + row.p_offset, row.p_filesz);
            }
            continue;
        }
        switch (row.p_type) {
        case PT_LOAD: TRY(read_segment(image, &row)); break;
        case PT_DYNAMIC:
            image->dynamic = row.p_vaddr;
            image->dynamic_bytes = row.p_memsz;
            break;
        case PT_GNU_RELRO:
            image->sealed = row.p_vaddr / SYSTEM_PAGE * SYSTEM_PAGE;
            image->sealed_end = row.p_memsz > IMAGE_MAXIMUM || row.p_vaddr > IMAGE_MAXIMUM
                                    ? UINT64_MAX
                                    : (row.p_vaddr + row.p_memsz) / SYSTEM_PAGE * SYSTEM_PAGE;
            break;
        case PT_GNU_STACK:
            if (row.p_flags & PF_X) { REFUSE("asks for an executable stack"); }
            break;
        case PT_NULL:
        case PT_PHDR:
        case PT_NOTE:
        case PT_GNU_EH_FRAME:
        case PT_GNU_PROPERTY: break;
        default: REFUSE("a program header of a kind that artifacts do not have");
        }
    }
    return NULL;
}

struct dynamic {
    uint64_t symbols, strings, strings_bytes, relocations, relocations_bytes, hash, gnu_hash;
};

static const char *read_dynamic(const struct image *image, struct dynamic *found) {
    if (image->dynamic_bytes == 0 || !inside(image->dynamic, image->dynamic_bytes, image->span)) {
        REFUSE("no dynamic section");
    }
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= image->dynamic_bytes; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn row;
        memcpy(&row, image->memory + image->dynamic + at, sizeof row);
        switch (row.d_tag) {
        case DT_NULL: return NULL;
        case DT_SYMTAB: found->symbols = row.d_un.d_ptr; break;
        case DT_STRTAB: found->strings = row.d_un.d_ptr; break;
        case DT_STRSZ: found->strings_bytes = row.d_un.d_val; break;
        case DT_RELA: found->relocations = row.d_un.d_ptr; break;
        case DT_RELASZ: found->relocations_bytes = row.d_un.d_val; break;
        case DT_HASH: found->hash = row.d_un.d_ptr; break;
        case DT_GNU_HASH: found->gnu_hash = row.d_un.d_ptr; break;
        case DT_RELAENT:
            if (row.d_un.d_val != sizeof(Elf64_Rela)) { REFUSE("relocations of another size"); }
            break;
        case DT_SYMENT:
            if (row.d_un.d_val != sizeof(Elf64_Sym)) { REFUSE("symbols of another size"); }
            break;
        case DT_SONAME:
        case DT_RELACOUNT:
        case DT_FLAGS_1:
        case DT_SYMBOLIC: break;
        case DT_FLAGS:
            if (row.d_un.d_val & DF_TEXTREL) { REFUSE("relocations in the text"); }
            break;
        default: REFUSE("a dynamic entry of a kind that artifacts do not have");
        }
    }
    REFUSE("dynamic section without an end");
}

static const struct segment *segment_at(const struct image *image, uint64_t address, uint64_t bytes) {
    for (int i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (address >= segment->start && address < segment->end) {
            return inside(address, bytes, segment->end) ? segment : NULL;
        }
    }
    return NULL;
}

static const char *relocate(const struct image *image, const struct dynamic *dynamic) {
    if (dynamic->relocations_bytes % sizeof(Elf64_Rela) != 0 ||
        !inside(dynamic->relocations, dynamic->relocations_bytes, image->span)) {
        REFUSE("relocations outside the image");
    }
    for (uint64_t at = 0; at < dynamic->relocations_bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, image->memory + dynamic->relocations + at, sizeof row);
        if (ELF64_R_TYPE(row.r_info) != ARCH_RELATIVE || ELF64_R_SYM(row.r_info) != 0) {
            REFUSE("a relocation of a kind that artifacts do not have");
        }
        const struct segment *segment = segment_at(image, row.r_offset, sizeof(uint64_t));
        if (segment == NULL || !(segment->protection & PROT_WRITE)) { REFUSE("relocation of what is not data"); }
        if ((uint64_t)row.r_addend > image->span) { REFUSE("relocation to outside the image"); }
        uint64_t value = (uint64_t)image->memory + (uint64_t)row.r_addend;
        memcpy(image->memory + row.r_offset, &value, sizeof value);
    }
    return NULL;
}

/* The number of dynamic symbols, from whichever hash table there is; 0 when neither makes sense. */
static uint64_t symbol_count(const struct image *image, const struct dynamic *dynamic) {
    uint32_t word[4];
    if (dynamic->hash != 0 && inside(dynamic->hash, 8, image->span)) {
        memcpy(word, image->memory + dynamic->hash, 8);
        return word[1];
    }
    if (dynamic->gnu_hash == 0 || !inside(dynamic->gnu_hash, sizeof word, image->span)) { return 0; }
    memcpy(word, image->memory + dynamic->gnu_hash, sizeof word);
    uint64_t buckets = dynamic->gnu_hash + sizeof word + (uint64_t)word[2] * 8;
    uint64_t chains = buckets + (uint64_t)word[0] * 4;
    if (!inside(buckets, (uint64_t)word[0] * 4, image->span)) { return 0; }
    uint64_t last = 0;
    for (uint64_t i = 0; i < word[0]; i++) {
        uint32_t first;
        memcpy(&first, image->memory + buckets + i * 4, sizeof first);
        if (first > last) { last = first; }
    }
    if (last < word[1]) { return word[1]; }
    for (;; last++) {
        uint64_t at = chains + (last - word[1]) * 4;
        uint32_t chain;
        if (!inside(at, 4, image->span)) { return 0; }
        memcpy(&chain, image->memory + at, sizeof chain);
        if (chain & 1) { return last + 1; }
    }
}

static const char *find_module(const struct image *image, const struct dynamic *dynamic,
                               const struct smelt_module_descriptor **module) {
    static const char name[] = SMELT_MODULE_SYMBOL;
    uint64_t count = symbol_count(image, dynamic);
    if (count == 0 || !inside(dynamic->symbols, count * sizeof(Elf64_Sym), image->span) ||
        !inside(dynamic->strings, dynamic->strings_bytes, image->span)) {
        REFUSE("no readable symbol table");
    }
    for (uint64_t i = 1; i < count; i++) {
        Elf64_Sym symbol;
        memcpy(&symbol, image->memory + dynamic->symbols + i * sizeof symbol, sizeof symbol);
        if (!inside(symbol.st_name, sizeof name, dynamic->strings_bytes) ||
            memcmp(image->memory + dynamic->strings + symbol.st_name, name, sizeof name) != 0) {
            continue;
        }
        const struct segment *segment = segment_at(image, symbol.st_value, sizeof **module);
        if (symbol.st_shndx == SHN_UNDEF || segment == NULL || symbol.st_value % 8 != 0) {
            REFUSE("symbol " SMELT_MODULE_SYMBOL " does not address a descriptor");
        }
        *module = (const struct smelt_module_descriptor *)(image->memory + symbol.st_value);
        return NULL;
    }
    REFUSE("no symbol " SMELT_MODULE_SYMBOL);
}

static bool array_inside(const struct image *image, const void *array, uint64_t count, uint64_t size) {
    if (count == 0) { return true; }
    uint64_t start = (uint64_t)array - (uint64_t)image->memory;
    return (uint64_t)array >= (uint64_t)image->memory && count <= IMAGE_MAXIMUM / size &&
           inside(start, count * size, image->span);
}

static const char *check_inside(const struct image *image, const struct smelt_module_descriptor *module) {
    TRY(smelt_rt_module_check(module));
    uint64_t text = (uint64_t)module->text_start - (uint64_t)image->memory;
    uint64_t text_bytes = (uint64_t)module->text_end - (uint64_t)module->text_start;
    const struct segment *segment = segment_at(image, text, text_bytes);
    if (text_bytes > 0 && (segment == NULL || !(segment->protection & PROT_EXEC))) {
        REFUSE("text is not in an executable segment");
    }
    if (!array_inside(image, module->functions, module->function_count, sizeof *module->functions) ||
        !array_inside(image, module->imports, module->import_count, sizeof *module->imports) ||
        !array_inside(image, module->exports, module->export_count, sizeof *module->exports) ||
        !array_inside(image, module->globals, module->global_count, sizeof *module->globals) ||
        !array_inside(image, module->data, module->data_count, sizeof *module->data) ||
        !array_inside(image, module->elements, module->element_count, sizeof *module->elements) ||
        !array_inside(image, module->sites, module->site_count, sizeof *module->sites)) {
        REFUSE("a table of the descriptor lies outside the image");
    }
    return NULL;
}

static const char *protect(const struct image *image) {
    for (int i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (mprotect(image->memory + segment->start, segment->end - segment->start, segment->protection) != 0) {
            REFUSE("the system refuses to make a segment executable or read-only");
        }
    }
    if (image->sealed_end > image->sealed) {
        const struct segment *segment = segment_at(image, image->sealed, image->sealed_end - image->sealed);
        if (segment == NULL || (segment->protection & PROT_EXEC)) { REFUSE("sealed part outside the data"); }
        if (mprotect(image->memory + image->sealed, image->sealed_end - image->sealed, PROT_READ) != 0) {
            REFUSE("the system refuses to make a segment executable or read-only");
        }
    }
    return NULL;
}

static const char *load(struct image *image, const struct smelt_module_descriptor **module) {
    Elf64_Ehdr header;
    struct dynamic dynamic = {0};
    TRY(read_header(image, &header));
    TRY(read_program_headers(image, &header, false));
    if (image->span == 0) { REFUSE("no loadable segment"); }
    image->memory = mmap(NULL, image->span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image->memory == MAP_FAILED) {
        image->memory = NULL;
        return NULL;
    }
    TRY(read_program_headers(image, &header, true));
    TRY(read_dynamic(image, &dynamic));
    TRY(relocate(image, &dynamic));
    TRY(find_module(image, &dynamic, module));
    TRY(check_inside(image, *module));
    return protect(image);
}

const char *smelt_rt_module_check(const struct smelt_module_descriptor *module) {
    if (module->magic != SMELT_RT_MAGIC) { REFUSE("descriptor has another magic number"); }
    if (module->abi_major != SMELT_RT_ABI_MAJOR) { REFUSE("made for another major version of the runtime"); }
    if (module->abi_minor > SMELT_RT_ABI_MINOR) { REFUSE("made for a newer minor version of the runtime"); }
    if (module->struct_size < sizeof *module) { REFUSE("descriptor too short"); }
    if (module->stack_bytes > 2 * (uint64_t)SMELT_RT_ENTRY_STACK) { REFUSE("needs more stack than an entry has"); }
    /* Equal in a module that defines no function. */
    if ((uint64_t)module->text_start > (uint64_t)module->text_end) { REFUSE("text ends before it starts"); }
    return NULL;
}

int32_t smelt_rt_code_load(const uint8_t *bytes, uint64_t length, struct smelt_rt_code **code, const char **why) {
    *code = NULL;
    struct image image = {.file = bytes, .length = length};
    struct smelt_rt_code *loaded = malloc(sizeof *loaded);
    const struct smelt_module_descriptor *module = NULL;
    const char *refused = loaded == NULL ? NULL : load(&image, &module);
    int32_t error = SMELT_RT_OK;
    if (refused != NULL) {
        error = SMELT_RT_BAD_OBJECT;
    } else if (loaded == NULL || image.memory == NULL) {
        error = SMELT_RT_NO_MEMORY;
        refused = "no memory for the image";
    } else {
        error = smelt_rt_code_register(module);
        refused = "no memory for the list of code";
    }
    if (error != SMELT_RT_OK) {
        if (why != NULL) { *why = refused; }
        if (image.memory != NULL) { munmap(image.memory, image.span); }
        free(loaded);
        return error;
    }
    *loaded = (struct smelt_rt_code){.image = image.memory, .span = image.span, .module = module};
    *code = loaded;
    return SMELT_RT_OK;
}

const struct smelt_module_descriptor *smelt_rt_code_module(const struct smelt_rt_code *code) { return code->module; }

void smelt_rt_code_unload(struct smelt_rt_code *code) {
    if (code == NULL) { return; }
    smelt_rt_code_unregister(code->module);
    munmap(code->image, code->span);
    free(code);
}
