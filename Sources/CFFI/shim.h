#include <ffi.h>

/* libffi's types are mutable globals, which Swift refuses to touch; they are never written. */
static inline ffi_type *ffiVoid(void) { return &ffi_type_void; }
static inline ffi_type *ffiPointer(void) { return &ffi_type_pointer; }
static inline ffi_type *ffiInt32(void) { return &ffi_type_sint32; }
static inline ffi_type *ffiInt64(void) { return &ffi_type_sint64; }
static inline ffi_type *ffiFloat(void) { return &ffi_type_float; }
static inline ffi_type *ffiDouble(void) { return &ffi_type_double; }

/* The address of ffi_call itself, as the runtime's dynamic entry takes it: a trap may leave its frame, so no Swift
 * function may stand in for it. */
typedef void (*ffiCallFunction)(void *interface, void (*function)(void), void *result, void **arguments);
static inline ffiCallFunction ffiCall(void) { return (ffiCallFunction)(void (*)(void))ffi_call; }
