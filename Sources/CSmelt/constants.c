/* constants.c: what the header promises, checked where it is compiled. */
#include "smelt.h"

#define SAME(condition) _Static_assert(condition, #condition)

SAME(sizeof(smelt_bytes) == 16);
SAME(sizeof(smelt_amount) == 16);
SAME(sizeof(smelt_engine_options) == 48);
SAME(sizeof(smelt_block) == 32);
SAME(sizeof(smelt_store_callbacks) == 48);
SAME(sizeof(smelt_fault) == 24);
SAME(sizeof(smelt_outside) == 72);
SAME(sizeof(smelt_redirect) == 32);
SAME(sizeof(smelt_session_options) == 24);
SAME(sizeof(smelt_epoch) == 96);
SAME(sizeof(smelt_receipt) == 160);
