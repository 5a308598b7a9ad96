package network_test

import (
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
)

// TestResizePositionsTo: a grid of 14 × 14 becomes 28 × 37 as PyTorch resizes it
// (values of torch.nn.functional.interpolate, bicubic, in float64), beside it its
// negative.
func TestResizePositionsTo(t *testing.T) {
	const side, h, w = 14, 28, 37
	values := make([]float32, side*side*2)
	for i := range side * side {
		v := float32(math.Sin(0.3 * float64(i)))
		values[2*i], values[2*i+1] = v, -v
	}
	got := network.ResizePositionsTo(values, side, h, w, 2)
	if len(got) != h*w*2 {
		t.Fatalf("%d values", len(got))
	}
	sum := 0.0
	for i := range h * w {
		sum += float64(got[2*i])
		if got[2*i+1] != -got[2*i] {
			t.Fatalf("place %d: %v", i, got[2*i:2*i+2])
		}
	}
	if math.Abs(sum-26.3809135726) > 1e-4 {
		t.Errorf("the sum is %.7f", sum)
	}
	for _, c := range []struct {
		y, x int
		want float64
	}{{0, 0, 0.0545150832}, {5, 9, 0.4198759120}, {27, 36, 1.1027518923}} {
		if v := float64(got[2*(c.y*w+c.x)]); math.Abs(v-c.want) > 1e-6 {
			t.Errorf("[%d, %d] is %.9f, want %.9f", c.y, c.x, v, c.want)
		}
	}
}
