package network_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// bound is how far float32 may stand from the port's float64 result, as part of
// a tensor's largest magnitude.
const bound = 1e-4

func tinyConfig(t testing.TB) network.Config {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "tiny", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := network.ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tinyWeights are the stored tensors of the tiny network that the port and we
// both know as parameters.
func tinyWeights(t testing.TB, c network.Config) map[string]array {
	t.Helper()
	stored, out := readTensors(t, "tiny", "model.safetensors"), map[string]array{}
	for _, p := range c.Params() {
		a, ok := stored[p.Name]
		if !ok {
			t.Fatalf("the port's checkpoint has no tensor %s", p.Name)
		}
		a.shape, out[p.Name] = p.Shape, a
		delete(stored, p.Name)
	}
	for name := range stored {
		if !strings.HasSuffix(name, "num_batches_tracked") {
			t.Errorf("tensor %s of the port's checkpoint is no parameter of ours", name)
		}
	}
	return out
}

// everything is what one pass over pictures and texts returns, by the fixtures'
// names.
func everything(c network.Config) func(network.Weights, []*graph.Node) map[string]*graph.Node {
	return func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
		i := network.Image(w, c, in[0], network.Mode{})
		out := map[string]*graph.Node{
			"groups": i.Groups, "pooled": i.Pooled, "image_embedding": i.Embedding,
			"group_embeddings": i.GroupEmbeddings,
		}
		for n, s := range i.Stages {
			out["soft."+string(rune('0'+n))] = s.Soft
			out["hard."+string(rune('0'+n))] = s.Hard
		}
		text := network.Text(w, c, in[1], network.Mode{})
		out["text_pooled"], out["text_embedding"] = text.Pooled, text.Embedding
		return out
	}
}

// nearTies counts tokens of soft [B, G, L] whose two best groups are closer than
// margin.
func nearTies(soft array, margin float64) int {
	g, l, ties := soft.shape[1], soft.shape[2], 0
	for b := range soft.shape[0] {
		for n := range l {
			first, second := math.Inf(-1), math.Inf(-1)
			for i := range g {
				v := soft.f[(b*g+i)*l+n]
				if v > first {
					first, second = v, first
				} else if v > second {
					second = v
				}
			}
			if first-second < margin {
				ties++
			}
		}
	}
	return ties
}

// checkCase compares a pass with the fixtures below prefix.
func checkCase(t *testing.T, got, want map[string]array, prefix string) {
	t.Helper()
	for name, a := range want {
		short, ok := strings.CutPrefix(name, prefix+"/")
		if !ok || short == "segmentation_logits" || short == "logits_per_image" {
			continue
		}
		g, ok := got[short]
		if !ok {
			t.Errorf("nothing computed for %s", name)
			continue
		}
		d := checkClose(t, name, g, a, bound)
		t.Logf("%-18s differs by %.1e of the largest magnitude", short, d)
		if strings.HasPrefix(short, "soft.") {
			t.Logf("%-18s %d of %d tokens have two best groups closer than 1e-4",
				short, nearTies(a, 1e-4), a.shape[0]*a.shape[2])
		}
	}
}

// TestPortTiny: the tiny network stored whole, at its own size, twice that, and
// not square, on every engine, in float32.
func TestPortTiny(t *testing.T) {
	c := tinyConfig(t)
	params := tinyWeights(t, c)
	want := readTensors(t, "tiny", "expected.safetensors")
	cases := []struct {
		name               string
		first, count, h, w int
	}{{"32x32", 0, 2, 32, 32}, {"64x64", 2, 1, 64, 64}, {"40x56", 3, 1, 40, 56}}
	enginetest.Each(t, func(t *testing.T, b compute.Backend) {
		for _, k := range cases {
			t.Run(k.name, func(t *testing.T) {
				pixels := formulaPictures(k.first, k.count, k.h, k.w)
				got := runGraph(t, b, dtypes.Float32, params, []array{pixels, want["ids"]}, everything(c))
				checkCase(t, got, want, k.name)
				checkLogits(t, got, want[k.name+"/segmentation_logits"], params[network.LogitScale].f[0], k.h, k.w, 0, 1)
			})
		}
	})
}

// TestPortDefault: the published size with formula weights, at 224 and at 448
// (there through the port's own resize of the position embedding).
func TestPortDefault(t *testing.T) {
	if testing.Short() {
		t.Skip("the published size takes seconds")
	}
	c := network.Default()
	params := formulaWeights(c)
	want := readTensors(t, "default", "expected.safetensors")
	cases := []struct {
		name         string
		first, count int
		side         int
	}{{"224x224", 10, 2, 224}, {"448x448", 12, 1, 448}}
	enginetest.Each(t, func(t *testing.T, b compute.Backend) {
		for _, k := range cases {
			t.Run(k.name, func(t *testing.T) {
				pixels := formulaPictures(k.first, k.count, k.side, k.side)
				got := runGraph(t, b, dtypes.Float32, params, []array{pixels, want["ids"]}, everything(c))
				checkCase(t, got, want, k.name)
				checkLogits(t, got, want[k.name+"/segmentation_logits"], params[network.LogitScale].f[0], k.side, k.side, 3, 7)
			})
		}
	})
}

// checkLogits computes the port's segmentation logits from what a pass returned
// and compares them at every step-th pixel from offset: soft assignments of all
// stages multiplied, resized bilinearly, times the cosines of groups and texts,
// times the temperature's inverse twice (as the port does).
func checkLogits(t *testing.T, got map[string]array, want array, logitScale float64, h, w, offset, step int) {
	t.Helper()
	m := got["soft.0"]
	batch, g, n := m.shape[0], got["soft.1"].shape[1], m.shape[2]
	chained := array{shape: []int{batch, g, n}, f: make([]float64, batch*g*n)}
	middle := m.shape[1]
	for b := range batch {
		for i := range g {
			for k := range middle {
				s := got["soft.1"].f[(b*g+i)*middle+k]
				for j := range n {
					chained.f[(b*g+i)*n+j] += s * m.f[(b*middle+k)*n+j]
				}
			}
		}
	}
	gridH := int(math.Round(math.Sqrt(float64(n) * float64(h) / float64(w))))
	gridW := n / gridH
	groups, texts := got["group_embeddings"], got["text_embedding"]
	p, count := texts.shape[1], texts.shape[0]
	scale := math.Exp(2 * logitScale)
	out := array{shape: want.shape}
	for b := range batch {
		cosines := make([]float64, count*g)
		for c := range count {
			for i := range g {
				cosines[c*g+i] = cosine(groups.f[(b*g+i)*p:][:p], texts.f[c*p:][:p])
			}
		}
		for c := range count {
			for y := offset; y < h; y += step {
				for x := offset; x < w; x += step {
					v := 0.0
					for i := range g {
						v += cosines[c*g+i] * bilinear(chained.f[(b*g+i)*n:][:n], gridH, gridW, h, w, y, x)
					}
					out.f = append(out.f, scale*v)
				}
			}
		}
	}
	d := checkClose(t, "segmentation_logits", out, want, bound)
	t.Logf("%-18s differs by %.1e of the largest magnitude", "segmentation", d)
}

func cosine(a, b []float64) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		ab, aa, bb = ab+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i]
	}
	return ab / math.Sqrt(aa*bb)
}

// bilinear is PyTorch's, align_corners false: the value at (y, x) of a map
// [gh, gw] resized to [h, w].
func bilinear(m []float64, gh, gw, h, w, y, x int) float64 {
	y0, y1, ty := neighbours(gh, h, y)
	x0, x1, tx := neighbours(gw, w, x)
	top := m[y0*gw+x0]*(1-tx) + m[y0*gw+x1]*tx
	low := m[y1*gw+x0]*(1-tx) + m[y1*gw+x1]*tx
	return top*(1-ty) + low*ty
}

func neighbours(in, out, i int) (int, int, float64) {
	s := max((float64(i)+0.5)*float64(in)/float64(out)-0.5, 0)
	low := int(s)
	return low, min(low+1, in-1), s - float64(low)
}
