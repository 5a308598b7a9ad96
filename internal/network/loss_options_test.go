package network_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// plainSoftImageText is the image–text loss whose captions fit several pictures:
// t[i][j] says how well caption j fits picture i. Pairs of weight 0 do not exist.
func plainSoftImageText(u, v [][]float64, s float64, weight []float64, t [][]float64) float64 {
	total, pictures := 0.0, 0.0
	for i := range u {
		if weight[i] == 0 {
			continue
		}
		pictures++
		for _, toCaptions := range []bool{true, false} {
			var logits, fits []float64
			sum := 0.0
			for j := range v {
				if weight[j] == 0 {
					continue
				}
				a, b := i, j
				if !toCaptions {
					a, b = j, i
				}
				logits, fits = append(logits, s*inner(u[a], v[b])), append(fits, t[a][b])
				sum += t[a][b]
			}
			norm := logSumExp(logits)
			for j, x := range logits {
				total -= fits[j] / sum * (x - norm) / 2
			}
		}
	}
	return total / pictures
}

func logSigmoid(x float64) float64 { return -math.Log1p(math.Exp(-x)) }

// plainSigmoidImageText sums over pairs that exist, divided by the pictures.
func plainSigmoidImageText(u, v [][]float64, s, bias float64, weight []float64, t [][]float64) float64 {
	total, pictures := 0.0, 0.0
	for i := range u {
		pictures += weight[i]
		for j := range v {
			if weight[i]*weight[j] == 0 {
				continue
			}
			x := s*inner(u[i], v[j]) + bias
			total -= t[i][j]*logSigmoid(x) + (1-t[i][j])*logSigmoid(-x)
		}
	}
	return total / pictures
}

// plainSigmoidNouns leaves out pairs that are not known and prompts of nobody.
func plainSigmoidNouns(u, w [][]float64, s, bias float64, targets, known []float64) float64 {
	n := len(w)
	owned, having := make([]bool, n), map[int]bool{}
	for i := range u {
		for p := range n {
			if targets[i*n+p] > 0 && known[i*n+p] > 0 {
				owned[p], having[i] = true, true
			}
		}
	}
	total := 0.0
	for i := range u {
		for p := range n {
			if !owned[p] || known[i*n+p] == 0 {
				continue
			}
			x := s*inner(u[i], w[p]) + bias
			if targets[i*n+p] > 0 {
				total -= logSigmoid(x)
			} else {
				total -= logSigmoid(-x)
			}
		}
	}
	return total / float64(len(having))
}

// optionCase is a loss beyond the paper's, as a graph and as plain loops, of
// features u, v [4, 5], w [3, 5], a temperature and a bias.
type optionCase struct {
	graph func(u, v, w, s, bias *graph.Node, constant func([]float64, ...int) *graph.Node) *graph.Node
	plain func(u, v, w [][]float64, s, bias float64) float64
}

func optionCases() map[string]optionCase {
	all, some := []float64{1, 1, 1, 1}, []float64{1, 0, 1, 1}
	soft := []float64{1, 0.5, 0, 0, 0.5, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1} // symmetric
	identity := []float64{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}
	targets := []float64{1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 1, 0} // nobody has the third
	known := []float64{1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0}
	square := func(f []float64) [][]float64 { return [][]float64{f[:4], f[4:8], f[8:12], f[12:]} }
	ones := make([]float64, 12)
	for i := range ones {
		ones[i] = 1
	}
	type nodes = *graph.Node
	type constant = func([]float64, ...int) *graph.Node
	return map[string]optionCase{
		"soft targets": {
			func(u, v, _, s, _ nodes, c constant) nodes {
				return network.ImageTextLoss(u, v, s, nil, c(soft, 4, 4))
			},
			func(u, v, _ [][]float64, s, _ float64) float64 {
				return plainSoftImageText(u, v, s, all, square(soft))
			}},
		"soft targets, a picture without a caption": {
			func(u, v, _, s, _ nodes, c constant) nodes {
				return network.ImageTextLoss(u, v, s, c(some, 4), c(soft, 4, 4))
			},
			func(u, v, _ [][]float64, s, _ float64) float64 {
				return plainSoftImageText(u, v, s, some, square(soft))
			}},
		"soft targets that are the identity": {
			func(u, v, _, s, _ nodes, c constant) nodes {
				return network.ImageTextLoss(u, v, s, nil, c(identity, 4, 4))
			},
			func(u, v, _ [][]float64, s, _ float64) float64 { return plainImageText(u, v, s, nil) }},
		"sigmoid": {
			func(u, v, _, s, b nodes, c constant) nodes {
				return network.SigmoidImageTextLoss(u, v, s, b, nil, nil)
			},
			func(u, v, _ [][]float64, s, b float64) float64 {
				return plainSigmoidImageText(u, v, s, b, all, square(identity))
			}},
		"sigmoid, soft targets, a picture without a caption": {
			func(u, v, _, s, b nodes, c constant) nodes {
				return network.SigmoidImageTextLoss(u, v, s, b, c(some, 4), c(soft, 4, 4))
			},
			func(u, v, _ [][]float64, s, b float64) float64 {
				return plainSigmoidImageText(u, v, s, b, some, square(soft))
			}},
		"sigmoid nouns": {
			func(u, _, w, s, b nodes, c constant) nodes {
				return network.SigmoidNounLoss(graph.Einsum("ip,up->iu", u, w), s, b, c(targets, 4, 3), nil)
			},
			func(u, _, w [][]float64, s, b float64) float64 {
				return plainSigmoidNouns(u, w, s, b, targets, ones)
			}},
		"sigmoid nouns, pairs that are not known": {
			func(u, _, w, s, b nodes, c constant) nodes {
				return network.SigmoidNounLoss(graph.Einsum("ip,up->iu", u, w), s, b, c(targets, 4, 3), c(known, 4, 3))
			},
			func(u, _, w [][]float64, s, b float64) float64 {
				return plainSigmoidNouns(u, w, s, b, targets, known)
			}},
	}
}

// TestLossOptions compares value and gradients of the losses beyond the paper's
// with the independent computation; gradients by central differences of it.
func TestLossOptions(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	const width, theta, bias = 5, 1.2, -2.5
	raw := [3][]float64{
		wave(4, width, func(n float64) float64 { return math.Sin(0.9*n + 0.2) }).f,
		wave(4, width, func(n float64) float64 { return math.Cos(0.7 * n) }).f,
		wave(3, width, func(n float64) float64 { return math.Sin(0.37*n + 1) }).f,
	}
	for name, k := range optionCases() {
		t.Run(name, func(t *testing.T) {
			got := optionGraph(t, b, k, raw, theta, bias)
			plain := func(raw [3][]float64, theta, bias float64) float64 {
				return k.plain(unitRows(raw[0], width), unitRows(raw[1], width), unitRows(raw[2], width), math.Exp(theta), bias)
			}
			same(t, name, got["loss"].f[0], plain(raw, theta, bias))
			const h = 1e-5
			check := func(name string, g, high, low float64) {
				if d := (high - low) / (2 * h); math.Abs(g-d) > 1e-6*max(1, math.Abs(d)) {
					t.Errorf("gradient by %s is %.9f, differences give %.9f", name, g, d)
				}
			}
			for part, name := range []string{"u", "v", "w"} {
				for i := range raw[part] {
					check(name, got[name].f[i], plain(shifted(raw, part, i, h), theta, bias), plain(shifted(raw, part, i, -h), theta, bias))
				}
			}
			check("theta", got["theta"].f[0], plain(raw, theta+h, bias), plain(raw, theta-h, bias))
			check("bias", got["bias"].f[0], plain(raw, theta, bias+h), plain(raw, theta, bias-h))
		})
	}
}

func optionGraph(t *testing.T, b compute.Backend, k optionCase, raw [3][]float64, theta, bias float64) map[string]array {
	inputs := []array{{shape: []int{}, f: []float64{theta}}, {shape: []int{}, f: []float64{bias}}}
	for _, f := range raw {
		inputs = append(inputs, array{shape: []int{len(f) / 5, 5}, f: f})
	}
	return runGraph(t, b, dtypes.Float64, nil, inputs, func(_ network.Weights, in []*graph.Node) map[string]*graph.Node {
		constant := func(f []float64, dims ...int) *graph.Node {
			return graph.Reshape(graph.Const(in[0].Graph(), f), dims...)
		}
		loss := k.graph(normalised(in[2]), normalised(in[3]), normalised(in[4]), graph.Exp(in[0]), in[1], constant)
		out := map[string]*graph.Node{"loss": loss}
		for i, g := range graph.Gradient(loss, in...) {
			out[[]string{"theta", "bias", "u", "v", "w"}[i]] = g
		}
		return out
	})
}

// Of, the whole of it, asks for the parameters that its options need and weighs
// the noun loss.
func TestLossConfig(t *testing.T) {
	c := small()
	c.Variant.LogitBias = true
	params := map[string]array{}
	for name, values := range network.Initialize(c, 3) {
		for _, p := range c.Params() {
			if p.Name == name {
				a := array{shape: p.Shape}
				a.f = widen(values)
				params[name] = a
			}
		}
	}
	params[network.NounLogitScale] = array{shape: []int{}, f: []float64{1}}
	params[network.NounLogitBias] = array{shape: []int{}, f: []float64{-1}}
	ids := array{shape: []int{4, 5}, i: []int32{18, 3, 19, 0, 0, 18, 4, 5, 19, 0, 18, 6, 19, 0, 0, 18, 7, 8, 19, 0}}
	captions := array{shape: []int{2, 5}, i: ids.i[:10]}
	prompts := array{shape: []int{2, 5}, i: ids.i[10:]}
	b := enginetest.New(t, engine.Go, 1)
	run := func(l network.LossConfig) map[string]array {
		inputs := []array{formulaPictures(7, 2, 16, 16), captions, prompts, paperTargets(2, 1)}
		return runGraph(t, b, dtypes.Float64, params, inputs, func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
			out := l.Of(w, c, network.Batch{Pixels: in[0], Captions: in[1], Prompts: in[2], Targets: in[3]}, network.Mode{})
			return map[string]*graph.Node{"total": out.Total, "text": out.ImageText, "nouns": out.Nouns}
		})
	}
	total := func(l network.LossConfig) float64 { return run(l)["total"].f[0] }
	paper := run(network.PaperLoss())
	same(t, "half the nouns", total(network.LossConfig{NounWeight: 0.5}), paper["text"].f[0]+paper["nouns"].f[0]/2)
	for name, l := range map[string]network.LossConfig{
		"sigmoid": {Sigmoid: true, NounWeight: 1}, "one temperature": {ShareTemperature: true, NounWeight: 1},
		"one temperature, sigmoid": {ShareTemperature: true, Sigmoid: true, NounWeight: 1},
	} {
		if got := run(l); got["nouns"].f[0] == paper["nouns"].f[0] {
			t.Errorf("%s: the noun loss is the paper's, %g", name, got["nouns"].f[0])
		}
	}
	apart, shared := run(network.LossConfig{Sigmoid: true, NounWeight: 1}), run(network.LossConfig{Sigmoid: true, ShareTemperature: true, NounWeight: 1})
	if apart["text"].f[0] != shared["text"].f[0] || apart["nouns"].f[0] == shared["nouns"].f[0] {
		t.Error("a shared temperature and bias are those of the image-text loss")
	}
}
