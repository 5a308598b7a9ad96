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
