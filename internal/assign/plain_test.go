package assign

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The tests of techniques compare with these plain computations in float64, which
// share no code with what they test.

// draw returns n values from −1 to 1.
func draw(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = 2*r.Float32() - 1
	}
	return out
}

// drawPlanes returns planes of values from 0 to 1.
func drawPlanes(seed uint64, labels, width, height int, background bool) *Planes {
	p := &Planes{Width: width, Height: height}
	for k := range labels {
		p.Labels = append(p.Labels, half(draw(seed+uint64(k), width*height)))
	}
	if background {
		p.Background = half(draw(seed+100, width*height))
	}
	return p
}

func half(x []float32) []float32 {
	for i := range x {
		x[i] = (x[i] + 1) / 2
	}
	return x
}

// drawWindow returns a window with groups, two stages and patches.
func drawWindow(seed uint64, gridW, gridH, first, groups, width int) Window {
	n := gridW * gridH
	w := Window{GridW: gridW, GridH: gridH, Groups: draw(seed, groups*width), Patches: draw(seed+1, n*width), Image: draw(seed+2, width)}
	Normalize(w.Groups, width)
	Normalize(w.Patches, width)
	Normalize(w.Image, width)
	stage := func(seed uint64, from, to int) []float32 { // [to, from], columns sum to 1
		x := half(draw(seed, from*to))
		for i := range from {
			var sum float32
			for g := range to {
				sum += x[g*from+i]
			}
			for g := range to {
				x[g*from+i] /= sum
			}
		}
		return x
	}
	a, b := stage(seed+3, n, first), stage(seed+4, first, groups)
	w.Stages = [][]float32{Chain([][]float32{a}, []int{first}), Chain([][]float32{a, b}, []int{first, groups})}
	w.Assign = w.Stages[1]
	return w
}

// drawWords returns words of labels, some with two names, and hidden ones.
func drawWords(seed uint64, width int, owners ...uint16) Words {
	w := Words{Vectors: draw(seed, len(owners)*width), Owner: owners, Width: width}
	Normalize(w.Vectors, width)
	for _, o := range owners {
		w.Labels = max(w.Labels, int(o))
	}
	return w
}

func dot(a, b []float32) (s float64) {
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

// sample is a map's value at place (u, v) of a window, 0 to 1, between cells.
func sample(x []float64, width, height int, u, v float64) float64 {
	at := func(p float64, n int) (int, int, float64) {
		c := math.Min(math.Max(p*float64(n)-0.5, 0), float64(n-1))
		a := int(c)
		b := a
		if a+1 < n {
			b = a + 1
		}
		return a, b, c - float64(a)
	}
	x0, x1, wx := at(u, width)
	y0, y1, wy := at(v, height)
	return (1-wy)*((1-wx)*x[y0*width+x0]+wx*x[y0*width+x1]) + wy*((1-wx)*x[y1*width+x0]+wx*x[y1*width+x1])
}

// plainPatches are, by token, the cosines of a window's patches with a label's best
// name.
func plainPatches(w *Window, words Words, owner uint16, row int) []float64 {
	n := w.GridW * w.GridH
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Inf(-1)
		for r, o := range words.Owner {
			if owner > 0 && o == owner || owner == 0 && r == row {
				out[i] = math.Max(out[i], dot(w.Patches[i*words.Width:(i+1)*words.Width], words.Vectors[r*words.Width:(r+1)*words.Width]))
			}
		}
	}
	return out
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(float64(got[i])-want[i]) <= tolerance) {
			t.Fatalf("%s: value %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func doubles(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
