/* checks.c: the layout that compiled artifacts rely on. A failure here means a new ABI version, not a new number. */
#include "internal.h"

#define AT(field, offset)                                                                                              \
    _Static_assert(offsetof(struct smelt_rt_context, field) == (offset), "context." #field " has moved")

AT(memory_base, 0);
AT(memory_bytes, 8);
AT(gas, 16);
AT(native_limit, 24);
AT(globals, 32);
AT(table, 40);
AT(stack_limit, 48);
AT(stack_height, 52);
AT(raise, 56);
AT(call_import, 64);
AT(memory_grow, 72);
AT(memory_fill, 80);
AT(memory_copy, 88);
AT(memory_init, 96);
AT(data_drop, 104);
AT(table_init, 112);
AT(table_copy, 120);
AT(table_fill, 128);
AT(table_grow, 136);
AT(elem_drop, 144);
AT(module, 152);
AT(ref_func, 224);
AT(table_get, 232);
AT(table_set, 240);
_Static_assert(sizeof(struct smelt_rt_context) == 288, "context");
_Static_assert(sizeof(struct smelt_rt_funcref) == 32, "funcref");
_Static_assert(offsetof(struct smelt_rt_funcref, type_id) == 16, "funcref.type_id");
_Static_assert(offsetof(struct smelt_rt_table, size) == 8, "table.size");
_Static_assert(sizeof(struct smelt_rt_export) == 48, "export");
_Static_assert(sizeof(struct smelt_rt_import) == 48, "import");
_Static_assert(sizeof(struct smelt_rt_data_segment) == 32, "data segment");
_Static_assert(sizeof(struct smelt_rt_element_segment) == 32, "element segment");
_Static_assert(sizeof(struct smelt_rt_global) == 16, "global");
_Static_assert(sizeof(struct smelt_rt_function) == 32, "function");
_Static_assert(sizeof(struct smelt_rt_site) == 16, "site");
_Static_assert(sizeof(struct smelt_module_descriptor) == 184, "descriptor");

/* What the assembly relies on. */
_Static_assert(offsetof(struct smelt_rt_activation, stack_pointer) == 0, "activation.stack_pointer");
_Static_assert(offsetof(struct smelt_rt_instance, context) == 0, "an instance begins with its context");
_Static_assert(offsetof(struct smelt_rt_shared_table, table) == 0, "a shared table begins with its table");

/* No access leaves the reservation: base + (2^32 - 1) + (2^32 - 1) + 8. */
_Static_assert(SMELT_RT_SLOT_SPAN + SMELT_RT_SLOT_AFTER >= 2 * UINT64_C(0xffffffff) + 8, "guard behind");
/* And none computed with a sign-extended index, down to base - 2^31. */
_Static_assert(SMELT_RT_SLOT_BEFORE >= UINT64_C(1) << 31, "guard in front");
