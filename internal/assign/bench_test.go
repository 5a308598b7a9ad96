package assign

import (
	"fmt"
	"math"
	"testing"
)

// BenchmarkDecide decides between 30 planes of 448 × 597, as 4 labels and 26
// background words make, for photos of 0.2 and 12 megapixels.
func BenchmarkDecide(b *testing.B) {
	v := &View{Width: 500, Height: 375, SeenWidth: 597, SeenHeight: 448}
	s := newScores(v, 4, false)
	for range 26 {
		s.add(0)
	}
	for p, plane := range s.Planes {
		for i := range plane {
			plane[i] = float32(math.Sin(float64(p*i) / 1000))
		}
	}
	s.Sharpness = 14
	for _, size := range [][2]int{{500, 375}, {4000, 3000}} {
		for _, threshold := range []float64{0, 0.3} {
			b.Run(fmt.Sprintf("%dx%d, threshold %g", size[0], size[1], threshold), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Decide(b.Context(), size[0], size[1], threshold, false); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkHardest finds the groups of two windows of 448 pixels as the paper's network
// sees them: 28 × 28 patches, eight groups, most patches sure of theirs.
func BenchmarkHardest(b *testing.B) {
	v := &View{Width: 500, Height: 375, SeenWidth: 597, SeenHeight: 448}
	for _, x := range []int{0, 149} {
		w := Window{Rect: Rect{X: x, Width: 448, Height: 448}, GridH: 28, GridW: 28, Assign: make([]float32, 28*28*8)}
		for n := range 28 * 28 {
			column, row := float64(n%28), float64(n/28)
			for g := range 8 {
				w.Assign[n*8+g] = float32(math.Exp(4 * math.Sin(float64(g)+column/6+float64(g+1)*row/20)))
			}
		}
		v.Windows = append(v.Windows, w)
	}
	for b.Loop() {
		for i := range v.Windows {
			hardest(v.Windows[i].Assign, &v.Windows[i])
		}
	}
}

// BenchmarkRegions cuts the canvas of a photo of 500 × 375 for a network of 12 × 12
// patches, and of 37 × 28; BenchmarkVote lets 12 planes vote.
func BenchmarkRegions(b *testing.B) {
	for _, count := range []int{120, 860} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				s := cutOf(1, 125, 94, count)
				NewRegions(s, Spread{Weight: 0.9, Colour: 20, Place: 1.6 * math.Sqrt(125*94/1.2/float64(count)), Rounds: 5}, 2)
			}
		})
	}
}

func BenchmarkVote(b *testing.B) {
	for _, count := range []int{120, 860} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			r := NewRegions(cutOf(1, 125, 94, count), Spread{Weight: 0.9, Colour: 20, Place: 1.6 * math.Sqrt(125*94/1.2/float64(count)), Rounds: 5}, 2)
			p := drawPlanes(2, 12, 125, 94, false)
			for b.Loop() {
				if err := p.Vote(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
