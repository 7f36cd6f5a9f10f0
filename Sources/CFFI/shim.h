#include <ffi.h>

/* libffi's types are mutable globals, which Swift refuses to touch; they are never written. */
static inline ffi_type *ffiVoid(void) { return &ffi_type_void; }
static inline ffi_type *ffiPointer(void) { return &ffi_type_pointer; }
static inline ffi_type *ffiInt32(void) { return &ffi_type_sint32; }
static inline ffi_type *ffiInt64(void) { return &ffi_type_sint64; }
static inline ffi_type *ffiFloat(void) { return &ffi_type_float; }
static inline ffi_type *ffiDouble(void) { return &ffi_type_double; }
