package gemm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

func TestRoundPanel(t *testing.T) {
	kerneltest.NeedBF16(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		k, n := 1+r.IntN(70), 1+r.IntN(70)
		b := tile.Matrix{Stride: n + r.IntN(5), Transposed: r.IntN(2) == 0}
		if b.Transposed {
			b.Stride = k + r.IntN(5)
		}
		b.Data = kerneltest.Draw(r, b.Length(k, n))
		want := tile.Words(packBF16(nil, k, n, b).data)
		pairs := (k + 1) / 2
		for j := 0; j < n; j += tile.NarrowWide {
			panel := tile.Words(kerneltest.Draw(r, pairs*tile.NarrowWide))
			tile.RoundPanel(panel, b, k, n, j)
			if !slices.Equal(panel, want[j*pairs:][:len(panel)]) {
				t.Fatalf("%d×%d, columns from %d of %+v", k, n, j, b.Transposed)
			}
		}
	}
}

func TestBF16Rounding(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct{ x, want float32 }{
		{1, 1}, {-1.5, -1.5},
		{1 + 0x1p-8, 1},                    // a tie, to even
		{1 + 0x3p-8, 1 + 0x1p-6},           // the other way
		{1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7}, // more than a tie
		{math.MaxFloat32, inf}, {inf, inf}, {-inf, -inf},
		{0x1p-126, 0x1p-126}, {0x1p-127, 0}, {-0x1p-130, 0},
	} {
		if got := tile.FromBF16(tile.ToBF16(c.x)); got != c.want {
			t.Errorf("%v rounds to %v, not %v", c.x, got, c.want)
		}
	}
	if got := tile.FromBF16(tile.ToBF16(float32(math.NaN()))); got == got {
		t.Errorf("NaN rounds to %v", got)
	}
}

// TestBF16RoundingOfVectors compares the instruction with plain Go on all kinds of bits, so also its encoding.
func TestBF16RoundingOfVectors(t *testing.T) {
	if level.Best() < level.AVX512BF16 {
		t.Skip("this machine has no AVX512-BF16")
	}
	r := kerneltest.Generator(73)
	row := make([]float32, 32*64)
	for i := range row {
		b := r.Uint32()
		switch r.IntN(4) {
		case 0:
			b = b&^0xffff | 0x8000 // a tie
		case 1:
			b |= 0x7f800000 // NaN and infinity
		case 2:
			b &^= 0x7f800000 // denormal
		}
		row[i] = math.Float32frombits(b)
	}
	got := make([]uint32, len(row)/2)
	tile.RoundPairs(got, row)
	for i, w := range got {
		want := uint32(tile.ToBF16(row[2*i])) | uint32(tile.ToBF16(row[2*i+1]))<<16
		if w != want {
			t.Fatalf("pair %d of %x %x is %08x, not %08x", i, math.Float32bits(row[2*i]), math.Float32bits(row[2*i+1]), w, want)
		}
	}
}
