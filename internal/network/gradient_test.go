package network_test

import (
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// prompts are the last six of nine texts: two for each of three pictures.
func paperTargets(pictures, each int) array {
	a := array{shape: []int{pictures, pictures * each}, f: make([]float64, pictures*pictures*each)}
	for u := range pictures * each {
		a.f[u/each*pictures*each+u] = 1
	}
	return a
}

// TestPortGradients: losses, gradients and running statistics of the tiny
// network against automatic differentiation through the port.
func TestPortGradients(t *testing.T) {
	const pictures, each = 3, 2
	want := readTensors(t, "tiny", "gradients.safetensors")
	ids := want["ids"]
	context := ids.shape[1]
	captions := array{shape: []int{pictures, context}, i: ids.i[:pictures*context]}
	prompts := array{shape: []int{pictures * each, context}, i: ids.i[pictures*context:]}
	cases := []struct {
		name                  string
		soft, nouns, training bool
	}{{"hard", false, false, false}, {"soft", true, false, false}, {"nouns", true, true, false}, {"training", true, true, true}}
	enginetest.Each(t, func(t *testing.T, b compute.Backend) {
		for _, k := range cases {
			t.Run(k.name, func(t *testing.T) {
				c := tinyConfig(t)
				params := tinyWeights(t, c)
				c.NounLoss, c.Variant.SoftAssign = true, k.soft
				params[network.NounLogitScale] = array{shape: []int{}, f: []float64{2}}
				got := runGraph(t, b, dtypes.Float32, params,
					[]array{formulaPictures(20, pictures, 32, 32), captions, prompts, paperTargets(pictures, each)},
					func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
						batch := network.Batch{Pixels: in[0], Captions: in[1]}
						if k.nouns {
							batch.Prompts, batch.Targets = in[2], in[3]
						}
						// No random numbers: training without noise and drop path.
						l := network.Loss(w, c, batch, network.Mode{Training: k.training})
						out := map[string]*graph.Node{"loss/image_text": l.ImageText}
						if k.nouns {
							out["loss/nouns"] = l.Nouns
						}
						for name, update := range l.Updates {
							out["update/"+name] = update
						}
						return withGradients(out, w, l.Total, names(want, k.name+"/gradient/"))
					})
				worst := 0.0
				for name, a := range want {
					if short, ok := strings.CutPrefix(name, k.name+"/"); ok {
						worst = max(worst, checkClose(t, short, got[short], a, bound))
					}
				}
				t.Logf("largest difference %.1e of a tensor's largest magnitude", worst)
			})
		}
	})
}

// names lists what stands below a prefix, the prefix cut off.
func names(tensors map[string]array, prefix string) []string {
	var out []string
	for name := range tensors {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			out = append(out, short)
		}
	}
	return out
}

// withGradients adds the gradient of loss by each parameter as "gradient/NAME".
func withGradients(out map[string]*graph.Node, w network.Weights, loss *graph.Node, parameters []string) map[string]*graph.Node {
	var nodes []*graph.Node
	for _, p := range parameters {
		nodes = append(nodes, w(p))
	}
	for i, g := range graph.Gradient(loss, nodes...) {
		out["gradient/"+parameters[i]] = g
	}
	return out
}
