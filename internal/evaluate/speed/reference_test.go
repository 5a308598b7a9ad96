package speed

import (
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
)

// A product is measured in the precision that is asked for: what it computes is rounded, and close to float32.
func TestProductPrecision(t *testing.T) {
	c := Case{Engine: engine.SIMD, Threads: 1, Work: Product, Shape: Shape{13, 200, 45}}
	product := func(precision string) []float32 {
		c.Precision = precision
		out := make([]float32, c.Shape.M*c.Shape.N)
		run, err := multiply(nil, c, out)
		if err != nil {
			t.Fatal(err)
		}
		run()
		return out
	}
	exact := product(engine.Float32)
	for _, precision := range engine.Precisions()[1:] {
		worst := 0.0
		for i, v := range product(precision) {
			worst = max(worst, math.Abs(float64(v-exact[i])))
		}
		if rounds := engine.Computed(precision) != engine.Float32; (worst > 0) != rounds || worst > 1.5 {
			t.Errorf("%s: differs by up to %g from float32, computed in %s", precision, worst, engine.Computed(precision))
		}
	}
}
