package gemm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// TestInt8Rounding bounds what rounding does to rows and columns: half a step, and nothing to zero.
func TestInt8Rounding(t *testing.T) {
	r := kerneltest.Generator(81)
	for _, k := range []int{1, 3, 15, 16, 17, 100, 4*tile.Int8Block - 1, 4 * tile.Int8Block, 4*tile.Int8Block + 1, 9 * tile.Int8Block} {
		x := kerneltest.Draw(r, k)
		shift := float32(r.NormFloat64())
		for i := range x {
			if x[i] += shift; i%7 == 3 {
				x[i] = 0
			}
		}
		row := inBytes(1, k, tile.Matrix{Data: x, Stride: k}).Data
		column := packInt8(nil, k, 1, tile.Matrix{Data: x, Stride: 1}).unpackInt8().Data
		tile.Int8Blocks(k, func(from, to, _ int) {
			var least, most float32
			for _, v := range x[from:to] {
				least, most = min(least, v), max(most, v)
			}
			stepA, stepB := float64(most-least)/255, float64(max(most, -least))/127
			for q := from; q < to; q++ {
				if d := math.Abs(float64(row[q] - x[q])); d > 0.5001*stepA || x[q] == 0 && row[q] != 0 {
					t.Fatalf("k %d: %v became %v in a row, step %v", k, x[q], row[q], stepA)
				}
				if d := math.Abs(float64(column[q] - x[q])); d > 0.5001*stepB || x[q] == 0 && column[q] != 0 {
					t.Fatalf("k %d: %v became %v in a column, step %v", k, x[q], column[q], stepB)
				}
			}
		})
	}
}

// TestInt8RoundingOfVectors compares the instructions with plain Go, word by word.
func TestInt8RoundingOfVectors(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		if level.Current() < level.Int8Level {
			t.Skip("no instructions for it")
		}
		r := kerneltest.Generator(82)
		for i := range 2000 {
			x := rowOfBytes(r, i)
			got, want := make([]uint32, tile.Int8Words(len(x))), make([]uint32, tile.Int8Words(len(x)))
			tile.RoundBytes(want, x, false)
			if level.Current() >= level.AVX512VNNI {
				tile.RoundBytes(got, x, true)
			} else {
				pairs := make([]uint32, 2*len(got))
				tile.Int8Blocks(len(x), func(from, to, word int) {
					tile.RoundPairBlock(pairs[2*word:], x[from:to])
					end := word + (to-from+3)/4
					for g := word; g < end; g++ {
						got[g] = pairs[2*g] | pairs[2*g+1]<<8
					}
					got[end], got[end+1] = pairs[2*end], pairs[2*end+2]
				})
			}
			for j := range want {
				if nan := func(w uint32) bool { v := math.Float32frombits(w); return v != v }; got[j] != want[j] && !(nan(got[j]) && nan(want[j])) {
					t.Fatalf("case %d of %d terms: word %d is %08x, not %08x", i%8, len(x), j, got[j], want[j])
				}
			}
		}
	})
}

// rowOfBytes draws a row that is hard to round in one of eight ways.
func rowOfBytes(r *rand.Rand, i int) []float32 {
	k := 1 + r.IntN(200)
	x := kerneltest.Draw(r, k)
	switch i % 8 {
	case 0: // of one sign
		for q := range x {
			x[q] = -abs(x[q])
		}
	case 1: // very large
		for q := range x {
			x[q] *= 1e38
		}
	case 2: // too small for a scale
		for q := range x {
			x[q] *= 1e-40
		}
	case 3:
		clear(x)
	case 4:
		x[r.IntN(k)] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[r.IntN(3)]
	case 5: // ties
		for q := range x {
			x[q] = float32(r.IntN(511)-255) / 2
		}
		x[0] = 127.5
	}
	return x
}
