package output

import (
	"math"
	"testing"
)

// TestConfidenceByte: a byte says on which side of the threshold its confidence is, as
// clients compare it, and is otherwise the nearest.
func TestConfidenceByte(t *testing.T) {
	for _, threshold := range []float64{0, 0.003, 0.1, 0.2, 0.25, 1. / 3, 0.5, 0.999, 1} {
		for i := range 20001 {
			v := float64(float32(i) / 20000)
			b := confidenceByte(v, threshold)
			if below := float32(v) < float32(threshold); below != (float64(b) < 255*threshold) {
				t.Fatalf("confidence %g is byte %d: below the threshold %g: %v", v, b, threshold, below)
			}
			if math.Abs(float64(b)-255*v) > 1.001 {
				t.Fatalf("confidence %g is byte %d at threshold %g", v, b, threshold)
			}
		}
	}
	if confidenceByte(-0.3, 0.2) != 0 || confidenceByte(1.5, 0.2) != 255 {
		t.Error("beyond 0 and 1")
	}
}
