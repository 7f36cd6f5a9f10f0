/* Tables, references, linked instances. */
#include "guest.h"

enum { INIT, COPY, FILL, GROW, DROP, GET, SET, REF };

GUEST static void table(context_t *context, uint64_t *a, uint64_t *results) {
    const struct smelt_rt_funcref *value = (const struct smelt_rt_funcref *)a[4];
    uint32_t x = (uint32_t)a[1], y = (uint32_t)a[2], z = (uint32_t)a[3];
    switch (a[0]) {
    case INIT: context->table_init(context, (uint32_t)a[4], x, y, z); break;
    case COPY: context->table_copy(context, x, y, z); break;
    case FILL: context->table_fill(context, x, value, z); break;
    case GROW: results[0] = context->table_grow(context, value, z); break;
    case DROP: context->elem_drop(context, x); break;
    case GET: results[0] = (uint64_t)context->table_get(context, x); break;
    case SET: context->table_set(context, x, value); break;
    default: results[0] = (uint64_t)context->ref_func(context, x);
    }
}

static uint64_t result;

static int32_t run(context_t *context, uint64_t operation, uint64_t x, uint64_t y, uint64_t z, const void *last) {
    uint64_t arguments[5] = {operation, x, y, z, (uint64_t)last};
    return smelt_rt_enter(context, table, arguments, &result);
}

static int32_t run_segment(context_t *context, uint64_t x, uint64_t y, uint64_t z, uint64_t segment) {
    uint64_t arguments[5] = {INIT, x, y, z, segment};
    return smelt_rt_enter(context, table, arguments, &result);
}

GUEST static void first_function(void) {}
GUEST static void second_function(void) {}
/* What the second function's table entry would call after its charge. */
GUEST static void second_body(void) {}

static const struct smelt_rt_function functions[2] = {{.table_entry = (void *)first_function, .type_id = 1},
                                                      {.table_entry = (void *)second_function,
                                                       .code = (void *)second_body,
                                                       .type_id = 2}};
static const uint32_t members[4] = {1, UINT32_MAX, 0, 1};
static const struct smelt_rt_element_segment segments[3] = {
    {.functions = members, .length = 2, .offset = 1},
    {.functions = members, .length = 4, .mode = 1},
    {.functions = members, .length = 4, .mode = 2},
};

static struct smelt_module_descriptor table_module(void) {
    struct smelt_module_descriptor module = guest_module();
    module.functions = functions;
    module.function_count = 2;
    module.elements = segments;
    module.element_count = 3;
    module.has_table = 1;
    module.table_minimum = 6;
    return module;
}

struct limiter {
    uint64_t used, maximum;
};

static int32_t limit(void *host, uint64_t current, uint64_t desired, uint64_t maximum) {
    struct limiter *limiter = host;
    if (desired > maximum) { return 0; }
    limiter->used += desired - current;
    limiter->maximum = maximum;
    return 1;
}

static void table_operators_check_first_and_then_act(void) {
    const int32_t out = SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS;
    struct smelt_module_descriptor module = table_module();
    struct smelt_rt_options options = guest_options();
    struct limiter limiter = {0};
    options.host = &limiter;
    options.host_limiter = limit;
    context_t *c = guest_instance(&module, &options);
    CHECK(limiter.used == SMELT_RT_PAGE + 48 && limiter.maximum == 160000);
    struct smelt_rt_table *t = c->table;
    CHECK(t->size == 6 && t->maximum == 20000);
    CHECK(t->elements[1].code == (void *)second_function && t->elements[1].context == c);
    CHECK(t->elements[1].type_id == 2 && t->elements[1].number == 1);
    CHECK(t->elements[0].code == NULL && t->elements[2].code == NULL && t->elements[2].type_id == 0);
    /* Active and declarative segments are dropped. */
    CHECK(run_segment(c, 0, 0, 1, 0) == out && run_segment(c, 0, 0, 1, 2) == out && run_segment(c, 0, 0, 0, 2) == 0);
    CHECK(run_segment(c, 2, 0, 4, 1) == 0 && t->elements[4].code == (void *)first_function);
    CHECK(run_segment(c, 3, 0, 4, 1) == out && run_segment(c, 0, 2, 3, 1) == out && t->elements[0].code == NULL);
    CHECK(run(c, COPY, 0, 2, 3, NULL) == 0 && t->elements[0].code == (void *)second_function);
    CHECK(run(c, COPY, 4, 0, 3, NULL) == out && run(c, COPY, 0, 4, 3, NULL) == out);
    CHECK(run(c, DROP, 1, 0, 0, NULL) == 0 && run_segment(c, 0, 0, 1, 1) == out);
    /* A reference is one record per function, whichever way it was got. */
    CHECK(run(c, REF, 1, 0, 0, NULL) == 0);
    const struct smelt_rt_funcref *second = (const struct smelt_rt_funcref *)result;
    CHECK(second->code == (void *)second_function);
    CHECK(run(c, GET, 0, 0, 0, NULL) == 0 && result == (uint64_t)second);
    CHECK(run(c, GET, 6, 0, 0, NULL) == out);
    CHECK(run(c, SET, 0, 0, 0, NULL) == 0 && t->elements[0].code == NULL);
    CHECK(run(c, GET, 0, 0, 0, NULL) == 0 && result == 0);
    CHECK(run(c, SET, 6, 0, 0, second) == out && run(c, SET, 5, 0, 0, second) == 0);
    CHECK(run(c, FILL, 4, 0, 3, second) == out && t->elements[4].code == (void *)first_function);
    CHECK(run(c, FILL, 3, 0, 3, second) == 0 && t->elements[3].type_id == 2);
    /* Growth: the cap is the limiter's maximum; nothing is taken for what it refuses. */
    uint64_t used = limiter.used;
    CHECK(run(c, GROW, 0, 0, 0, NULL) == 0 && result == 6);
    CHECK(run(c, GROW, 0, 0, 19995, NULL) == 0 && result == 0xffffffff && limiter.used == used);
    CHECK(run(c, GROW, 0, 0, 2, second) == 0 && result == 6 && t->size == 8);
    CHECK(t->elements[7].code == (void *)second_function && limiter.used == used + 16);
    CHECK(run(c, GROW, 0, 0, 19992, NULL) == 0 && result == 8 && t->size == 20000);
    CHECK(t->elements[19999].code == NULL && t->elements[7].code == (void *)second_function);
    CHECK(run(c, GROW, 0, 0, 0xffffffff, NULL) == 0 && result == 0xffffffff);
    smelt_rt_instance_destroy(c);
}

/* ---- Linked instances (suite profile) ----------------------------------------------------------------*/

static bool grow_both_see(context_t *one, context_t *other) {
    uint64_t pages = 1, previous = 0;
    int32_t trap = smelt_rt_enter(one, guest_grow, &pages, &previous);
    return trap == 0 && previous == 1 && one->memory_bytes == 2 * SMELT_RT_PAGE &&
           other->memory_bytes == one->memory_bytes;
}

static void linked_instances_share_memory_table_and_globals(void) {
    const uint8_t mutable_i32[] = {0x7f, 1}, constant_i32[] = {0x7f, 0};
    struct smelt_rt_global exported[1] = {{.value = 3, .type = 0x7f, .is_mutable = 1}};
    struct smelt_module_descriptor exporter = table_module();
    exporter.globals = exported;
    exporter.global_count = 1;
    exporter.memory_maximum = 4;
    struct smelt_rt_options options = guest_options();
    context_t *a = guest_instance(&exporter, &options);

    struct smelt_rt_import imports[3] = {
        {.kind = SMELT_RT_MEMORY, .minimum = 1, .maximum = 4},
        {.kind = SMELT_RT_TABLE, .minimum = 6, .maximum = UINT32_MAX},
        {.kind = SMELT_RT_GLOBAL, .signature = mutable_i32},
    };
    struct smelt_rt_global own[3] = {{.type = 0x7f, .is_mutable = 1, .is_imported = 1},
                                     {.type = 0x7f, .from_global = 1, .init = 1},
                                     {.type = 0x70, .value = 1, .init = 2}};
    const uint8_t bytes[] = {9};
    struct smelt_rt_data_segment data = {.bytes = bytes, .length = 1, .offset_global = 1};
    struct smelt_rt_extern rows[3] = {{SMELT_RT_MEMORY, 0, a}, {SMELT_RT_TABLE, 0, a}, {SMELT_RT_GLOBAL, 0, a}};
    struct smelt_module_descriptor importer = table_module();
    importer.has_memory = importer.has_table = 0;
    importer.imports = imports;
    importer.import_count = 3;
    importer.globals = own;
    importer.global_count = 3;
    importer.data = &data;
    importer.data_count = 1;
    options.externs = rows;
    options.extern_count = 3;
    context_t *b = guest_instance(&importer, &options);
    CHECK(b->memory_base == a->memory_base && b->table == a->table);
    CHECK(a->memory_base[3] == 9 && b->globals[1] == 3);
    /* A reference from a global's initialiser leads past the trampoline, other ones do not. */
    const struct smelt_rt_funcref *bare = (const struct smelt_rt_funcref *)b->globals[2];
    CHECK(bare->code == (void *)second_body && bare->type_id == 2 && bare->context == b);
    CHECK(b->ref_func(b, 1)->code == (void *)second_function);
    b->table_set(b, 0, bare);
    CHECK(b->table_get(b, 0) == bare);
    CHECK(smelt_rt_instance_global(b, 0) == &a->globals[0] && smelt_rt_instance_global(b, 3) == NULL);
    CHECK(a->table->elements[1].context == b); /* its segment wrote into the exporter's table */
    /* Growth through either is seen by both. */
    CHECK(grow_both_see(b, a));
    /* A fault in the shared memory through the importer is a trap. */
    uint64_t value;
    CHECK(load8(b, a->memory_bytes, &value) == SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS);

    /* What does not fit is refused, and refusing leaks nothing. */
    context_t *refused = NULL;
    imports[0].maximum = 3;
    CHECK(smelt_rt_instance_create(&importer, &options, &refused) == SMELT_RT_BAD_IMPORT && refused == NULL);
    imports[0].maximum = 4;
    imports[1].minimum = 7;
    CHECK(smelt_rt_instance_create(&importer, &options, &refused) == SMELT_RT_BAD_IMPORT);
    imports[1].minimum = 6;
    imports[1].maximum = 100;
    CHECK(smelt_rt_instance_create(&importer, &options, &refused) == SMELT_RT_BAD_IMPORT);
    imports[1].maximum = UINT32_MAX;
    imports[2].signature = constant_i32;
    CHECK(smelt_rt_instance_create(&importer, &options, &refused) == SMELT_RT_BAD_IMPORT);
    options.extern_count = 2;
    CHECK(smelt_rt_instance_create(&importer, &options, &refused) == SMELT_RT_BAD_IMPORT);
    /* The memory lives as long as one of the two does. */
    smelt_rt_instance_destroy(b);
    a->memory_base[0] = 1;
    CHECK(load8(a, 0, &value) == 0 && value == 1);
    smelt_rt_instance_destroy(a);
}

void test_tables(void) {
    table_operators_check_first_and_then_act();
    linked_instances_share_memory_table_and_globals();
}
