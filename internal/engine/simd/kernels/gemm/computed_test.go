package gemm

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// What is asked for in bfloat16 is computed so only where that is faster; the other formats are what they are.
func TestComputed(t *testing.T) {
	if level.Current() < tile.BFloat16.Level() {
		t.Skip("this CPU has no AVX512-BF16")
	}
	for _, pays := range []bool{true, false} {
		undo := tile.AssumePays(pays)
		for _, f := range []tile.Format{tile.Float32, tile.BFloat16, tile.Int8} {
			want := f
			if f == tile.BFloat16 && !pays {
				want = tile.Float32
			}
			if got := Computed(f); got != want {
				t.Errorf("rounding pays %v: %v is computed in %v", pays, f, got)
			}
		}
		undo()
	}
}
