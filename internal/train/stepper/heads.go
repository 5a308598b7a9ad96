package stepper

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/groupvit/groupvit/internal/network"
)

// heads are the projection heads and the losses of a step in parts. They take
// features a block of rows at a time, in passes over all of them:
//
//	moments    mean and variance of what each use of BatchNorm sees, over the batch
//	units      unit vectors of all texts, given those moments
//	columns    log Σ exp over the pictures, for every text (network.LossConfig.Columns)
//	losses     a block's share of the losses; gradients of the heads' weights, of the
//	           features, of all texts and of the moments
//	texts      the gradients of the texts through their head
//	through    what the moments' gradients mean for the features and for the weights
//	           below BatchNorm: mean and variance are means over the rows too
type heads struct {
	image, text            head
	units, columns, losses *model.Exec
	// metrics names the metrics that the losses' graph adds.
	metrics []string
}

// head is one of the two heads with the moments of its BatchNorm. A use is one
// application of the layer in the graph, in order: a head may project patches,
// pictures and groups.
type head struct {
	name string
	// project builds the head over features.
	project func(w network.Weights, features []*Node, m network.Mode) []*Node
	// moments, backward and through are the graphs of the passes; backward is the
	// text head's alone, the image head's is part of the losses.
	moments, backward, through *model.Exec
	// layers is the layer of each use, rows how many rows of a use belong to a row
	// of the features.
	layers []string
	rows   []int
	// mean and variance are of each use; meanGradient and varianceGradient what the
	// losses want of them.
	mean, variance                 [][]float32
	meanGradient, varianceGradient [][]float64
}

// build makes the graphs' executors.
func (h *heads) build(t *Stepper, backend compute.Backend) {
	c := t.settings.Model
	h.image = head{name: "image", project: func(w network.Weights, features []*Node, m network.Mode) []*Node {
		out := network.ImageHead(w, c, network.FeaturesFromCut(c, features), m)
		return []*Node{out.Embedding}
	}}
	h.text = head{name: "text", project: func(w network.Weights, features []*Node, m network.Mode) []*Node {
		return []*Node{network.UnitTexts(w, c, features[0], m)}
	}}
	for _, one := range []*head{&h.image, &h.text} {
		one.moments = t.exec(backend, func(g *Graph, in []*Node) []*Node { return one.buildMoments(t, g, in) })
		one.through = t.exec(backend, func(g *Graph, in []*Node) []*Node { return one.buildThrough(t, g, in) })
	}
	h.text.backward = t.exec(backend, func(g *Graph, in []*Node) []*Node { return h.text.buildBackward(t, g, in) })
	h.units = t.exec(backend, func(g *Graph, in []*Node) []*Node {
		features := in[len(in)-1:]
		return h.text.project(t.weightNodes(g).node, features, h.text.mode(t, &reader{in}))
	})
	h.columns = t.exec(backend, func(g *Graph, in []*Node) []*Node { return h.buildColumns(t, g, in) })
	h.losses = t.exec(backend, func(g *Graph, in []*Node) []*Node { return h.buildLosses(t, g, in) })
}

func (h *heads) all() []*model.Exec {
	return []*model.Exec{h.image.moments, h.image.through, h.text.moments, h.text.through, h.text.backward, h.units, h.columns, h.losses}
}

// mode hands the moments of each use, which it reads from the inputs, to the graph.
func (h *head) mode(t *Stepper, r *reader) network.Mode {
	var given []*Node
	for range 2 * len(h.layers) {
		given = append(given, r.next())
	}
	m := t.mode()
	m.Moments = func(string, *Node) (mean, variance *Node) {
		mean, variance, given = given[0], given[1], given[2:]
		return mean, variance
	}
	return m
}

// seen builds the head and returns what each use of BatchNorm sees [rows, C].
func (h *head) seen(w *weightNodes, features []*Node) (layers []string, all []*Node) {
	m := w.t.mode()
	m.Moments = func(layer string, x *Node) (mean, variance *Node) {
		layers, all = append(layers, layer), append(all, x)
		zero := ReduceSum(ZerosLike(x), 0)
		return zero, zero
	}
	h.project(w.node, features, m)
	return layers, all
}

// buildMoments: features of a block → for each use the mean [C] and the sum of
// squares about it. A head without BatchNorm has a 0.
func (h *head) buildMoments(t *Stepper, g *Graph, in []*Node) []*Node {
	layers, seen := h.seen(t.weightNodes(g), in)
	h.layers, h.rows = layers, nil
	var out []*Node
	for _, x := range seen {
		mean := ReduceMean(x, 0)
		out = append(out, mean, ReduceSum(Square(Sub(x, InsertAxes(mean, 0))), 0))
		h.rows = append(h.rows, x.Shape().Dimensions[0]/in[0].Shape().Dimensions[0])
	}
	if out == nil {
		out = []*Node{ScalarZero(g, in[0].DType())}
	}
	return out
}

// buildBackward is for the text head: start, moments, the units' gradients [N, P],
// features → gradients of the features and of the moments.
func (h *head) buildBackward(t *Stepper, g *Graph, in []*Node) []*Node {
	w, r := t.weightNodes(g), &reader{in}
	start, moments := r.next(), in[1:1+2*len(h.layers)]
	mode := h.mode(t, r)
	gradients, features := r.next(), r.in
	out := h.project(w.node, features, mode)
	t.parts.names[h.name+" head"] = w.names()
	return w.addGradients(start, against(out, []*Node{gradients}), slices.Concat(features, moments)...)
}

// buildThrough: for each use its mean, and the gradients of mean and variance
// divided by the number of rows, then features → gradients of the features. With n
// rows x, d mean = Σ dx/n and d variance = Σ 2(x − mean)·dx/n.
func (h *head) buildThrough(t *Stepper, g *Graph, in []*Node) []*Node {
	w, uses := t.weightNodes(g), 3*len(h.layers)
	_, seen := h.seen(w, in[uses:])
	var values, gradients []*Node
	for i, x := range seen {
		mean, ofMean, ofVariance := InsertAxes(in[3*i], 0), in[3*i+1], in[3*i+2]
		values = append(values, ReduceSum(x, 0), ReduceSum(Square(Sub(x, mean)), 0))
		gradients = append(gradients, ofMean, ofVariance)
	}
	zero := ScalarZero(g, in[0].DType())
	return w.addGradients(zero, against(values, gradients), in[uses:]...)
}

// batchOf reads a block's rows of the targets: the weight of the block's captions,
// of all captions, how well captions fit; then, where there are prompts, targets,
// known, and where a loss asks, explains and what label maps say.
func (h *heads) batchOf(t *Stepper, r *reader, nouns bool) network.Batch {
	b := network.Batch{Rows: &network.Rows{Weight: r.next()}}
	b.CaptionWeight, b.CaptionTargets = r.next(), r.next()
	if nouns {
		b.Targets, b.Known = r.next(), r.next()
		if t.settings.Loss.Explains() {
			b.Explains = r.next()
		}
		if t.settings.Loss.Dense() {
			b.Dense = r.dense()
		}
	}
	return b
}

// buildColumns: units of all texts, moments, targets' rows, features → columns.
func (h *heads) buildColumns(t *Stepper, g *Graph, in []*Node) []*Node {
	w, r := t.weightNodes(g), &reader{in}
	units := r.next()
	mode := h.image.mode(t, r)
	b := h.batchOf(t, r, t.hasNouns(units, in))
	features := network.FeaturesFromCut(t.settings.Model, r.in)
	b.Rows.Sums = noSums(b)
	return t.settings.Loss.Config().Columns(w.node, t.settings.Model, features, units, b, mode)
}

// hasNouns tells from the shapes of a graph's inputs whether there are more texts
// than captions: units are those of all texts, in has the weights of the block's
// and of all captions, the only inputs of one axis that follow the moments.
func (t *Stepper) hasNouns(units *Node, in []*Node) bool {
	at := slices.Index(in, units) + 1 + 2*len(t.parts.heads.image.layers)
	return units.Shape().Dimensions[0] > in[at+1].Shape().Dimensions[0]
}

// noSums stand in where only the columns are wanted.
func noSums(b network.Batch) network.Sums {
	s := network.Sums{Captions: OnesLike(b.CaptionWeight)}
	if b.Targets != nil {
		s.Prompts = ReduceSum(OnesLike(b.Targets), 0)
		s.Named = s.Prompts
		s.Pictures = ReduceAllSum(s.Prompts)
		s.Explained, s.Labelled = s.Pictures, s.Pictures
	}
	return s
}

// buildLosses: start, the sum of the units' gradients so far, units of all texts,
// moments, targets' rows, sums, columns, features → metrics, the new sum, gradients
// of the moments and of the features.
func (h *heads) buildLosses(t *Stepper, g *Graph, in []*Node) []*Node {
	w, r, c := t.weightNodes(g), &reader{in}, t.settings.Model
	start, soFar, units := r.next(), r.next(), r.next()
	moments := in[3 : 3+2*len(h.image.layers)]
	mode := h.image.mode(t, r)
	nouns := t.hasNouns(units, in)
	b := h.batchOf(t, r, nouns)
	b.Rows.Sums.Captions = r.next()
	if nouns {
		s := &b.Rows.Sums
		s.Prompts, s.Named, s.Pictures, s.Explained, s.Labelled = r.next(), r.next(), r.next(), r.next(), r.next()
	}
	features := r.in[len(r.in)-len(t.parts.cut):]
	b.Rows.Columns = r.in[:len(r.in)-len(t.parts.cut)]
	out := t.settings.Loss.Config().OfRows(w.node, c, network.FeaturesFromCut(c, features), units, b, mode)
	t.parts.lossNames[nouns] = w.names()
	h.metrics = slices.Sorted(maps.Keys(out.Metrics))
	gradients := w.addGradients(start, out.Total, slices.Concat([]*Node{units}, moments, features)...)
	metrics := Stack(append(lossMetrics(out, ZerosLike(out.Total)), sorted(out.Metrics)...), 0)
	return append([]*Node{metrics, Add(soFar, gradients[0])}, gradients[1:]...)
}

// statistics names the running statistics: of each layer the first use counts.
func (h *heads) statistics() []string {
	var names []string
	for _, one := range []*head{&h.image, &h.text} {
		for _, i := range one.firstUses() {
			names = append(names, one.layers[i]+".running_mean", one.layers[i]+".running_var")
		}
	}
	return names
}

// firstUses are the first uses of each layer.
func (h *head) firstUses() []int {
	var uses []int
	for i, layer := range h.layers {
		if slices.Index(h.layers, layer) == i {
			uses = append(uses, i)
		}
	}
	return uses
}

// argument names an argument of a use.
func (h *head) argument(what string, use int) string { return fmt.Sprint(h.name, " ", what, " ", use) }
