package stepper

import (
	"maps"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/network"
)

// A step in parts computes the exact gradient of a large batch in the memory of
// a small one (gradient caching: Gao et al., RepL4NLP 2021):
//
//  1. The towers compute the features of all pictures and texts, a part at a
//     time, and keep nothing else.
//  2. The projection heads, whose BatchNorm looks at the whole batch, and the
//     losses, which compare all pictures with all texts, take the features some
//     rows at a time: see [heads]. This gives the heads' gradients and those of
//     the features.
//  3. The towers compute each part again, with the same random numbers, and pass
//     the features' gradients on to their weights, where the parts add up.
//  4. One update, as after any gradient.
//
// What grows with the batch are the features and what follows of the texts: no
// matrix of pictures and texts is ever whole, nor are the batch's pixels.
//
// A text or a picture is a row of its own in the towers, so what the parts give
// is what one batch would; a stem with BatchNorm is not of that kind and is
// refused by the settings.
type parts struct {
	images, texts                 *model.Exec
	heads                         heads
	imageGradients, textGradients *model.Exec
	// update is one for each set of parameters: without prompts those of the noun
	// loss have no gradient.
	update map[bool]*model.Exec
	// cut are the shapes of the features that the losses look at, without the
	// batch.
	cut [][]int
	// names are the parameters that the towers' and the heads' graphs train, as far
	// as those were built; lossNames those of the losses, by whether there are
	// prompts.
	names     map[string][]string
	lossNames map[bool][]string
	// features and gradients hold what goes between the stages, by place in the
	// cut; the last is the texts'.
	features, gradients [][]float32
}

// gradientSums is where the gradients add up in the store.
const gradientSums = "/parts/gradient/"

func (t *Stepper) newParts(backend compute.Backend) (*parts, error) {
	for _, p := range t.params {
		if !t.trains(p) {
			continue
		}
		if err := t.create(gradientSums+p.Name, p.Shape, make([]float32, p.Size())); err != nil {
			return nil, err
		}
	}
	p := &parts{names: map[string][]string{}, lossNames: map[bool][]string{}, update: map[bool]*model.Exec{}}
	err := exceptions.TryCatch[error](func() {
		p.images, p.texts = t.exec(backend, t.buildImages), t.exec(backend, t.buildTexts)
		p.heads.build(t, backend)
		p.imageGradients, p.textGradients = t.exec(backend, t.buildImageGradients), t.exec(backend, t.buildTextGradients)
		for _, nouns := range []bool{false, true} {
			p.update[nouns] = t.exec(backend, func(g *Graph, in []*Node) []*Node { return t.buildUpdate(g, in, nouns) })
		}
	})
	return p, err
}

func (p *parts) close() {
	all := append(p.heads.all(), p.images, p.texts, p.imageGradients, p.textGradients, p.update[false], p.update[true])
	for _, e := range all {
		if e != nil {
			e.Finalize()
		}
	}
}

// towerOf computes a part of the pictures: pixels and random numbers to features.
func (t *Stepper) towerOf(w *weightNodes, pixels, random *Node) network.ImageFeatures {
	mode := t.mode()
	mode.Random = randomOf(random)
	return network.ImageTower(w.node, t.settings.Model, pixels, mode)
}

// buildImages is stage 1 for pictures: pixels, random numbers → features, metrics.
func (t *Stepper) buildImages(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	f := t.towerOf(w, in[0], in[1])
	out := f.Cut(t.settings.Model)
	t.parts.cut = nil
	for _, n := range out {
		t.parts.cut = append(t.parts.cut, n.Shape().Dimensions[1:])
	}
	t.parts.names["images"] = w.names()
	metrics := f.Metrics()
	if t.metrics = slices.Sorted(maps.Keys(metrics)); len(metrics) > 0 {
		out = append(out, Stack(sorted(metrics), 0))
	}
	return out
}

// buildTexts is stage 1 for texts: token ids → pooled features.
func (t *Stepper) buildTexts(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	out := network.TextTower(w.node, t.settings.Model, in[0], t.mode())
	t.parts.names["texts"] = w.names()
	return []*Node{out}
}

// names lists the parameters of the graph that training changes.
func (w *weightNodes) names() []string {
	var names []string
	params, _ := w.trained()
	for _, p := range params {
		names = append(names, p.Name)
	}
	return names
}

// buildImageGradients is stage 3 for pictures: start (1 in the first part, else
// 0), pixels, random numbers, the features' gradients.
func (t *Stepper) buildImageGradients(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	f := t.towerOf(w, in[1], in[2])
	sum := against(f.Cut(t.settings.Model), in[3:])
	w.addGradients(in[0], sum)
	return []*Node{sum}
}

// buildTextGradients is stage 3 for texts: start, token ids, gradients.
func (t *Stepper) buildTextGradients(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	out := network.TextTower(w.node, t.settings.Model, in[1], t.mode())
	sum := against([]*Node{out}, in[2:])
	w.addGradients(in[0], sum)
	return []*Node{sum}
}

// against is a scalar whose gradients are those that gradients of values mean:
// Σ values·gradients.
func against(values, gradients []*Node) *Node {
	var sum *Node
	for i, v := range values {
		term := ReduceAllSum(Mul(v, StopGradient(gradients[i])))
		if sum == nil {
			sum = term
		} else {
			sum = Add(sum, term)
		}
	}
	return sum
}

// addGradients adds the weights' gradients of a scalar to the sums, which it starts
// where start is 1. It returns the gradients of more nodes.
func (w *weightNodes) addGradients(start, scalar *Node, more ...*Node) []*Node {
	params, nodes := w.trained()
	gradients := Gradient(scalar, slices.Concat(nodes, more)...)
	first := GreaterThan(start, ZerosLike(start))
	for i, p := range params {
		path := gradientSums + p.Name
		w.t.set(path, Where(first, gradients[i], Add(w.t.variable(path, w.g), gradients[i])))
	}
	return gradients[len(params):]
}

// buildUpdate is stage 4: numbers, loss, mean and unbiased variance of each layer
// of BatchNorm → the gradients' norm.
func (t *Stepper) buildUpdate(g *Graph, in []*Node, nouns bool) []*Node {
	w := t.weightNodes(g)
	p := t.parts
	for _, names := range append(slices.Collect(maps.Values(p.names)), p.lossNames[nouns]) {
		for _, name := range names {
			w.node(name)
		}
	}
	params, _ := w.trained()
	var gradients []*Node
	for _, x := range params {
		gradients = append(gradients, t.variable(gradientSums+x.Name, g))
	}
	statistics := map[string]*Node{}
	for i, name := range p.heads.statistics() {
		statistics[name] = network.RenewStatistic(w.node(name), in[2+i])
	}
	return []*Node{w.update(params, gradients, statistics, in[1], in[0])}
}
