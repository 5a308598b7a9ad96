package train

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
//     losses take all features at once. This gives the heads' gradients and those
//     of the features.
//  3. The towers compute each part again, with the same random numbers, and pass
//     the features' gradients on to their weights, where the parts add up.
//  4. One update, as after any gradient.
//
// A text or a picture is a row of its own in the towers, so what the parts give
// is what one batch would; a stem with BatchNorm is not of that kind and is
// refused by the settings.
type parts struct {
	// The graphs of the four stages. Each of update's belongs to a set of
	// parameters: without prompts those of the noun loss have no gradient.
	images, texts, losses         *model.Exec
	imageGradients, textGradients *model.Exec
	update                        map[bool]*model.Exec
	// cut are the shapes of the features that the losses look at, without the
	// batch.
	cut [][]int
	// names of the parameters that each graph trains, as far as it was built:
	// losses by whether there are prompts.
	imageNames, textNames []string
	lossNames             map[bool][]string
	// statistics names the running statistics that the heads renew.
	statistics []string
	// headMetrics names the metrics that the losses' graph adds.
	headMetrics []string
	// features and gradients hold what goes between the stages, by place in the
	// cut; the last is the texts'.
	features, gradients [][]float32
}

// Paths of what goes between the graphs: the gradients, added up, and new
// running statistics.
const (
	gradientSums  = "/parts/gradient/"
	newStatistics = "/parts/statistic/"
)

func (t *Stepper) newParts(backend compute.Backend) (*parts, error) {
	for _, p := range t.params {
		root := gradientSums
		if !p.Trainable {
			root = newStatistics
		} else if !t.trains(p) {
			continue
		}
		if err := t.create(root+p.Name, p.Shape, make([]float32, p.Size())); err != nil {
			return nil, err
		}
	}
	p := &parts{lossNames: map[bool][]string{}, update: map[bool]*model.Exec{}}
	err := exceptions.TryCatch[error](func() {
		p.images, p.texts = t.exec(backend, t.buildImages), t.exec(backend, t.buildTexts)
		p.losses = t.exec(backend, t.buildLosses)
		p.imageGradients, p.textGradients = t.exec(backend, t.buildImageGradients), t.exec(backend, t.buildTextGradients)
		for _, nouns := range []bool{false, true} {
			p.update[nouns] = t.exec(backend, func(g *Graph, in []*Node) []*Node { return t.buildUpdate(g, in, nouns) })
		}
	})
	return p, err
}

func (p *parts) close() {
	for _, e := range []*model.Exec{p.images, p.texts, p.losses, p.imageGradients, p.textGradients, p.update[false], p.update[true]} {
		if e != nil {
			e.Finalize()
		}
	}
}

// towerOf computes a part of the pictures: pixels and random numbers to features.
func (t *Stepper) towerOf(w *weightNodes, pixels, random *Node) network.ImageFeatures {
	mode := network.Mode{Training: true, Random: randomOf(random)}
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
	t.parts.imageNames = w.names()
	metrics := f.Metrics()
	if t.metrics = slices.Sorted(maps.Keys(metrics)); len(metrics) > 0 {
		out = append(out, Stack(sorted(metrics), 0))
	}
	return out
}

// buildTexts is stage 1 for texts: token ids → pooled features.
func (t *Stepper) buildTexts(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	out := network.TextTower(w.node, t.settings.Model, in[0], network.Mode{Training: true})
	t.parts.textNames = w.names()
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

// buildLosses is stage 2: features of pictures by place in the cut, of texts,
// targets → metrics and the features' gradients. The heads' gradients and new
// statistics stay in the store.
func (t *Stepper) buildLosses(g *Graph, in []*Node) []*Node {
	k := len(t.parts.cut)
	features, texts := in[:k:k], in[k]
	r := &reader{in[k+1:]}
	var batch network.Batch
	t.readTargets(r, &batch)
	w := t.weightNodes(g)
	f := network.FeaturesFromCut(t.settings.Model, features)
	out := t.settings.Loss.config().OfFeatures(w.node, t.settings.Model, f, texts, batch, network.Mode{Training: true})
	params, nodes := w.trained()
	gradients := Gradient(out.Total, slices.Concat(nodes, features, []*Node{texts})...)
	for i, p := range params {
		t.set(gradientSums+p.Name, gradients[i])
	}
	t.parts.lossNames[out.Nouns != nil] = w.names()
	t.parts.statistics = slices.Sorted(maps.Keys(out.Updates))
	for _, name := range t.parts.statistics {
		t.set(newStatistics+name, out.Updates[name])
	}
	t.parts.headMetrics = slices.Sorted(maps.Keys(out.Metrics))
	metrics := Stack(append(lossMetrics(out, ZerosLike(out.Total)), sorted(out.Metrics)...), 0)
	return append([]*Node{metrics}, gradients[len(params):]...)
}

// buildImageGradients is stage 3 for pictures: start (1 in the first part, else
// 0), pixels, random numbers, the features' gradients.
func (t *Stepper) buildImageGradients(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	f := t.towerOf(w, in[1], in[2])
	return t.addGradients(w, in[0], f.Cut(t.settings.Model), in[3:])
}

// buildTextGradients is stage 3 for texts: start, token ids, gradients.
func (t *Stepper) buildTextGradients(g *Graph, in []*Node) []*Node {
	w := t.weightNodes(g)
	out := network.TextTower(w.node, t.settings.Model, in[1], network.Mode{Training: true})
	return t.addGradients(w, in[0], []*Node{out}, in[2:])
}

// addGradients adds to the sums what gradients of features mean for the weights:
// those of Σ features·gradients.
func (t *Stepper) addGradients(w *weightNodes, start *Node, features, gradients []*Node) []*Node {
	var sum *Node
	for i, f := range features {
		term := ReduceAllSum(Mul(f, StopGradient(gradients[i])))
		if sum == nil {
			sum = term
		} else {
			sum = Add(sum, term)
		}
	}
	params, nodes := w.trained()
	first := GreaterThan(start, ZerosLike(start))
	for i, g := range Gradient(sum, nodes...) {
		path := gradientSums + params[i].Name
		t.set(path, Where(first, g, Add(t.variable(path, w.g), g)))
	}
	return []*Node{sum}
}

// buildUpdate is stage 4: numbers, loss → the gradients' norm.
func (t *Stepper) buildUpdate(g *Graph, in []*Node, nouns bool) []*Node {
	w := t.weightNodes(g)
	p := t.parts
	for _, name := range slices.Concat(p.imageNames, p.textNames, p.lossNames[nouns]) {
		w.node(name)
	}
	params, _ := w.trained()
	var gradients []*Node
	for _, x := range params {
		gradients = append(gradients, t.variable(gradientSums+x.Name, g))
	}
	statistics := map[string]*Node{}
	for _, name := range p.statistics {
		statistics[name] = t.variable(newStatistics+name, g)
	}
	return []*Node{w.update(params, gradients, statistics, in[1], in[0])}
}
