package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"
)

// onTiles runs the products of the test by tiles that the model computes: it drives the blocking on any machine.
func onTiles(t *testing.T, run amxRunner) {
	t.Helper()
	old := amxAssumed
	amxAssumed = run
	t.Cleanup(func() { amxAssumed = old })
}

// The model of the tiles agrees with sums in float64, and with itself.
func TestAMXModel(t *testing.T) {
	if !soundAMX(amxModel) {
		t.Error("the model differs from itself")
	}
	for name, wrong := range map[string]amxRunner{
		"nothing is computed": func(amxKind, *amxTile) {},
		"C is not added to":   func(k amxKind, t *amxTile) { u := *t; u.flags = 0; amxModel(k, &u) },
		"always two blocks":   func(k amxKind, t *amxTile) { u := *t; u.blocks = 1; amxModel(k, &u) },
		"another panel":       func(k amxKind, t *amxTile) { u := *t; u.panelB = 0; amxModel(k, &u) },
		"a step is left out":  func(k amxKind, t *amxTile) { u := *t; u.steps = max(1, u.steps-1); amxModel(k, &u) },
	} {
		if soundAMX(wrong) {
			t.Errorf("%s, and the check does not see it", name)
		}
	}
}

// Products by tiles against float64, every layout, epilogue and size of edges, and a protected page behind every operand
// in amx_guard_linux_test.go.
func TestGemmAMX(t *testing.T) {
	onTiles(t, amxModel)
	r := generator(91)
	for range 150 {
		randomNarrow(r, BFloat16).run(t, func(n int) []float32 { return draw(r, n) }, nil)
	}
	for _, size := range [][3]int{{1, 32, 16}, {16, 64, 512}, {17, 96, 513}, {33, 65, 1100}, {300, 40, 70}, {270, 33, 1030}} {
		c := narrowCase{format: BFloat16, m: size[0], n: size[1], k: size[2], bias: true, act: ReLU}
		c.run(t, func(n int) []float32 { return draw(r, n) }, nil)
	}
}

// Whatever the threads and however rows fall into blocks, a product by tiles has the same bits.
func TestGemmAMXThreads(t *testing.T) {
	onTiles(t, amxModel)
	r := generator(92)
	const m, n, k = 530, 200, 700
	a, b := Matrix{Data: draw(r, m*k), Stride: k}, Pack(nil, BFloat16, k, n, Matrix{Data: draw(r, k*n), Stride: n})
	var first []float32
	for _, threads := range []int{1, 2, 5} {
		pool, c := NewPool(threads), make([]float32, m*n)
		GemmPacked(pool, m, a, b, c, n, Epilogue{})
		pool.Close()
		if first == nil {
			first = c
		}
		sameBits(t, fmt.Sprint(threads, " threads"), c, first)
	}
	for _, rows := range []int{1, 7, 16, 23, 32, 48} {
		c := make([]float32, rows*n)
		GemmPacked(nil, rows, a, b, c, n, Epilogue{})
		sameBits(t, fmt.Sprint(rows, " rows"), c, first[:rows*n])
	}
}

// Products of changing operands, as in training, go by tiles too, in both transpositions.
func TestGemmBF16ByTiles(t *testing.T) {
	onTiles(t, amxModel)
	if Path() < AVX512BF16 {
		t.Skip("rounds by packing on this CPU: see TestGemmAMX")
	}
	r := generator(93)
	for layout := range 4 {
		k := narrowCase{format: BFloat16, m: 70, n: 90, k: 75, ta: layout&1 != 0, tb: layout&2 != 0, extra: 3, bias: true, act: ReLU}
		a, b, c, e := k.operands(func(n int) []float32 { return draw(r, n) })
		want := slices.Clone(c)
		GemmPacked(nil, k.m, a, Pack(nil, BFloat16, k.k, k.n, b), want, k.n+k.extra, e)
		GemmBF16(nil, k.m, k.n, k.k, a, b, c, k.n+k.extra, e)
		if !slices.Equal(c, want) {
			t.Errorf("layout %d: another product than with a packed operand", layout)
		}
	}
}

// The generator knows these offsets.
func TestAMXTileOffsets(t *testing.T) {
	var x amxTile
	for i, at := range []uintptr{unsafe.Offsetof(x.a), unsafe.Offsetof(x.b), unsafe.Offsetof(x.c), unsafe.Offsetof(x.blocks), unsafe.Offsetof(x.steps),
		unsafe.Offsetof(x.rowA), unsafe.Offsetof(x.row16A), unsafe.Offsetof(x.blockA), unsafe.Offsetof(x.rowC), unsafe.Offsetof(x.row16C),
		unsafe.Offsetof(x.blockC), unsafe.Offsetof(x.panelB), unsafe.Offsetof(x.flags)} {
		if want := uintptr(64 + 8*i); unsafe.Sizeof(uintptr(0)) == 8 && at != want {
			t.Errorf("field %d lies at %d, not at %d", i, at, want)
		}
	}
}

// Denormal numbers count as zero, as operands and as results.
func TestAMXModelDenormals(t *testing.T) {
	tiny := math.Float32frombits(1)
	for x, want := range map[float32]float32{tiny: 0, 1e-39: 0, 1: 1, math.Float32frombits(0x00800000): math.Float32frombits(0x00800000)} {
		if got := flushed(x); got != want {
			t.Errorf("%g counts as %g, not %g", x, got, want)
		}
	}
}
