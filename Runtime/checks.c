/* checks.c: the layout that compiled artifacts rely on. A failure here means a new ABI version, not a new number. */
#include "internal.h"

#define AT(field, offset)                                                                                              \
    _Static_assert(offsetof(struct smelt_rt_context, field) == (offset), "context." #field " has moved")

AT(gas, 0);
AT(memory_base, 8);
AT(memory_bytes, 16);
AT(globals, 24);
AT(table, 32);
AT(raise, 40);
AT(call_import, 48);
AT(memory_grow, 56);
AT(memory_fill, 64);
AT(memory_copy, 72);
AT(memory_init, 80);
AT(data_drop, 88);
AT(table_init, 96);
AT(table_copy, 104);
AT(table_fill, 112);
AT(table_grow, 120);
AT(elem_drop, 128);
AT(module, 136);
AT(ref_func, 208);
AT(table_get, 216);
AT(table_set, 224);
_Static_assert(sizeof(struct smelt_rt_context) == 232, "context");
_Static_assert(sizeof(struct smelt_rt_funcref) == 32, "funcref");
_Static_assert(offsetof(struct smelt_rt_funcref, type_id) == 16, "funcref.type_id");
_Static_assert(offsetof(struct smelt_rt_table, size) == 8, "table.size");
_Static_assert(sizeof(struct smelt_rt_export) == 48, "export");
_Static_assert(sizeof(struct smelt_rt_import) == 48, "import");
_Static_assert(sizeof(struct smelt_rt_data_segment) == 32, "data segment");
_Static_assert(sizeof(struct smelt_rt_element_segment) == 32, "element segment");
_Static_assert(sizeof(struct smelt_rt_global) == 16, "global");
_Static_assert(sizeof(struct smelt_rt_function) == 32, "function");
_Static_assert(sizeof(struct smelt_module_descriptor) == 176, "descriptor");

/* What the assembly relies on. */
_Static_assert(offsetof(struct smelt_rt_activation, stack_pointer) == 0, "activation.stack_pointer");
_Static_assert(offsetof(struct smelt_rt_instance, context) == 0, "an instance begins with its context");
_Static_assert(offsetof(struct smelt_rt_shared_table, table) == 0, "a shared table begins with its table");

/* No access leaves the reservation: base + (2^32 - 1) + (2^32 - 1) + 8. */
_Static_assert(SMELT_RT_SLOT_SPAN + SMELT_RT_SLOT_AFTER >= 2 * UINT64_C(0xffffffff) + 8, "guard behind");
/* And none computed with a sign-extended index, down to base - 2^31. */
_Static_assert(SMELT_RT_SLOT_BEFORE >= UINT64_C(1) << 31, "guard in front");
