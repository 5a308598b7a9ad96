package assign

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
)

// cutOf cuts a drawn picture of patches of one colour each, with noise.
func cutOf(seed uint64, width, height, count int) *Superpixels {
	n := width * height
	picture, colours := draw(seed, 3*n), draw(seed+1, 3*16)
	for c := range 3 {
		for i := range n {
			patch := i%width*4/width + i/width*4/height*4
			picture[c*n+i] = 128 + 60*colours[c*16+patch] + 4*picture[c*n+i]
		}
	}
	return SLIC{Count: count, Compactness: 10, Rounds: 5}.Cut(picture, width, height)
}

// TestSpread: the walk over all pairs of regions that are near enough, in float64.
func TestSpread(t *testing.T) {
	s := cutOf(60, 40, 30, 60)
	o := Spread{Weight: 0.8, Colour: 25, Place: 4, Rounds: 3}
	own := draw(62, s.Width*s.Height)
	p := &Planes{Width: s.Width, Height: s.Height, Labels: [][]float32{own}}
	if err := p.Vote(t.Context(), NewRegions(s, o, 0)); err != nil {
		t.Fatal(err)
	}
	n := len(s.spots)
	mean := make([]float64, n)
	for i, k := range s.Of {
		mean[k] += float64(own[i]) / float64(s.spots[k].size)
	}
	weights := make([][]float64, n)
	apart := 0
	for i, x := range s.spots {
		weights[i] = make([]float64, n)
		var sum float64
		for j, y := range s.spots {
			u, v := math.Abs(float64(x.x-y.x)), math.Abs(float64(x.y-y.y))
			r, g, b := float64(x.r-y.r), float64(x.g-y.g), float64(x.b-y.b)
			e := (r*r+g*g+b*b)/(2*o.Colour*o.Colour) + (u*u+v*v)/(2*o.Place*o.Place)
			if u > 3*o.Place || v > 3*o.Place || e > 9 {
				apart++
				continue
			}
			weights[i][j] = float64(y.size) * math.Exp(-e)
			sum += weights[i][j]
		}
		for j := range weights[i] {
			weights[i][j] /= sum
		}
	}
	if apart == 0 || apart > n*n*9/10 {
		t.Fatalf("%d of %d pairs are apart: the test sees one side of the rule", apart, n*n)
	}
	from := mean
	for range o.Rounds {
		to := make([]float64, n)
		for i := range to {
			to[i] = (1 - o.Weight) * mean[i]
			for j, w := range weights[i] {
				to[i] += o.Weight * w * from[j]
			}
		}
		from = to
	}
	want := make([]float64, len(own))
	for i, k := range s.Of {
		want[i] = from[k]
	}
	near(t, "spread", p.Labels[0], want, 1e-4)
}

// TestLevels: every union is the best of all neighbours', its loss counted anew from
// the regions' colours; a half is left at each level; and a vote is the mean over
// levels.
func TestLevels(t *testing.T) {
	s := cutOf(70, 36, 28, 40)
	levels := s.levels(2)
	of := make([]int32, s.Count())
	for i := range of {
		of[i] = int32(i)
	}
	for level, got := range levels {
		for countOf(of) > s.Count()>>(level+1) {
			a, b := cheapest(s, of)
			for i, k := range of {
				if k == max(a, b) || k == min(a, b) {
					of[i] = min(a, b)
				}
			}
		}
		if !samePartition(of, got) {
			t.Fatalf("level %d: %v, want %v", level, got, of)
		}
	}
	plane := draw(72, s.Width*s.Height)
	p := &Planes{Width: s.Width, Height: s.Height, Labels: [][]float32{plane}}
	if err := p.Vote(t.Context(), NewRegions(s, Spread{}, 2)); err != nil {
		t.Fatal(err)
	}
	own := make([]int32, s.Count())
	for i := range own {
		own[i] = int32(i)
	}
	want := make([]float64, len(plane))
	for _, of := range append([][]int32{own}, levels...) {
		sum, count := map[int32]float64{}, map[int32]float64{}
		for i, k := range s.Of {
			sum[of[k]] += float64(plane[i])
			count[of[k]]++
		}
		for i, k := range s.Of {
			want[i] += sum[of[k]] / count[of[k]] / 3
		}
	}
	near(t, "over levels", p.Labels[0], want, 1e-5)
}

func countOf(of []int32) int {
	seen := slices.Clone(of)
	slices.Sort(seen)
	return len(slices.Compact(seen))
}

// cheapest finds the neighbours whose union loses least.
func cheapest(s *Superpixels, of []int32) (a, b int32) {
	beside := map[[2]int32]bool{}
	for i, k := range s.Of {
		for _, j := range []int{i + 1, i + s.Width} {
			if j < len(s.Of) && (j > i+1 || (i+1)%s.Width > 0) && of[k] != of[s.Of[j]] {
				beside[[2]int32{min(of[k], of[s.Of[j]]), max(of[k], of[s.Of[j]])}] = true
			}
		}
	}
	spread := func(in func(k int32) bool) (squares float64) { // of colours, around their mean
		var sum [3]float64
		var n float64
		for pass := range 2 {
			for k, x := range s.spots {
				if !in(of[k]) {
					continue
				}
				for c, v := range []float32{x.r, x.g, x.b} {
					if pass == 0 {
						sum[c] += float64(v) * float64(x.size)
					} else {
						d := float64(v) - sum[c]/n
						squares += d * d * float64(x.size)
					}
				}
				if pass == 0 {
					n += float64(x.size)
				}
			}
		}
		return squares
	}
	least := math.Inf(1)
	for pair := range beside {
		loss := spread(func(k int32) bool { return k == pair[0] || k == pair[1] }) -
			spread(func(k int32) bool { return k == pair[0] }) - spread(func(k int32) bool { return k == pair[1] })
		if loss < least {
			least, a, b = loss, pair[0], pair[1]
		}
	}
	return a, b
}

func samePartition(a, b []int32) bool {
	to, from := map[int32]int32{}, map[int32]int32{}
	for i := range a {
		if x, ok := to[a[i]]; ok && x != b[i] {
			return false
		}
		if x, ok := from[b[i]]; ok && x != a[i] {
			return false
		}
		to[a[i]], from[b[i]] = b[i], a[i]
	}
	return true
}

// TestVoteEdges: pictures of one place, of one colour, and an ended context.
func TestVoteEdges(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {5, 1}, {1, 7}, {9, 9}} {
		n := size[0] * size[1]
		s := SLIC{Count: 4, Compactness: 10, Rounds: 5}.Cut(make([]float32, 3*n), size[0], size[1])
		plane := make([]float32, n)
		for i := range plane {
			plane[i] = 0.25
		}
		p := &Planes{Width: size[0], Height: size[1], Labels: [][]float32{plane}}
		r := NewRegions(s, Spread{Weight: 0.9, Colour: 20, Place: 2, Rounds: 5}, 3)
		if err := p.Vote(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		for i, v := range p.Labels[0] {
			if math.Abs(float64(v)-0.25) > 1e-6 {
				t.Errorf("%v: place %d is %g, all were a quarter", size, i, v)
			}
		}
		if r.Bytes() < int64(4*n) {
			t.Errorf("%v: %d bytes", size, r.Bytes())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Vote(ctx, r); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
