package assign

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestGather: two looks, one mirrored and in two overlapping windows, against each
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
		{SeenWidth: 42, SeenHeight: 30, Windows: []Window{left, right}, Flipped: true},
	}
	e, err := Gather(context.Background(), views, words, Reading{From: FromPatches, Width: width, Height: height})
	if err != nil || len(e.Planes) != 4 || e.Labels != 2 || e.Kept != nil {
		t.Fatalf("%v, %+v", err, e)
	}
	for plane, owner := range []uint16{1, 2, 0, 0} {
		want := make([]float64, width*height)
		for i := range want {
			x, y := (float64(i%width)+0.5)/width, (float64(i/width)+0.5)/height
			for _, v := range views {
				if v.Flipped {
					x = 1 - x
				}
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

// TestChosen against the rule written out; the best always stays.
func TestChosen(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		k      float64
		want   []bool
	}{
		// Better half 0.9, 0.8, 0.1: mean 0.6, deviation √(0.38/3) = 0.356.
		{[]float64{0.1, 0.9, 0, 0.8, -1}, 0, []bool{false, true, false, true, false}},
		{[]float64{0.1, 0.9, 0, 0.8, -1}, 0.7, []bool{false, true, false, false, false}},
		{[]float64{0.1, 0.9, 0, 0.8, -1}, 4, []bool{false, true, false, false, false}},
		{[]float64{0.5, 0.5}, 1, []bool{true, true}},
		{[]float64{0.3}, 2, []bool{true}},
		{nil, 1, []bool{}},
	} {
		if got := Chosen(c.scores, c.k); !slices.Equal(got, c.want) {
			t.Errorf("%v with %g: %v, want %v", c.scores, c.k, got, c.want)
		}
	}
}

// TestGatherChooses: a label that a window does not keep is kept where only the
// others look.
func TestGatherChooses(t *testing.T) {
	words := drawWords(5, 4, 1, 2, 3, 4)
	a, b := drawWindow(6, 2, 2, 3, 2, 4), drawWindow(7, 2, 2, 3, 2, 4)
	a.Rect, b.Rect = Rect{0, 0, 20, 20}, Rect{20, 0, 20, 20}
	copy(a.Image, words.Vectors[4:8]) // label 2
	copy(b.Image, words.Vectors[12:]) // label 4
	e, err := Gather(context.Background(), []*View{{SeenWidth: 40, SeenHeight: 20, Windows: []Window{a, b}}}, words,
		Reading{From: FromPatches, Choose: 4, Width: 4, Height: 1})
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range [][]float32{{0, 0, 0, 0}, {1, 1, 0, 0}, {0, 0, 0, 0}, {0, 0, 1, 1}} {
		if !slices.Equal(e.Kept[label], want) {
			t.Errorf("label %d is kept %v, want %v", label+1, e.Kept[label], want)
		}
	}
}

// TestStatistics: any word's mean and deviation are those of its cosines over all
// places, from patches, groups and both.
func TestStatistics(t *testing.T) {
	const embed = 6
	views := []*View{{Windows: []Window{drawWindow(8, 3, 4, 5, 3, embed), drawWindow(9, 4, 2, 5, 3, embed)}}, {Windows: []Window{drawWindow(10, 5, 5, 5, 3, embed)}}}
	word := drawWords(11, embed, 1).Vectors
	for _, from := range []Source{FromPatches, FromGroups, FromBoth} {
		var m Moments
		var cosines []float64
		for _, v := range views {
			if err := m.Add(v, from, embed); err != nil {
				t.Fatal(err)
			}
			for k := range v.Windows {
				w := &v.Windows[k]
				for n := range w.GridW * w.GridH {
					patch := dot(w.Patches[n*embed:(n+1)*embed], word)
					var group float64
					for g := range 3 {
						group += float64(w.Assign[n*3+g]) * dot(w.Groups[g*embed:(g+1)*embed], word)
					}
					cosines = append(cosines, map[Source]float64{FromPatches: patch, FromGroups: group, FromBoth: (patch + group) / 2}[from])
				}
			}
		}
		s := m.Statistics()
		mean, deviation := s.Of(word)
		var wantMean, wantSquare float64
		for _, c := range cosines {
			wantMean += c / float64(len(cosines))
		}
		for _, c := range cosines {
			wantSquare += (c - wantMean) * (c - wantMean) / float64(len(cosines))
		}
		if err := s.Check(); err != nil || math.Abs(mean-wantMean) > 1e-6 || math.Abs(deviation-math.Sqrt(wantSquare)) > 1e-5 {
			t.Errorf("source %d: mean %g and deviation %g, want %g and %g (%v)", from, mean, deviation, wantMean, math.Sqrt(wantSquare), err)
		}
	}
	if (&Moments{}).Statistics() != nil {
		t.Error("statistics of nothing")
	}
}

// TestSteps: standardising, context, an absolute score and dropping, written out.
func TestSteps(t *testing.T) {
	const n = 20
	fresh := func() *Evidence {
		return &Evidence{Width: n, Height: 1, Labels: 2, Planes: [][]float32{draw(12, n), draw(13, n), draw(14, n)}}
	}
	e, before := fresh(), fresh()
	e.Standardise([]float64{0.1, 0.2, -0.3}, []float64{0.5, 0, 0.25})
	for p, d := range []float64{0.5, 0.25, 0.25} { // a deviation of 0 is the smallest other
		want := doubles(before.Planes[p])
		for i := range want {
			want[i] = (want[i] - []float64{0.1, 0.2, -0.3}[p]) / d
		}
		near(t, "standardised", e.Planes[p], want, 1e-5)
	}
	e = fresh()
	e.Context(0.5)
	for p := range e.Planes {
		sorted := slices.Sorted(slices.Values(before.Planes[p]))
		best := (float64(sorted[n-1]) + float64(sorted[n-2])) / 2 // a tenth of 20
		want := doubles(before.Planes[p])
		for i := range want {
			want[i] += 0.5 * best
		}
		near(t, "context", e.Planes[p], want, 1e-5)
	}
	e = fresh()
	e.Absolute(0.25)
	e.Keep([]bool{true, false})
	for i := range n {
		if want := before.Planes[0][i] >= 0.25; (e.Kept[0][i] == 1) != want || e.Kept[1][i] != 0 {
			t.Errorf("place %d with score %g is kept %g, %g", i, before.Planes[0][i], e.Kept[0][i], e.Kept[1][i])
		}
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
