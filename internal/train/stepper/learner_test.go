package stepper

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Steps of a learner are AdamW's, computed here by plain numbers; a step that is
// not finite changes nothing, and the next one is as if it had not been.
func TestLearner(t *testing.T) {
	backend, err := engine.New(engine.Options{Threads: 1, Training: true})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	o := settings.Optimizer{Betas: [2]float64{0.9, 0.98}, Epsilon: 1e-8, WeightDecay: 0.1}
	p := network.Param{Name: "w", Shape: []int{1, 2}, Trainable: true, Decay: true}
	l, err := NewLearner(backend, o, []network.Param{p}, map[string][]float32{"w": {1, -2}}, func(w network.Weights, in []*Node) *Node {
		return ReduceAllSum(Square(Sub(w("w"), in[0])))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, m, v := []float64{1, -2}, []float64{0, 0}, []float64{0, 0}
	target := []float32{3, 0.5}
	for n := 1; n <= 5; n++ {
		if _, ok, err := l.Step(0.01, Input{[]float32{float32(math.NaN()), 0}, []int{1, 2}}); ok || err != nil {
			t.Fatalf("a step that is not finite: %v, %v", ok, err)
		}
		loss, ok, err := l.Step(0.01, Input{target, []int{1, 2}})
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		var want float64
		for i := range w {
			g := 2 * (w[i] - float64(target[i]))
			want += g * g / 4
			m[i], v[i] = 0.9*m[i]+0.1*g, 0.98*v[i]+0.02*g*g
			w[i] *= 1 - 0.01*0.1
			w[i] -= 0.01 * m[i] / (1 - math.Pow(0.9, float64(n))) / (math.Sqrt(v[i]/(1-math.Pow(0.98, float64(n)))) + 1e-8)
		}
		if math.Abs(loss-want) > 1e-4 {
			t.Errorf("step %d: loss %g, want %g", n, loss, want)
		}
	}
	got, err := l.Weights()
	if err != nil || math.Abs(float64(got["w"][0])-w[0]) > 1e-5 || math.Abs(float64(got["w"][1])-w[1]) > 1e-5 {
		t.Errorf("%v, %v, want %v", got, err, w)
	}
}
