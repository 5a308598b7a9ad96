package stepper

import (
	"maps"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
)

// stepWhole is a step in one graph: loss, gradients, update.
func (t *Stepper) stepWhole(next source, numbers []float32) (*pairs.Batch, map[string]float64, error) {
	r, err := next()
	if err != nil {
		return nil, nil, err
	}
	defer r.Free()
	a := t.arguments()
	if d := t.Upload.devices; d != nil {
		copies, err := d.place(tensors.FromFlatDataAndDimensions(numbers, len(numbers)), d.copied)
		if err != nil {
			return nil, nil, err
		}
		a.add(copies)
	} else {
		a.floats("numbers", numbers, len(numbers))
	}
	a.add(r.Inputs...)
	var metrics map[string]float64
	err = a.call(t.whole, func(out [][]float32) { metrics = named(out[0], lossMetricNames, t.metrics) })
	return r.Part.Batch, metrics, err
}

// readTargets reads what the losses know of the pairs.
func (t *Stepper) readTargets(r *reader, b *network.Batch) {
	b.CaptionWeight = r.next()
	if t.settings.Loss.Soft() {
		b.CaptionTargets = r.next()
	}
	if r.more() {
		b.Targets, b.Known = r.next(), r.next()
		if t.settings.Loss.Explains() {
			b.Explains = r.next()
		}
	}
	if r.more() {
		b.Dense = r.dense()
	}
}

// Dense reads what label maps say.
func (r *reader) dense() *network.Dense {
	return &network.Dense{Labels: r.next(), Word: r.next(), Background: r.next(), Competing: r.next(), Stuff: r.next()}
}

// buildWhole is the graph of stepWhole. It returns one tensor with all metrics.
func (t *Stepper) buildWhole(g *Graph, in []*Node) []*Node {
	r := &reader{in}
	numbers := r.next()
	batch := network.Batch{Pixels: r.next()}
	mode := t.mode()
	mode.Random = randomOf(r.next())
	batch.Captions = r.next()
	if r.in[0].Rank() == 2 { // the caption weight has one axis
		batch.Prompts = r.next()
	}
	t.readTargets(r, &batch)
	w := t.weightNodes(g)
	out := t.settings.Loss.Config().Of(w.node, t.settings.Model, batch, mode)
	params, nodes := w.trained()
	norm := w.update(params, Gradient(out.Total, nodes...), out.Updates, out.Total, numbers)
	t.metrics = slices.Sorted(maps.Keys(out.Metrics))
	return []*Node{Stack(append(lossMetrics(out, norm), sorted(out.Metrics)...), 0)}
}

// lossMetrics are the metrics that every step has, in the order of
// lossMetricNames.
func lossMetrics(out network.LossOutput, norm *Node) []*Node {
	nouns := out.Nouns
	if nouns == nil {
		nouns = ZerosLike(out.Total)
	}
	return []*Node{out.Total, out.ImageText, nouns, norm}
}

var lossMetricNames = []string{MetricLoss, MetricImageText, MetricNouns, MetricNorm}

// named puts values beside names.
func named(values []float32, names ...[]string) map[string]float64 {
	out := map[string]float64{}
	for i, name := range slices.Concat(names...) {
		out[name] = float64(values[i])
	}
	return out
}

// sorted are a map's nodes by the order of their names.
func sorted(nodes map[string]*Node) []*Node {
	var out []*Node
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		out = append(out, nodes[name])
	}
	return out
}
