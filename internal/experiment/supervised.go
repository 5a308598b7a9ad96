package experiment

import (
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/weights"
)

// Tensors of the head.
const (
	headWeight = "head.weight"
	headBias   = "head.bias"
)

// supervised trains an image tower with masks: a 1×1 head on the tower's features,
// cross-entropy over pixels (the paper's Table 5, which does so with other
// encoders). It is an evaluate.Predictor then.
type supervised struct {
	config    network.Config
	mean, std [3]float32
	classes   int
	params    []network.Param
	tensors   map[string][]float32
	settings  settings.Settings
	plan      FineTune
	seed      uint64

	backend compute.Backend
	mutex   sync.Mutex
	exec    *model.Exec
	sha     string
}

// newSupervised starts from a model's image tower, or from random weights of it.
func newSupervised(m *weights.Model, s settings.Settings, plan FineTune, classes int, seed uint64, random bool, backend compute.Backend) *supervised {
	f := &supervised{
		config: m.Config, mean: m.Mean, std: m.Std, classes: classes, settings: s, plan: plan, seed: seed, backend: backend,
		tensors: map[string][]float32{}, sha: m.SHA256,
	}
	from := m.Tensors
	if random {
		from = network.Initialize(m.Config, seed)
	}
	for _, p := range m.Config.Params() {
		if strings.HasPrefix(p.Name, "vision_model.") || strings.HasPrefix(p.Name, "local_model.") {
			f.params, f.tensors[p.Name] = append(f.params, p), from[p.Name]
		}
	}
	width := f.width()
	f.params = append(f.params,
		network.Param{Name: headWeight, Shape: []int{classes, width}, Decay: true, Trainable: true},
		network.Param{Name: headBias, Shape: []int{classes}, Trainable: true})
	r := rand.New(rand.NewPCG(seed, 0x68656164))
	head := make([]float32, classes*width)
	for i := range head {
		head[i] = float32(0.01 * r.NormFloat64())
	}
	f.tensors[headWeight], f.tensors[headBias] = head, make([]float32, classes)
	return f
}

// width is that of a patch's features: D for what its groups give it, and D for
// the patch itself where the network has normed patches.
func (f *supervised) width() int {
	n := 0
	if f.config.HasGroups() {
		n++
	}
	if f.config.Variant.PatchEmbeddings != "" {
		n++
	}
	return max(n, 1) * f.config.Width
}

// logits is the graph: pixels [B, 3, H, W] to [B, H, W, K].
func (f *supervised) logits(w network.Weights, pixels *Node) *Node {
	t := network.ImageTower(w, f.config, pixels, network.Mode{})
	var parts []*Node
	if t.Patches != nil {
		parts = append(parts, t.Patches)
	}
	switch {
	case t.Assignment != nil: // each patch has the features of its groups
		parts = append(parts, Einsum("bgn,bgd->bnd", t.Assignment, t.Groups))
	case t.Patches == nil:
		parts = append(parts, t.Groups)
	}
	x := Concatenate(parts, -1)                       // [B, N, D']
	x = Einsum("bnd,kd->bnk", x, w(headWeight))       // 1×1 head
	x = Add(x, Reshape(w(headBias), 1, 1, f.classes)) // [B, N, K]
	dims := pixels.Shape().Dimensions
	x = Reshape(x, dims[0], t.GridH, t.GridW, f.classes)
	rows := bilinear(x.Graph(), t.GridH, dims[2])
	cols := bilinear(x.Graph(), t.GridW, dims[3])
	x = Einsum("byxk,Yy->bYxk", x, rows)
	return Einsum("bYxk,Xx->bYXk", x, cols)
}

// bilinear is the matrix [to, from] that resizes a line, half-pixel centres.
func bilinear(g *Graph, from, to int) *Node {
	m := make([][]float32, to)
	for i := range m {
		m[i] = make([]float32, from)
		at := math.Max((float64(i)+0.5)*float64(from)/float64(to)-0.5, 0)
		low := min(int(at), from-1)
		share := float32(at - float64(low))
		m[i][low] += 1 - share
		m[i][min(low+1, from-1)] += share
	}
	return Const(g, m)
}

// loss is the cross-entropy over the pixels that count: in[0] pixels, in[1] classes
// [B, H, W], −1 where a pixel does not count.
func (f *supervised) loss(w network.Weights, in []*Node) *Node {
	logits := f.logits(w, in[0])
	kinds := make([]float32, f.classes)
	for k := range kinds {
		kinds[k] = float32(k)
	}
	// Classes are whole numbers, so that 1 − |class − k|, not below 0, is one-hot, and
	// nothing for −1.
	distance := Abs(Sub(InsertAxes(in[1], -1), Reshape(Const(in[1].Graph(), kinds), 1, 1, 1, f.classes)))
	target := MaxScalar(OneMinus(distance), 0)
	return Div(Neg(ReduceAllSum(Mul(target, LogSoftmax(logits, -1)))), MaxScalar(ReduceAllSum(target), 1))
}

// train learns from a data set's pictures, squashed to the training size and
// mirrored at random.
func (f *supervised) train(ctx context.Context, d *bench.Dataset, say func(step int, loss float64)) error {
	o := f.settings.Optimizer
	o.LearningRate, o.Freeze, o.TrainOnly = f.plan.LearningRate, nil, nil
	s := f.settings
	s.Optimizer, s.Batch = o, f.plan.Batch
	s.Schedule.ReferenceBatch, s.Schedule.WarmupEpochs, s.Schedule.WarmupShare = 0, 0, 0
	s.Schedule.WarmupSteps, s.Schedule.WarmupRate, s.Schedule.FinalRate = min(50, f.plan.Steps/10), 0, 0
	l, err := stepper.NewLearner(f.backend, o, f.params, f.tensors, f.loss)
	if err != nil {
		return err
	}
	defer l.Close()
	r := rand.New(rand.NewPCG(f.seed, 0x6d61736b73))
	side := f.config.ImageSize
	pixels := make([]float32, f.plan.Batch*3*side*side)
	classes := make([]float32, f.plan.Batch*side*side)
	var order []int
	for step := range f.plan.Steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i := range f.plan.Batch {
			if len(order) == 0 {
				order = r.Perm(len(d.Samples))
			}
			flip := r.IntN(2) == 1
			if err := f.example(d, order[0], flip, pixels[i*3*side*side:(i+1)*3*side*side], classes[i*side*side:(i+1)*side*side]); err != nil {
				return err
			}
			order = order[1:]
		}
		loss, _, err := l.Step(s.Rate(step, f.plan.Steps, 1),
			stepper.Input{Floats: pixels, Dims: []int{f.plan.Batch, 3, side, side}}, stepper.Input{Floats: classes, Dims: []int{f.plan.Batch, side, side}})
		if err != nil {
			return err
		}
		say(step+1, loss)
	}
	f.tensors, err = l.Weights()
	return err
}

// example reads a picture and its mask into a batch.
func (f *supervised) example(d *bench.Dataset, i int, flip bool, pixels, classes []float32) error {
	photo, truth, err := d.Load(i)
	if err != nil {
		return err
	}
	side := f.config.ImageSize
	im, err := imaging.FromImage(photo)
	if err == nil {
		im, err = imaging.ResizePIL(im, side, side, imaging.Bilinear)
	}
	if err != nil {
		return err
	}
	if flip {
		im = imaging.Flip(im)
	}
	imaging.NormalizeInto(pixels, im, f.mean, f.std)
	for y := range side {
		for x := range side {
			from := x
			if flip {
				from = side - 1 - x
			}
			// The pixel whose middle is nearest.
			label := truth.Labels[(2*y+1)*truth.Height/(2*side)*truth.Width+(2*from+1)*truth.Width/(2*side)]
			classes[y*side+x] = float32(label)
			if label == bench.Ignore {
				classes[y*side+x] = -1
			}
		}
	}
	return nil
}

// ready compiles the trained network for prediction.
func (f *supervised) ready() error {
	store, err := storeOf(f.backend, f.params, f.tensors)
	if err != nil {
		return err
	}
	f.exec, err = model.NewExec(f.backend, store, func(_ *model.Scope, in []*Node) []*Node {
		logits := f.logits(nodesOf(store, in[0].Graph()), in[0])
		return []*Node{TransposeAllAxes(logits, 0, 3, 1, 2)}
	})
	if err == nil {
		f.exec.SetMaxCache(-1)
	}
	return err
}

func (f *supervised) close() {
	if f.exec != nil {
		_ = exceptions.TryCatch[error](func() { f.exec.Finalize() })
	}
}

// Predict implements evaluate.Predictor: the photo squashed to the training size,
// the class scores resized to the photo's.
func (f *supervised) Predict(ctx context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	side := f.config.ImageSize
	im, err := imaging.FromImage(photo)
	if err == nil {
		im, err = imaging.ResizePIL(im, side, side, imaging.Bilinear)
	}
	if err != nil {
		return nil, err
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	out, err := call(f.exec, imaging.Normalize(im, f.mean, f.std), 1, 3, side, side)
	if err != nil {
		return nil, fmt.Errorf("fine-tuned network: %w", err)
	}
	width, height := photo.Bounds().Dx(), photo.Bounds().Dy()
	best, labels := make([]float32, width*height), make([]uint8, width*height)
	for k := range f.classes {
		plane := imaging.BilinearMap(out[0][k*side*side:(k+1)*side*side], side, side, height, width)
		for i, v := range plane {
			if k == 0 || v > best[i] {
				best[i], labels[i] = v, uint8(k)
			}
		}
	}
	maps := make([][]uint8, len(thresholds))
	for i := range maps {
		maps[i] = labels
	}
	return maps, ctx.Err()
}

// About implements evaluate.Predictor.
func (f *supervised) About() evaluate.About {
	return evaluate.About{Protocol: methodFineTune, Background: "off", Engine: f.backend.Name(), Model: evaluate.Model{Name: methodFineTune, SHA256: f.sha}}
}

// trainingEngine is an engine that gradients may be computed on.
func trainingEngine(kind string, threads int) (compute.Backend, error) {
	return engine.New(engine.Options{Kind: kind, Threads: threads, Training: true})
}
