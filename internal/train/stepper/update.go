package stepper

import (
	"maps"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/network"
)

// Places of the numbers that every update gets.
const (
	atRate    = iota // learning rate
	atFirst          // bias corrections of both moments
	atSecond         //
	atLimit          // largest loss that changes anything
	atEMA            // decay of the averages
	inNumbers        // how many there are
)

// numbers of the next update.
func (t *Stepper) numbers(rate float64) []float32 {
	o, n := t.settings.Optimizer, t.Updates+1
	first, second := o.Corrections(n)
	return []float32{float32(rate), float32(first), float32(second), t.Limit, float32(o.EmaDecay(n))}
}

// weightNodes are the weights of one graph, as far as it has asked for them.
type weightNodes struct {
	t    *Stepper
	g    *Graph
	used map[string]*Node
}

func (t *Stepper) weightNodes(g *Graph) *weightNodes { return &weightNodes{t, g, map[string]*Node{}} }

// node is a [network.Weights].
func (w *weightNodes) node(name string) *Node {
	if w.used[name] == nil {
		w.used[name] = w.t.variable("/"+name, w.g)
	}
	return w.used[name]
}

func (t *Stepper) variable(path string, g *Graph) *Node {
	v := t.store.GetVariable(path)
	if v == nil {
		exceptions.Panicf("no tensor %q", path)
	}
	return v.NodeValue(g)
}

func (t *Stepper) set(path string, n *Node) { t.store.GetVariable(path).SetNodeValue(n) }

// trained lists the parameters of the graph that training changes.
func (w *weightNodes) trained() (params []network.Param, nodes []*Node) {
	for _, p := range w.t.params {
		if n, ok := w.used[p.Name]; ok && w.t.trains(p) {
			params, nodes = append(params, p), append(nodes, n)
		}
	}
	return params, nodes
}

// update changes the weights in a graph: clipping, AdamW, new running statistics
// by parameter name, averages. Where the loss or the gradients' norm, which is
// returned, is not finite, or the loss is above the limit, nothing changes.
func (w *weightNodes) update(params []network.Param, gradients []*Node, statistics map[string]*Node, loss, numbers *Node) (norm *Node) {
	t, o := w.t, w.t.settings.Optimizer
	number := func(i int) *Node { return Reshape(SliceAxis(numbers, 0, AxisElem(i)), []int{}...) }
	norm, gradients = clip(gradients, o.Clip)
	fine := LogicalAnd(LogicalAnd(IsFinite(loss), IsFinite(norm)), LessOrEqual(loss, number(atLimit)))
	changed := map[string]*Node{}
	for i, p := range params {
		old, m, v := w.node(p.Name), t.variable(firstMoment+p.Name, w.g), t.variable(secondMoment+p.Name, w.g)
		newW, newM, newV := adamW(o, old, m, v, gradients[i], number(atRate), number(atFirst), number(atSecond), o.Decays(p))
		changed[p.Name] = Where(fine, newW, old)
		t.set(firstMoment+p.Name, Where(fine, newM, m))
		t.set(secondMoment+p.Name, Where(fine, newV, v))
	}
	for name, n := range statistics {
		if !t.settings.Optimizer.Frozen(name) {
			changed[name] = Where(fine, n, w.node(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		t.set("/"+name, changed[name])
		if o.EMA > 0 {
			old, d := t.variable(averages+name, w.g), number(atEMA)
			average := Add(Mul(old, d), Mul(changed[name], OneMinus(d)))
			t.set(averages+name, Where(fine, average, old))
		}
	}
	return norm
}
