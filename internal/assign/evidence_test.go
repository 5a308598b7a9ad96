package assign

import (
	"context"
	"slices"
	"testing"
)

// TestGather: two views, one in two overlapping windows, against each
// place of the canvas asked by itself.
func TestGather(t *testing.T) {
	const width, height, embed = 10, 6, 5
	words := drawWords(1, embed, 1, 1, 2, 0, 0)
	whole := drawWindow(2, 4, 3, 5, 3, embed)
	whole.Rect = Rect{0, 0, 40, 30}
	left, right := drawWindow(3, 3, 3, 5, 3, embed), drawWindow(4, 3, 3, 5, 3, embed)
	left.Rect, right.Rect = Rect{0, 0, 30, 30}, Rect{12, 0, 30, 30}
	views := []*View{
		{SeenWidth: 40, SeenHeight: 30, Windows: []Window{whole}},
		{SeenWidth: 42, SeenHeight: 30, Windows: []Window{left, right}},
	}
	e, err := Gather(context.Background(), views, words, Reading{From: FromPatches, Width: width, Height: height})
	if err != nil || len(e.Planes) != 4 || e.Labels != 2 {
		t.Fatalf("%v, %+v", err, e)
	}
	for plane, owner := range []uint16{1, 2, 0, 0} {
		want := make([]float64, width*height)
		for i := range want {
			x, y := (float64(i%width)+0.5)/width, (float64(i/width)+0.5)/height
			for _, v := range views {
				var sum, visits float64
				for k := range v.Windows {
					w := &v.Windows[k]
					u := (x*float64(v.SeenWidth) - float64(w.X)) / float64(w.Width)
					if u < 0 || u > 1 {
						continue
					}
					sum += sample(plainPatches(w, words, owner, plane+1), w.GridW, w.GridH, u, y)
					visits++
				}
				want[i] += sum / visits / 2
			}
		}
		near(t, "plane", e.Planes[plane], want, 1e-5)
	}
}

// TestSelectLargest against sorting, with many equal values among them.
func TestSelectLargest(t *testing.T) {
	for n := 1; n < 60; n++ {
		x := draw(uint64(n), n)
		for i := range x {
			if n%3 == 0 {
				x[i] = float32(int(3 * x[i]))
			}
		}
		for k := 1; k <= n; k++ {
			got := slices.Clone(x)
			selectLargest(got, k)
			want := slices.Sorted(slices.Values(x))[n-k:]
			if front := slices.Sorted(slices.Values(got[:k])); !slices.Equal(front, want) {
				t.Fatalf("the %d largest of %v: %v", k, x, front)
			}
		}
	}
}
