package simd

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"unsafe"
	"weak"

	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// shared lets the executables of a backend have one copy of equal large constants, and one packed form: a model
// compiled for ten sizes of picture keeps its weights once. What no executable uses any more goes with the garbage.
type shared struct {
	mutex  sync.Mutex
	data   map[sharedData]weak.Pointer[float32] // first elements
	packed map[sharedPack]weak.Pointer[gemm.PackedB]
}

// fingerprint is 128 bits of hash of a constant's content; zero for one that is not shared.
type fingerprint [2]uint64

type sharedData struct {
	content fingerprint
	length  int
}

type sharedPack struct {
	content fingerprint
	level   level.Level
	packKey // without its slot
}

// shareFrom is how many elements make a constant worth sharing.
const shareFrom = 4096

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// record keeps a constant until Compile. A small one is copied. A large one is only looked at: most are weights that
// Compile packs, and a copy of all of a model's for that long would be the peak of its memory. verify sees to it
// that what is compiled is what was recorded.
func record(dtype dtypes.DType, flat any) (any, fingerprint) {
	if x, ok := flat.([]float32); ok && len(x) >= shareFrom {
		return x, fingerprintOf(x)
	}
	own := dtypes.MakeAnySlice(dtype, length(flat))
	dtypes.CopyAnySlice(own, flat)
	return own, fingerprint{}
}

func fingerprintOf(x []float32) fingerprint {
	content := dtypes.UnsafeByteSlice(x)
	return fingerprint{maphash.Bytes(seeds[0], content), maphash.Bytes(seeds[1], content)}
}

// verify reports whether a large constant is still what it was when it was recorded.
func (n *node) verify() error {
	if n.content == (fingerprint{}) || fingerprintOf(n.attr.([]float32)) == n.content {
		return nil
	}
	return fmt.Errorf("constant of shape %s: somebody changed its memory before the computation was compiled", n.values[0].shape)
}

// constant gives a copy of x that nobody changes: an older one where that has the same content.
func (s *shared) constant(x []float32, print fingerprint) []float32 {
	content := dtypes.UnsafeByteSlice(x)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	key := sharedData{print, len(x)}
	if p := s.data[key].Value(); p != nil {
		if known := unsafe.Slice(p, len(x)); bytes.Equal(dtypes.UnsafeByteSlice(known), content) {
			return known
		}
	}
	own := append(make([]float32, 0, len(x)), x...)
	if s.data == nil {
		s.data = map[sharedData]weak.Pointer[float32]{}
	}
	s.data[key] = weak.Make(&own[0])
	return own
}

// adoptFrom is how many elements make an adopted constant worth hashing: tables of words, which are not packed.
const adoptFrom = 1 << 20

// adopt makes x, which nobody changes, the copy of all constants with its content.
func (s *shared) adopt(x []float32) {
	key := sharedData{fingerprintOf(x), len(x)}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.data == nil {
		s.data = map[sharedData]weak.Pointer[float32]{}
	}
	s.data[key] = weak.Make(&x[0])
}

// pack gives the packed form of a constant with that content, made by f where there is none.
func (s *shared) pack(key sharedPack, f func() *gemm.PackedB) *gemm.PackedB {
	s.mutex.Lock()
	p := s.packed[key].Value()
	s.mutex.Unlock()
	if p != nil {
		return p
	}
	p = f()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.packed == nil {
		s.packed = map[sharedPack]weak.Pointer[gemm.PackedB]{}
	}
	s.packed[key] = weak.Make(p)
	return p
}

// sweep forgets what is gone.
func (s *shared) sweep() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	maps.DeleteFunc(s.data, func(_ sharedData, p weak.Pointer[float32]) bool { return p.Value() == nil })
	maps.DeleteFunc(s.packed, func(_ sharedPack, p weak.Pointer[gemm.PackedB]) bool { return p.Value() == nil })
}
