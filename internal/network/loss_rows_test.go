package network_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// rowsOptions are the losses that are compared whole and in rows.
func rowsOptions() map[string]network.LossConfig {
	return map[string]network.LossConfig{
		"softmax":                  {NounWeight: 1},
		"sigmoid":                  {NounWeight: 0.5, Sigmoid: true},
		"one temperature, sigmoid": {NounWeight: 1, Sigmoid: true, ShareTemperature: true},
		"one temperature":          {NounWeight: 2, ShareTemperature: true},
	}
}

// TestRows: the losses of one and of three of four pictures, each against all
// texts, add up to those of the four, with their gradients and metrics, in float64
// to rounding, where BatchNorm is told the moments of the batch; for every head,
// with captions that fit several pictures, some left out, and pairs that are not
// known.
func TestRows(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	for name, c := range variants() {
		for kind, l := range rowsOptions() {
			if l.Sigmoid && name != "biases of the losses" {
				continue
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				if c.Variant.PatchEmbeddings != "" {
					l.ExplainWeight = 0.5
					if c.HasGroups() {
						l.TeachWeight = 0.5
					}
				}
				run := func(cuts ...int) map[string]array {
					return runGraph(t, b, dtypes.Float64, rowsParams(c), rowsInputs(c), func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
						return rowsLoss(w, c, l, in, cuts)
					})
				}
				whole, rows := run(), run(0, 1, 4)
				for name, want := range whole {
					if len(rows[name].f) != len(want.f) {
						t.Fatalf("%s: %d values, whole %d", name, len(rows[name].f), len(want.f))
					}
					for i, v := range want.f { // some gradients are sums that cancel to 0
						if d := math.Abs(rows[name].f[i] - v); !(d <= 1e-8*max(1, math.Abs(v))) {
							t.Errorf("%s[%d] is %g, whole %g", name, i, rows[name].f[i], v)
						}
					}
				}
				if whole["gradient/"+network.LogitScale].f[0] == 0 {
					t.Error("no gradient")
				}
			})
		}
	}
}

func rowsParams(c network.Config) map[string]array {
	params, values := map[string]array{}, network.Initialize(c, 3)
	for _, p := range c.Params() {
		params[p.Name] = array{shape: p.Shape, f: widen(values[p.Name])}
	}
	return params
}

// rowsInputs are four pictures, nine texts (four captions, five prompts, of which
// nobody has the last), caption weights, and targets.
func rowsInputs(c network.Config) []array {
	ids := array{shape: []int{9, 4}}
	for i := range int32(9) {
		ids.i = append(ids.i, 18, 1+i, 1+i*3%17, 19)
	}
	return []array{
		formulaPictures(7, 4, c.ImageSize, c.ImageSize), ids,
		{shape: []int{4}, f: []float64{1, 1, 0, 1}},
		{shape: []int{4, 4}, f: []float64{1, 0.5, 0, 0 /**/, 0.5, 1, 0, 1 /**/, 0, 0, 1, 0 /**/, 0, 1, 0, 1}},
		{shape: []int{4, 5}, f: []float64{1, 2, 0, 0, 0 /**/, 0, 1, 1, 0, 0 /**/, 1, 0, 0, 1, 0 /**/, 0, 0, 0, 0, 0}},
		{shape: []int{4, 5}, f: []float64{1, 1, 1, 1, 1 /**/, 1, 1, 0, 1, 1 /**/, 1, 0, 0, 0, 1 /**/, 1, 1, 1, 0, 1}},
		{shape: []int{4, 5}, f: []float64{1, 1, 0, 0, 0 /**/, 0, 1, 1, 0, 1 /**/, 1, 0, 1, 1, 0 /**/, 0, 0, 0, 0, 1}},
	}
}

// rowsLoss computes the losses of the batch, or of its rows between the cuts.
func rowsLoss(w network.Weights, c network.Config, l network.LossConfig, in []*graph.Node, cuts []int) map[string]*graph.Node {
	used := map[string]bool{}
	weights := func(name string) *graph.Node { used[name] = true; return w(name) }
	m := network.Mode{Training: true}
	f, texts := network.ImageTower(weights, c, in[0], m), network.TextTower(weights, c, in[1], m)
	batch := network.Batch{CaptionWeight: in[2], CaptionTargets: in[3], Targets: in[4], Known: in[5], Explains: in[6]}
	nodes := map[string]*graph.Node{}
	add := func(name string, n *graph.Node) {
		if nodes[name] != nil {
			n = graph.Add(nodes[name], n)
		}
		nodes[name] = n
	}
	shares := func(out network.LossOutput) {
		add("total", out.Total)
		add("image-text", out.ImageText)
		add("nouns", out.Nouns)
		for name, n := range out.Metrics {
			add(name, n)
		}
	}
	if cuts == nil {
		shares(l.OfFeatures(weights, c, f, texts, batch, m))
	} else {
		for _, out := range inRows(weights, c, l, f, texts, batch, cuts) {
			shares(out)
		}
	}
	var trained []string
	for _, p := range c.Params() {
		if used[p.Name] && p.Trainable {
			trained = append(trained, p.Name)
		}
	}
	return withGradients(nodes, w, nodes["total"], trained)
}

// inRows does what a step in parts does, in one graph: moments of the heads, sums
// over columns, losses of each part.
func inRows(w network.Weights, c network.Config, l network.LossConfig, f network.ImageFeatures, texts *graph.Node, whole network.Batch, cuts []int) []network.LossOutput {
	units := network.UnitTexts(w, c, texts, network.Mode{Training: true})
	row := func(x *graph.Node, i int) *graph.Node {
		return graph.SliceAxis(x, 0, graph.AxisRange(cuts[i], cuts[i+1]))
	}
	features := func(i int) network.ImageFeatures {
		var part []*graph.Node
		for _, n := range f.Cut(c) {
			part = append(part, row(n, i))
		}
		return network.FeaturesFromCut(c, part)
	}
	moments := jointMoments(w, c, features, len(cuts)-1)
	mode := func() network.Mode {
		asked := 0
		return network.Mode{Training: true, Moments: func(string, *graph.Node) (mean, variance *graph.Node) {
			asked++
			return moments[asked-1][0], moments[asked-1][1]
		}}
	}
	known := graph.Mul(whole.Targets, whole.Known)
	positive := func(x *graph.Node) *graph.Node {
		return graph.ConvertDType(graph.GreaterThan(x, graph.ZerosLike(x)), x.DType())
	}
	named := graph.ReduceMax(positive(whole.Targets), 0)
	pair := graph.Mul(graph.InsertAxes(whole.CaptionWeight, 1), graph.InsertAxes(whole.CaptionWeight, 0))
	sums := network.Sums{
		Captions: graph.ReduceSum(graph.Mul(whole.CaptionTargets, pair), 0),
		Prompts:  graph.ReduceSum(known, 0), Pictures: graph.ReduceAllSum(positive(graph.ReduceSum(known, 1))),
		Named: named, Explained: graph.ReduceAllSum(graph.ReduceMax(graph.Mul(whole.Explains, graph.InsertAxes(named, 0)), 1)),
	}
	part := func(i int, columns []*graph.Node) network.Batch {
		return network.Batch{
			CaptionWeight: whole.CaptionWeight, CaptionTargets: row(whole.CaptionTargets, i),
			Targets: row(whole.Targets, i), Known: row(whole.Known, i), Explains: row(whole.Explains, i),
			Rows: &network.Rows{Weight: row(whole.CaptionWeight, i), Columns: columns, Sums: sums},
		}
	}
	var columns []*graph.Node
	for i := range len(cuts) - 1 {
		for k, x := range l.Columns(w, c, features(i), units, part(i, nil), mode()) {
			if i == 0 {
				columns = append(columns, x)
			} else {
				columns[k] = graph.Log(graph.Add(graph.Exp(columns[k]), graph.Exp(x)))
			}
		}
	}
	var out []network.LossOutput
	for i := range len(cuts) - 1 {
		out = append(out, l.OfRows(w, c, features(i), units, part(i, columns), mode()))
	}
	return out
}

// jointMoments are mean and variance of what BatchNorm sees in all parts, for each
// of its uses.
func jointMoments(w network.Weights, c network.Config, features func(i int) network.ImageFeatures, parts int) [][2]*graph.Node {
	var seen [][]*graph.Node
	for i := range parts {
		asked := 0
		network.ImageHead(w, c, features(i), network.Mode{Training: true, Moments: func(_ string, x *graph.Node) (mean, variance *graph.Node) {
			if asked == len(seen) {
				seen = append(seen, nil)
			}
			seen[asked] = append(seen[asked], x)
			asked++
			zero := graph.ReduceSum(graph.ZerosLike(x), 0)
			return zero, zero
		}})
	}
	var moments [][2]*graph.Node
	for _, rows := range seen {
		x := graph.Concatenate(rows, 0)
		mean := graph.ReduceMean(x, 0)
		square := graph.Square(graph.Sub(x, graph.InsertAxes(mean, 0)))
		moments = append(moments, [2]*graph.Node{mean, graph.ReduceMean(square, 0)})
	}
	return moments
}
