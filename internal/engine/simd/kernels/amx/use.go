package amx

import (
	"cmp"
	"sync"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// Runner runs a microkernel.
type Runner func(kind Kind, t *Call)

// found is what the first use of tiles found out.
type found struct {
	pairs, bytes Runner // nil where tiles are not used for bfloat16, or for bytes
	why          string // they are not, though the CPU has them
}

// firstUse asks for tiles, once: the permission holds for the process and makes its signals need larger stacks, so it is
// not asked for before somebody wants bfloat16 or bytes.
var firstUse = sync.OnceValue(func() found { return examine(request()) })

// examine checks microkernels that the system permits; why says why it does not.
func examine(run Runner, why string) (f found) {
	if run == nil {
		return found{why: why}
	}
	wrong := func(what string) string { return "tiles give wrong results for " + what }
	if f.pairs = run; !soundPairs(run) {
		f.pairs, f.why = nil, wrong("bf16")
	}
	switch f.bytes = run; {
	case !level.TilesOfBytes():
		f.bytes, f.why = nil, cmp.Or(f.why, "the CPU's tiles know no int8")
	case !soundBytes(run):
		f.bytes, f.why = nil, cmp.Or(f.why, wrong("int8"))
	}
	return f
}

// assumed, where set, stands for what the machine has.
var assumed Runner

// Assume puts the model or an interpreter in the place of the machine's tiles, and returns a function that ends
// this. It is for tests: nothing may be computing meanwhile.
func Assume(run Runner) (restore func()) {
	old := assumed
	assumed = run
	return func() { assumed = old }
}

// Use gives what runs tiles of bfloat16, or nil where AVX512-BF16 does the work.
func Use() Runner { return use().pairs }

// UseBytes gives what runs tiles of bytes, or nil where VNNI does the work.
func UseBytes() Runner { return use().bytes }

func use() found {
	switch {
	case assumed != nil:
		return found{pairs: assumed, bytes: assumed}
	case level.Current() < level.AMX:
		return found{}
	}
	return firstUse()
}

// Note says why the tiles (AMX) of this machine's CPU are not used; "" where they are, or where it has none. It
// asks the system for the permission to use them.
func Note() string {
	switch {
	case level.Current() == level.Best() && level.Best() < level.AMX:
		return level.TilesMissing()
	case level.Current() < level.AMX:
		return "" // GROUPVIT_SIMD asks for less
	}
	return firstUse().why
}
