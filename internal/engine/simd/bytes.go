package simd

import (
	"reflect"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
)

// asIntegers gives the memory of a slice of any element type as integers.
func asIntegers[T uint8 | uint16 | uint32 | uint64](flat any) []T {
	b := dtypes.UnsafeByteSliceFromAny(flat)
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}

// length is the number of elements of a slice of any type.
func length(flat any) int { return reflect.ValueOf(flat).Len() }
