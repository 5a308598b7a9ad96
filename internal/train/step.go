package train

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
)

// Paths of the optimizer's moments in the store; the weights are at "/"+name.
const (
	firstMoment  = "/adamw/m/"
	secondMoment = "/adamw/v/"
)

// Stepper holds the weights and the optimizer's state, and makes training
// steps. Its methods are for one goroutine.
type Stepper struct {
	settings Settings
	params   []network.Param
	store    *model.Store
	exec     *model.Exec
	inputs   map[string]*tensors.Tensor
	metrics  []string
	// updates is the number of updates done so far: steps that were skipped do
	// not count.
	updates int
	// limit is the largest loss of a step that changes anything.
	limit float32
}

// NewStepper makes a stepper on an engine, with initial weights by parameter
// name and no optimizer state.
func NewStepper(backend compute.Backend, s Settings, initial map[string][]float32) (*Stepper, error) {
	t := &Stepper{settings: s, params: s.Model.Params(), store: model.NewStore(), inputs: map[string]*tensors.Tensor{}, limit: math.MaxFloat32}
	for _, p := range t.params {
		values, ok := initial[p.Name]
		if !ok || len(values) != p.Size() {
			return nil, fmt.Errorf("tensor %q has %d values, its shape is %v", p.Name, len(values), p.Shape)
		}
		if err := t.create("/"+p.Name, p.Shape, values); err != nil {
			return nil, err
		}
		if !p.Trainable {
			continue
		}
		for _, moment := range []string{firstMoment, secondMoment} {
			if err := t.create(moment+p.Name, p.Shape, make([]float32, p.Size())); err != nil {
				return nil, err
			}
		}
	}
	err := exceptions.TryCatch[error](func() {
		t.exec = model.MustNewExec(backend, t.store, t.build)
	})
	if err != nil {
		return nil, fmt.Errorf("make the training step: %w", err)
	}
	t.exec.SetMaxCache(-1) // the loader keeps the number of shapes small
	return t, nil
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

// Order of the graph's inputs.
const (
	inNumbers  = iota // float32 [4]: learning rate, both bias corrections, limit of the loss
	inRandom          // uint64 [3]: state of the random numbers
	inPixels          // float32 [B, 3, S, S]
	inCaptions        // int32 [B, T]
	inWeight          // float32 [B]
	inPrompts         // int32 [U, T], this and the next two only with prompts
	inTargets         // float32 [B, U]
	inKnown           // float32 [B, U]
)

// Names of the first metrics of every step.
const (
	metricLoss      = "loss"
	metricImageText = "loss_image_text"
	metricNouns     = "loss_nouns"
	metricNorm      = "gradient_norm"
)

// build is the graph of a training step: loss, gradients, clipping, AdamW,
// running statistics. It returns one tensor with all metrics.
//
// Where the loss or the gradients' norm is not finite, or the loss is above the
// limit, nothing changes.
func (t *Stepper) build(scope *model.Scope, in []*Node) []*Node {
	g := in[0].Graph()
	used := map[string]*Node{}
	weights := func(name string) *Node {
		n, ok := used[name]
		if !ok {
			v := t.store.GetVariable("/" + name)
			if v == nil {
				exceptions.Panicf("no tensor %q", name)
			}
			n = v.NodeValue(g)
			used[name] = n
		}
		return n
	}
	random := in[inRandom]
	mode := network.Mode{Training: true, Random: func(shape shapes.Shape) *Node {
		var values *Node
		random, values = RandomUniform(random, shape)
		return values
	}}
	batch := network.Batch{Pixels: in[inPixels], Captions: in[inCaptions], CaptionWeight: in[inWeight]}
	if len(in) > inPrompts {
		batch.Prompts, batch.Targets, batch.Known = in[inPrompts], in[inTargets], in[inKnown]
	}
	out := network.Loss(weights, t.settings.Model, batch, mode)

	var params []network.Param
	var nodes []*Node
	for _, p := range t.params {
		if n, ok := used[p.Name]; ok && p.Trainable {
			params, nodes = append(params, p), append(nodes, n)
		}
	}
	norm, gradients := clip(Gradient(out.Total, nodes...), t.settings.Optimizer.Clip)
	number := func(i int) *Node { return Reshape(SliceAxis(in[inNumbers], 0, AxisElem(i)), []int{}...) }
	rate, first, second, limit := number(0), number(1), number(2), number(3)
	fine := LogicalAnd(LogicalAnd(IsFinite(out.Total), IsFinite(norm)), LessOrEqual(out.Total, limit))
	for i, p := range params {
		o := t.settings.Optimizer
		m, v := t.store.GetVariable(firstMoment+p.Name), t.store.GetVariable(secondMoment+p.Name)
		oldM, oldV := m.NodeValue(g), v.NodeValue(g)
		newW, newM, newV := o.adamW(nodes[i], oldM, oldV, gradients[i], rate, first, second, o.decays(p))
		t.store.GetVariable("/" + p.Name).SetNodeValue(Where(fine, newW, nodes[i]))
		m.SetNodeValue(Where(fine, newM, oldM))
		v.SetNodeValue(Where(fine, newV, oldV))
	}
	for _, name := range slices.Sorted(maps.Keys(out.Updates)) {
		t.store.GetVariable("/" + name).SetNodeValue(Where(fine, out.Updates[name], used[name]))
	}

	t.metrics = []string{metricLoss, metricImageText, metricNorm}
	values := []*Node{out.Total, out.ImageText, norm}
	if out.Nouns != nil {
		t.metrics, values = append(t.metrics, metricNouns), append(values, out.Nouns)
	}
	for _, name := range slices.Sorted(maps.Keys(out.Metrics)) {
		t.metrics, values = append(t.metrics, name), append(values, out.Metrics[name])
	}
	return []*Node{Stack(values, 0)}
}

// Step trains on a batch at a learning rate; step numbers the random choices.
// ok is false where the loss or the gradients were not finite, or the loss was
// above the limit, and nothing was changed.
func (t *Stepper) Step(b *pairs.Batch, step int, rate float64) (metrics map[string]float64, ok bool, err error) {
	first, second := t.settings.Optimizer.corrections(t.updates + 1)
	numbers := []float32{float32(rate), float32(first), float32(second), t.limit}
	var args []any
	add := func(err2 error, x *tensors.Tensor) {
		err = errors.Join(err, err2)
		args = append(args, x)
	}
	put := func(name string, data []float32, dims ...int) {
		x, e := input(t.inputs, name, data, dims...)
		add(e, x)
	}
	ids := func(name string, data []int32, dims ...int) { x, e := input(t.inputs, name, data, dims...); add(e, x) }
	put("numbers", numbers, len(numbers))
	state, e := input(t.inputs, "random", randomState(t.settings.Seed, step), 3)
	add(e, state)
	put("pixels", b.Pixels, b.Size, 3, b.ImageSize, b.ImageSize)
	ids("captions", b.Captions, b.Size, b.Context)
	put("weight", b.CaptionWeight, b.Size)
	if b.U > 0 {
		ids("prompts", b.Prompts, b.U, b.Context)
		put("targets", b.Targets, b.Size, b.U)
		put("known", b.Known, b.Size, b.U)
	}
	if err != nil {
		return nil, false, fmt.Errorf("training step %d: %w", step, err)
	}
	var values []float32
	err = exceptions.TryCatch[error](func() {
		outputs, e := t.exec.Call(args...)
		if e != nil {
			panic(e)
		}
		values = tensors.MustCopyFlatData[float32](outputs[0])
		outputs[0].MustFinalizeAll()
	})
	if err != nil {
		return nil, false, fmt.Errorf("training step %d: %w", step, err)
	}
	metrics = map[string]float64{}
	for i, name := range t.metrics {
		metrics[name] = float64(values[i])
	}
	if ok = isFinite(metrics[metricLoss]) && isFinite(metrics[metricNorm]) && metrics[metricLoss] <= float64(t.limit); ok {
		t.updates++
	}
	return metrics, ok, nil
}

// input fills a tensor that is kept from step to step for each name and shape.
func input[T float32 | int32 | uint64](kept map[string]*tensors.Tensor, name string, data []T, dims ...int) (x *tensors.Tensor, err error) {
	key := fmt.Sprint(name, dims)
	err = exceptions.TryCatch[error](func() {
		if x = kept[key]; x != nil {
			tensors.MustMutableFlatData(x, func(flat []T) { copy(flat, data) })
			return
		}
		x = tensors.FromFlatDataAndDimensions(data, dims...)
		kept[key] = x
	})
	return x, err
}

// randomState is the random numbers' state of a step: three outputs of
// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func randomState(seed uint64, step int) []uint64 {
	x := seed*0x9e3779b97f4a7c15 + uint64(step)*0xd1342543de82ef95
	out := make([]uint64, 3)
	for i := range out {
		x += 0x9e3779b97f4a7c15
		z := x
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		out[i] = z ^ z>>31
	}
	return out
}

// Weights copies the weights, by parameter name.
func (t *Stepper) Weights() (map[string][]float32, error) {
	out := map[string][]float32{}
	for _, p := range t.params {
		values, err := t.read("/" + p.Name)
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
		t.exec.Finalize()
		for _, x := range t.inputs {
			x.MustFinalizeAll()
		}
	})
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
