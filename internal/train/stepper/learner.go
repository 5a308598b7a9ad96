package stepper

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Learner minimises any loss of named tensors with the optimizer of training:
// clipping, AdamW, steps that are not finite left out. Its methods are for one
// goroutine.
type Learner struct {
	stepper *Stepper
	exec    *model.Exec
}

// Input is a tensor that a [Learner]'s loss is computed from.
type Input struct {
	Floats []float32
	Dims   []int
}

// NewLearner makes a learner of params with their initial values. loss builds a
// scalar from the weights and the inputs of a step.
func NewLearner(backend compute.Backend, o settings.Optimizer, params []network.Param, initial map[string][]float32, loss func(w network.Weights, in []*Node) *Node) (*Learner, error) {
	o.EMA = 0
	t := &Stepper{settings: settings.Settings{Optimizer: o}, params: params, store: model.NewStore(), inputs: map[string]*tensors.Tensor{}, Limit: math.MaxFloat32}
	for _, p := range params {
		values, ok := initial[p.Name]
		if !ok || len(values) != p.Size() {
			return nil, fmt.Errorf("tensor %q has %d values, its shape is %v", p.Name, len(values), p.Shape)
		}
		if err := t.createState(p, values); err != nil {
			return nil, err
		}
	}
	l := &Learner{stepper: t}
	err := exceptions.TryCatch[error](func() {
		l.exec = t.exec(backend, func(g *Graph, in []*Node) []*Node {
			w := t.weightNodes(g)
			total := loss(w.node, in[1:])
			trained, nodes := w.trained()
			norm := w.update(trained, Gradient(total, nodes...), nil, total, in[0])
			return []*Node{Stack([]*Node{total, norm}, 0)}
		})
	})
	return l, err
}

// Step makes one update at a learning rate and returns the loss before it. ok is
// false where loss or gradients were not finite and nothing was changed.
func (l *Learner) Step(rate float64, inputs ...Input) (loss float64, ok bool, err error) {
	a := l.stepper.arguments()
	a.floats("numbers", l.stepper.numbers(rate), inNumbers)
	for i, in := range inputs {
		a.floats(fmt.Sprint("input ", i), in.Floats, in.Dims...)
	}
	var norm float64
	err = a.call(l.exec, func(out [][]float32) { loss, norm = float64(out[0][0]), float64(out[0][1]) })
	if err != nil {
		return 0, false, fmt.Errorf("training step: %w", err)
	}
	if ok = Finite(loss) && Finite(norm); ok {
		l.stepper.Updates++
	}
	return loss, ok, nil
}

// Weights copies the tensors, by name.
func (l *Learner) Weights() (map[string][]float32, error) { return l.stepper.Weights() }

// Close frees the compiled step and all tensors.
func (l *Learner) Close() {
	_ = exceptions.TryCatch[error](func() { l.exec.Finalize() })
	l.stepper.Close()
}
