package network_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// variantBatch is what the variants are run on: three pictures with captions,
// four prompts, one of them shared.
type variantBatch struct {
	pixels, captions, prompts, targets array
	areas                              rows // if set, those of the plain computation
}

func drawBatch(c network.Config) variantBatch {
	b := variantBatch{
		pixels:  array{shape: []int{3, 3, c.ImageSize, c.ImageSize}},
		targets: array{shape: []int{3, 4}, f: []float64{2, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 2}},
	}
	for j := range 9 * c.ImageSize * c.ImageSize {
		b.pixels.f = append(b.pixels.f, 4*hashed(70_000, uint32(j)))
	}
	texts := func(k uint32, count int) array {
		a := array{shape: []int{count, c.Text.Context}}
		for i := range count {
			row, words := make([]int32, c.Text.Context), (i+1)%(c.Text.Context-1)
			row[0], row[1+words] = int32(c.Text.Vocabulary-2), int32(c.Text.Vocabulary-1)
			for n := range words {
				row[1+n] = 1 + int32((hashed(k, uint32(10*i+n))+0.5)*float64(c.Text.Vocabulary-4))
			}
			a.i = append(a.i, row...)
		}
		return a
	}
	b.captions, b.prompts = texts(70_001, 3), texts(70_002, 4)
	return b
}

// run computes the losses of the batch in the graph, with all that lies between.
func (b variantBatch) run(t *testing.T, e compute.Backend, d dtypes.DType, c network.Config, params map[string]array,
	training bool, gradients []string) map[string]array {
	return runGraph(t, e, d, params, []array{b.pixels, b.captions, b.prompts, b.targets},
		func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
			mode := network.Mode{Training: training}
			l := network.Loss(w, c, network.Batch{Pixels: in[0], Captions: in[1], Prompts: in[2], Targets: in[3]}, mode)
			i := l.Image
			out := map[string]*graph.Node{
				"groups": i.Groups, "pooled": i.Pooled, "embedding": i.Embedding, "areas": i.Areas,
				"group_embeddings": i.GroupEmbeddings, "patch_embeddings": i.PatchEmbeddings,
				"text_pooled": network.Text(w, c, in[1], mode).Pooled,
				"image_text":  l.ImageText, "nouns": l.Nouns, "total": l.Total,
			}
			for n, s := range i.Stages {
				out[fmt.Sprintf("soft.%d", n)], out[fmt.Sprintf("hard.%d", n)] = s.Soft, s.Hard
			}
			for name, u := range l.Updates {
				out["update/"+name] = u
			}
			return withGradients(out, w, l.Total, gradients)
		})
}

// plain computes the same by loops.
func (b variantBatch) plain(c network.Config, params map[string]array, training bool) map[string]array {
	p := &plain{config: c, params: params, training: training, updates: map[string][]float64{}, areas: b.areas}
	i := p.image(b.pixels)
	all := array{shape: []int{7, c.Text.Context}, i: slices.Concat(b.captions.i, b.prompts.i)}
	pooled, texts := p.text(all)
	u, v, w := unitAll(i.embedding), unitAll(texts[:3]), unitAll(texts[3:])
	imageText := plainImageText(u, v, min(math.Exp(params[network.LogitScale].f[0]), 100), nil)
	nouns := 0.0
	against := c.Variant.NounsAgainst
	if len(against) == 0 {
		against = []string{network.AgainstPooled}
	}
	for _, a := range against {
		scores := plainScores(c, i, u, w, a)
		nouns += plainNounScores(scores, min(math.Exp(params[network.NounLogitScale].f[0]), 100), b.targets.f, nil)
	}
	out := map[string]array{
		"groups": flat(i.groups...), "pooled": flat(i.pooled), "embedding": flat(i.embedding), "text_pooled": flat(pooled[:3]),
		"image_text": {f: []float64{imageText}}, "nouns": {f: []float64{nouns}}, "total": {f: []float64{imageText + nouns}},
	}
	if c.HasGroups() {
		out["areas"], out["group_embeddings"] = flat(i.areas), flat(i.groupEmbeddings...)
	}
	if i.patchEmbeddings != nil {
		out["patch_embeddings"] = flat(i.patchEmbeddings...)
	}
	for n := range i.stages[0] {
		var soft, hard []rows
		for _, s := range i.stages {
			soft, hard = append(soft, s[n].soft), append(hard, s[n].hard)
		}
		out[fmt.Sprintf("soft.%d", n)], out[fmt.Sprintf("hard.%d", n)] = flat(soft...), flat(hard...)
	}
	for name, u := range p.updates {
		out["update/"+name] = array{f: u}
	}
	return out
}

func flat(x ...rows) array { return array{f: slices.Concat(slices.Concat(x...)...)} }

func unitAll(x rows) rows { return unitRows(flat(x).f, len(x[0])) }

// plainScores: the cosine with the picture, or with its parts: their mean under
// a softmax of β times the cosine (plus the logarithm of the area).
func plainScores(c network.Config, i plainImage, u, w rows, against string) rows {
	scores, beta := zeros(len(u), len(w)), c.Variant.NounSharpness
	if beta == 0 {
		beta = 10
	}
	for b := range u {
		for n := range w {
			if against == network.AgainstPooled {
				scores[b][n] = inner(u[b], w[n])
				continue
			}
			if against == network.AgainstGlobal {
				scores[b][n] = inner(unitAll(i.globalEmbedding)[b], w[n])
				continue
			}
			parts := i.patchEmbeddings
			if against == network.AgainstGroups {
				parts = i.groupEmbeddings
			}
			var cosines, logits []float64
			for m, part := range unitAll(parts[b]) {
				q := inner(part, w[n])
				cosines, logits = append(cosines, q), append(logits, beta*q)
				if against == network.AgainstGroups {
					logits[m] += math.Log(i.areas[b][m] + 1e-4)
				}
			}
			scores[b][n] = inner(softmax(logits), cosines)
		}
	}
	return scores
}

// TestVariants compares every output, both losses and the new statistics with
// the plain computation, in evaluation and in training without noise.
func TestVariants(t *testing.T) {
	e := enginetest.New(t, engine.Go, 1)
	for name, c := range variants() {
		for _, training := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, training %v", name, training), func(t *testing.T) {
				if err := c.Validate(); err != nil {
					t.Fatal(err)
				}
				b, params := drawBatch(c), drawnWeights(c)
				want := b.plain(c, params, training)
				got := b.run(t, e, dtypes.Float64, c, params, training, nil)
				compareAll(t, got, want, training, 1e-9)
			})
		}
	}
}

// checkGradients compares gradients and takes them out of want and got. Some are
// zero by nature (a key's bias shifts a whole softmax; a bias before BatchNorm is
// subtracted again): what rounding leaves there is compared with the largest
// gradient of all.
func checkGradients(t *testing.T, got, want map[string]array) {
	t.Helper()
	largest := 0.0
	for name, w := range want {
		if strings.HasPrefix(name, "gradient/") {
			largest = max(largest, w.largest())
		}
	}
	for name, w := range want {
		if !strings.HasPrefix(name, "gradient/") {
			continue
		}
		if w.largest() > 1e-12*largest {
			checkClose(t, name, got[name], w, bound)
		} else if left := got[name].largest(); left > 1e-6*largest {
			t.Errorf("%s is %g, want 0 (the largest gradient is %g)", name, left, largest)
		}
		delete(want, name)
		delete(got, name)
	}
}

// compareAll wants in got all of want; the groups' projections are not computed
// in training where no loss needs them.
func compareAll(t *testing.T, got, want map[string]array, training bool, bound float64) {
	t.Helper()
	for name, w := range want {
		g, ok := got[name]
		if !ok && !(training && name == "group_embeddings") {
			t.Errorf("nothing computed for %s", name)
		} else if ok {
			checkClose(t, name, g, w, bound)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is computed, and should not be", name)
		}
	}
}

// TestVariantsOnEveryEngine: training in float32 against the plain engine in
// float64; for the recipes' networks the gradients of every parameter too. (The
// drawn weights of the others amplify float32's rounding in some gradients.)
func TestVariantsOnEveryEngine(t *testing.T) {
	exact := enginetest.New(t, engine.Go, 1)
	enginetest.Each(t, func(t *testing.T, e compute.Backend) {
		for name, c := range variants() {
			t.Run(name, func(t *testing.T) {
				b, params := drawBatch(c), drawnWeights(c)
				var gradients []string
				if strings.HasPrefix(name, "recipe") || name == "soft assignment" {
					gradients = trainable(c)
				}
				want := b.run(t, exact, dtypes.Float64, c, params, true, gradients)
				got := b.run(t, e, dtypes.Float32, c, params, true, gradients)
				checkGradients(t, got, want)
				compareAll(t, got, want, true, bound)
			})
		}
	})
}

func trainable(c network.Config) []string {
	var out []string
	for _, p := range c.Params() {
		if p.Trainable {
			out = append(out, p.Name)
		}
	}
	return out
}

// TestVariantGradients compares gradients of the total loss in training with
// central differences of the plain computation: three elements of every
// parameter of the recipes' networks, which assign softly.
func TestVariantGradients(t *testing.T) {
	e := enginetest.New(t, engine.Go, 1)
	for name, c := range map[string]network.Config{"scenes": scenes(), "photos": photos(), "context": context()} {
		t.Run(name, func(t *testing.T) {
			b, params := drawBatch(c), drawnWeights(c)
			got := b.run(t, e, dtypes.Float64, c, params, true, trainable(c))
			if c.HasGroups() {
				b.areas = slices.Collect(slices.Chunk(b.plain(c, params, true)["areas"].f, c.Groups()))
			}
			for _, p := range trainable(c) {
				for _, j := range []int{0, params[p].size() / 2, params[p].size() - 1} {
					loss := func(h float64) float64 {
						keep := params[p].f[j]
						defer func() { params[p].f[j] = keep }()
						params[p].f[j] += h
						return b.plain(c, params, true)["total"].f[0]
					}
					const h = 1e-5
					d := (loss(h) - loss(-h)) / (2 * h)
					if g := got["gradient/"+p].f[j]; math.Abs(g-d) > 1e-6*max(1, math.Abs(d)) {
						t.Errorf("gradient by %s[%d] is %.9f, differences give %.9f", p, j, g, d)
					}
				}
			}
		})
	}
}
