package main

/*
#include <smelt.h>

typedef const smelt_block smelt_const_block;
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// A handle stands for a Go value on the other side: no Go pointer crosses.
func behind(context unsafe.Pointer) *replay { return cgo.Handle(uintptr(context)).Value().(*replay) }

func bytesOf(borrowed C.smelt_bytes) []byte {
	return C.GoBytes(unsafe.Pointer(borrowed.data), C.int(borrowed.length))
}

//export goGet
func goGet(context unsafe.Pointer, cid C.smelt_bytes, block *C.smelt_buffer) C.int32_t {
	data, known := behind(context).block(string(bytesOf(cid)))
	if !known {
		return C.SMELT_NOT_FOUND
	}
	if len(data) == 0 {
		return C.smelt_buffer_set(block, nil, 0)
	}
	return C.smelt_buffer_set(block, (*C.uint8_t)(unsafe.Pointer(&data[0])), C.size_t(len(data)))
}

//export goHas
func goHas(context unsafe.Pointer, cid C.smelt_bytes) C.int32_t {
	if _, known := behind(context).block(string(bytesOf(cid))); known {
		return C.SMELT_OK
	}
	return C.SMELT_NOT_FOUND
}

//export goPut
func goPut(context unsafe.Pointer, blocks *C.smelt_const_block, count C.size_t) C.int32_t {
	own := behind(context).own
	for _, row := range unsafe.Slice(blocks, int(count)) {
		own[string(bytesOf(row.cid))] = bytesOf(row.data)
	}
	return C.SMELT_OK
}

//export goChainRandomness
func goChainRandomness(context unsafe.Pointer, epoch C.int64_t, digest *C.uint8_t) C.int32_t {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(digest)), 32), behind(context).randomness("chain", int64(epoch)))
	return C.SMELT_OK
}

//export goBeaconRandomness
func goBeaconRandomness(context unsafe.Pointer, epoch C.int64_t, digest *C.uint8_t) C.int32_t {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(digest)), 32), behind(context).randomness("beacon", int64(epoch)))
	return C.SMELT_OK
}

//export goFinalize
func goFinalize(context unsafe.Pointer) { cgo.Handle(uintptr(context)).Delete() }
