package assign

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHardest: every pixel's group is the one that upsampling all maps gives, first
// on ties, whatever the sizes.
func TestHardest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for _, size := range [][4]int{{1, 1, 1, 1}, {1, 7, 5, 60}, {12, 12, 96, 96}, {14, 9, 100, 61}, {28, 28, 448, 448}, {9, 9, 4, 5}} {
		for _, kind := range []string{"smooth", "rough", "ties"} {
			gridH, gridW := size[0], size[1]
			w := &Window{Rect: Rect{Width: size[3], Height: size[2]}, GridH: gridH, GridW: gridW, Assign: make([]float32, gridH*gridW*5)}
			for i := range w.Assign {
				n, g := i/5, float64(i%5)
				switch kind {
				case "smooth":
					w.Assign[i] = float32(math.Exp(3 * math.Sin(g+float64(n%gridW)/5+(g+1)*float64(n/gridW)/13)))
				case "rough":
					w.Assign[i] = r.Float32()
				default:
					w.Assign[i] = float32(r.IntN(2))
				}
			}
			maps, best := transpose(w.Assign, gridH*gridW, 5), make([]float32, size[2]*size[3])
			want := make([]uint16, len(best))
			for g := range 5 {
				newResizer(gridH, gridW, size[2], size[3]).plane(maps[g*gridH*gridW:][:gridH*gridW], func(y int, row []float32) {
					for x, v := range row {
						if i := y*size[3] + x; g == 0 || v > best[i] {
							best[i], want[i] = v, uint16(g)
						}
					}
				})
			}
			if got := hardest(w.Assign, w); !slices.Equal(got, want) {
				t.Errorf("%v, %s: pixels have other groups", size, kind)
			}
		}
	}
}

// TestHardestOfNothing: a network that computes what is no number, which is told
// elsewhere, has groups all the same.
func TestHardestOfNothing(t *testing.T) {
	w := &Window{Rect: Rect{Width: 9, Height: 7}, GridH: 2, GridW: 2, Assign: make([]float32, 8)}
	for i := range w.Assign {
		w.Assign[i] = float32(math.NaN())
	}
	for _, g := range hardest(w.Assign, w) {
		if g > 1 {
			t.Fatalf("group %d of 2", g)
		}
	}
}
