package stepper

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Paths in the store beside the weights, which are at "/"+name.
const (
	firstMoment  = "/adamw/m/"
	secondMoment = "/adamw/v/"
	averages     = "/ema/"
)

// Stepper holds the weights and the optimizer's state, and makes training
// steps. Its methods are for one goroutine.
type Stepper struct {
	settings settings.Settings
	params   []network.Param
	store    *model.Store
	inputs   map[string]*tensors.Tensor
	// Upload brings batches to the engine's device.
	Upload Upload
	// most bounds the matrices of a step in parts, in numbers.
	most int
	// whole is the step in one graph; parts, where it is set, the step in parts.
	whole *model.Exec
	parts *parts
	// metrics names the network's metrics, as the graph has them.
	metrics []string
	// Updates is the number of updates done so far: steps that were skipped do
	// not count.
	Updates int
	// Limit is the largest loss of a step that changes anything.
	Limit float32
	// rounds says that the graph rounds large products to bfloat16.
	rounds bool
}

// New makes a stepper on an engine, with initial weights by parameter
// name and no optimizer state.
func New(backend compute.Backend, s settings.Settings, initial map[string][]float32) (*Stepper, error) {
	t := &Stepper{settings: s, params: s.Model.Params(), store: model.NewStore(), inputs: map[string]*tensors.Tensor{}, Limit: math.MaxFloat32, most: matrixFloats}
	random, err := countRandom(backend, s.Model)
	if err != nil {
		return nil, fmt.Errorf("make the training step: %w", err)
	}
	shared, err := devicesOf(backend, s.Devices)
	if err != nil {
		return nil, fmt.Errorf("make the training step: %w", err)
	}
	t.Upload = Upload{backend, s, random, shared}
	t.rounds = s.Precision == engine.BF16 && !engine.Rounds(backend)
	for _, p := range t.params {
		values, ok := initial[p.Name]
		if !ok || len(values) != p.Size() {
			return nil, fmt.Errorf("tensor %q has %d values, its shape is %v", p.Name, len(values), p.Shape)
		}
		if err := t.createState(p, values); err != nil {
			return nil, err
		}
	}
	if s.InParts() {
		t.parts, err = t.newParts(backend)
	} else {
		err = exceptions.TryCatch[error](func() {
			t.whole = t.exec(backend, t.buildWhole)
			shared.share(t.whole)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("make the training step: %w", err)
	}
	return t, nil
}

// createState makes a parameter's variables: itself, its moments, its average.
func (t *Stepper) createState(p network.Param, values []float32) error {
	if err := t.create("/"+p.Name, p.Shape, values); err != nil {
		return err
	}
	if t.settings.Optimizer.EMA > 0 {
		if err := t.create(averages+p.Name, p.Shape, values); err != nil {
			return err
		}
	}
	if !t.trains(p) {
		return nil
	}
	for _, moment := range []string{firstMoment, secondMoment} {
		if err := t.create(moment+p.Name, p.Shape, make([]float32, p.Size())); err != nil {
			return err
		}
	}
	return nil
}

func (t *Stepper) create(path string, shape []int, values []float32) error {
	var value *tensors.Tensor
	err := exceptions.TryCatch[error](func() {
		value = tensors.FromFlatDataAndDimensions(slices.Clone(values), shape...)
	})
	if err == nil {
		_, err = t.store.CreateVariable(path, value)
	}
	if err != nil {
		return fmt.Errorf("tensor %s: %w", path, err)
	}
	return nil
}

// stateTensor is a tensor of a checkpoint's optimizer file.
type stateTensor struct {
	name, path string
	shape      []int
}

// stateTensors are the stepper's state beside the model: both moments of what is
// trained, and where the model holds averages, the weights themselves.
func (t *Stepper) stateTensors() []stateTensor {
	var out []stateTensor
	for _, p := range t.params {
		if t.trains(p) {
			out = append(out, stateTensor{"m/" + p.Name, firstMoment + p.Name, p.Shape}, stateTensor{"v/" + p.Name, secondMoment + p.Name, p.Shape})
		}
		if t.settings.Optimizer.EMA > 0 {
			out = append(out, stateTensor{"w/" + p.Name, "/" + p.Name, p.Shape})
		}
	}
	return out
}

// mode is that of all the step's graphs.
func (t *Stepper) mode() network.Mode { return network.Mode{Training: true, BF16: t.rounds} }

// exec makes an executor of a graph over the store's variables.
func (t *Stepper) exec(backend compute.Backend, build func(g *Graph, in []*Node) []*Node) *model.Exec {
	e := model.MustNewExec(backend, t.store, func(_ *model.Scope, in []*Node) []*Node { return build(in[0].Graph(), in) })
	e.SetMaxCache(-1) // the loader keeps the number of shapes small
	return e
}

// Names of the first metrics of every step.
const (
	MetricLoss      = "loss"
	MetricImageText = "loss_image_text"
	MetricNouns     = "loss_nouns"
	MetricNorm      = "gradient_norm"
)

// Step trains on a batch at a learning rate; step numbers the random choices.
// ok is false where the loss or the gradients were not finite, or the loss was
// above the limit, and nothing was changed.
func (t *Stepper) Step(b *pairs.Batch, step int, rate float64) (metrics map[string]float64, ok bool, err error) {
	_, metrics, ok, err = t.StepFrom(t.sourceOf(b, step), step, rate)
	return metrics, ok, err
}

// StepFrom is [Stepper.Step] on the batch that next gives, which it returns. An
// error of next comes as it is, and then nothing was changed.
func (t *Stepper) StepFrom(next source, step int, rate float64) (b *pairs.Batch, metrics map[string]float64, ok bool, err error) {
	numbers := t.numbers(rate)
	if t.parts != nil {
		b, metrics, err = t.stepInParts(next, numbers)
	} else {
		b, metrics, err = t.stepWhole(next, numbers)
	}
	if err != nil {
		return nil, nil, false, fmt.Errorf("training step %d: %w", step, err)
	}
	if ok = Finite(metrics[MetricLoss]) && Finite(metrics[MetricNorm]) && metrics[MetricLoss] <= float64(t.Limit); ok {
		t.Updates++
	}
	return b, metrics, ok, nil
}

// Weights copies the weights, by parameter name: their averages, where the
// settings ask for averages. They are what a trained model is.
func (t *Stepper) Weights() (map[string][]float32, error) {
	root := "/"
	if t.settings.Optimizer.EMA > 0 {
		root = averages
	}
	out := map[string][]float32{}
	for _, p := range t.params {
		values, err := t.read(root + p.Name)
		if err != nil {
			return nil, err
		}
		out[p.Name] = values
	}
	return out, nil
}

func (t *Stepper) read(path string) (values []float32, err error) {
	v := t.store.GetVariable(path)
	if v == nil {
		return nil, fmt.Errorf("no tensor %s", path)
	}
	err = exceptions.TryCatch[error](func() { values = tensors.MustCopyFlatData[float32](v.MustValue()) })
	return values, err
}

// Close frees the compiled steps and all tensors.
func (t *Stepper) Close() {
	_ = exceptions.TryCatch[error](func() {
		if t.whole != nil {
			t.whole.Finalize()
		}
		if t.parts != nil {
			t.parts.close()
		}
		for _, x := range t.inputs {
			x.MustFinalizeAll()
		}
	})
}

func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
