package kernels

import "testing"

// What is asked for in bfloat16 is computed so only where that is faster; the other formats are what they are.
func TestComputed(t *testing.T) {
	if Path() < BFloat16.Level() {
		t.Skip("this CPU has no AVX512-BF16")
	}
	for _, pays := range []bool{true, false} {
		undo := AssumePays(pays)
		for _, f := range []Format{Float32, BFloat16, Int8} {
			want := f
			if f == BFloat16 && !pays {
				want = Float32
			}
			if got := f.Computed(); got != want {
				t.Errorf("rounding pays %v: %v is computed in %v", pays, f, got)
			}
		}
		undo()
	}
	t.Logf("a block of float32 takes %v, one of as many words in bfloat16 %v: computed in %v", tileTime(AVX512), tileTime(bf16Tiles), BFloat16.Computed())
}
