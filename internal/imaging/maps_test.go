package imaging

import (
	"math"
	"testing"
)

// wave is the source of the check values: p[y,x] = sin(0.3·(14y+x)).
func wave(h, w int) []float64 {
	p := make([]float64, 0, h*w)
	for y := range h {
		for x := range w {
			p = append(p, math.Sin(0.3*float64(14*y+x)))
		}
	}
	return p
}

// The expected values are PyTorch's, in float64.
func TestMapsAgreeWithPyTorch(t *testing.T) {
	type at struct {
		y, x int
		want float64
	}
	tests := []struct {
		name                string
		resize              func([]float64, int, int, int, int) []float64
		h, w, height, width int
		at                  []at
		sum                 float64
	}{
		{"bicubic to 28×28", BicubicMap[float64], 14, 14, 28, 28, []at{
			{0, 0, 0.0562899951}, {0, 1, 0.1579428455}, {5, 9, 0.1244532701}, {27, 27, 1.1030265371}}, 19.9624113406},
		{"bicubic to 28×37", BicubicMap[float64], 14, 14, 28, 37, []at{
			{0, 0, 0.0545150832}, {5, 9, 0.4198759120}, {27, 36, 1.1027518923}}, 26.3809135726},
		{"bicubic to 7×7", BicubicMap[float64], 14, 14, 7, 7, []at{
			{0, 0, -0.5599918436}, {3, 4, 0.7911648912}}, 1.2503223805},
		{"bilinear 4×4 to 10×10", BilinearMap[float64], 4, 4, 10, 10, []at{
			{0, 0, 0}, {1, 1, -0.0616203021}, {4, 7, -0.5922068156}, {9, 9, 0.8037844266}}, 10.5218805186},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := test.resize(wave(test.h, test.w), test.h, test.w, test.height, test.width)
			for _, p := range test.at {
				if got := out[p.y*test.width+p.x]; math.Abs(got-p.want) > 1e-9 {
					t.Errorf("[%d,%d] = %.10f, want %.10f", p.y, p.x, got, p.want)
				}
			}
			var sum float64
			for _, v := range out {
				sum += v
			}
			if math.Abs(sum-test.sum) > 1e-9*float64(len(out)) {
				t.Errorf("sum %.10f, want %.10f", sum, test.sum)
			}
		})
	}
}

func TestMapOfTheSameSizeIsUnchanged(t *testing.T) {
	src := wave(5, 7)
	for i, v := range BilinearMap(src, 5, 7, 5, 7) {
		if v != src[i] {
			t.Fatalf("bilinear changed element %d", i)
		}
	}
	for i, v := range BicubicMap(src, 5, 7, 5, 7) {
		if math.Abs(v-src[i]) > 1e-15 {
			t.Fatalf("bicubic changed element %d", i)
		}
	}
}

func BenchmarkBilinearMap(b *testing.B) {
	src := make([]float32, 28*37)
	dst := make([]float32, 448*597)
	for b.Loop() {
		BilinearMapInto(dst, src, 28, 37, 448, 597)
	}
}
