package network_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// An independent computation of both losses in float64, by loops over the
// definition (paper, §3.3 and §3.4): nothing of it is shared with the graph.

func logSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	s := 0.0
	for _, v := range x {
		s += math.Exp(v - top)
	}
	return top + math.Log(s)
}

// plainImageText: rows u, v of unit length, inverse temperature s; pairs of
// weight 0 do not exist.
func plainImageText(u, v [][]float64, s float64, weight []float64) float64 {
	var pairs []int
	for i := range u {
		if weight == nil || weight[i] > 0 {
			pairs = append(pairs, i)
		}
	}
	total := 0.0
	for _, i := range pairs {
		var rows, columns []float64
		for _, j := range pairs {
			rows = append(rows, s*inner(u[i], v[j]))
			columns = append(columns, s*inner(u[j], v[i]))
		}
		own := s * inner(u[i], v[i])
		total += (logSumExp(rows) - own + logSumExp(columns) - own) / 2
	}
	return total / float64(len(pairs))
}

// plainNouns is plainNounScores for the cosines of pictures u and prompts w.
func plainNouns(u, w [][]float64, s float64, targets, known []float64) float64 {
	scores := make([][]float64, len(u))
	for i := range u {
		for _, p := range w {
			scores[i] = append(scores[i], inner(u[i], p))
		}
	}
	return plainNounScores(scores, s, targets, known)
}

// plainNounScores writes every prompt out as often as it occurs, as the paper's
// batch has it: copy (i, u) belongs to picture i.
func plainNounScores(scores [][]float64, s float64, targets, known []float64) float64 {
	type copied struct{ picture, prompt int }
	var copies []copied
	n := len(scores[0])
	for i := range scores {
		for p := range n {
			for range int(targets[i*n+p]) {
				if known == nil || known[i*n+p] > 0 {
					copies = append(copies, copied{i, p})
				}
			}
		}
	}
	visible := func(i, p int) bool { return known == nil || known[i*n+p] > 0 }
	toPrompts, pictures := 0.0, 0
	for i := range scores {
		var row []float64
		own, count := 0.0, 0
		for _, c := range copies {
			if visible(i, c.prompt) {
				row = append(row, s*scores[i][c.prompt])
			}
			if c.picture == i {
				own, count = own+s*scores[i][c.prompt], count+1
			}
		}
		if count > 0 {
			toPrompts += logSumExp(row) - own/float64(count)
			pictures++
		}
	}
	toPictures := 0.0
	for _, c := range copies {
		var column []float64
		for i := range scores {
			if visible(i, c.prompt) {
				column = append(column, s*scores[i][c.prompt])
			}
		}
		toPictures += logSumExp(column) - s*scores[c.picture][c.prompt]
	}
	return (toPrompts/float64(max(pictures, 1)) + toPictures/float64(max(len(copies), 1))) / 2
}

func inner(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// unitRows cuts flat numbers into rows of unit length.
func unitRows(flat []float64, width int) [][]float64 {
	var out [][]float64
	for at := 0; at < len(flat); at += width {
		row, n := make([]float64, width), math.Sqrt(inner(flat[at:at+width], flat[at:at+width]))
		for i := range row {
			row[i] = flat[at+i] / n
		}
		out = append(out, row)
	}
	return out
}

func normalised(x *graph.Node) *graph.Node {
	return graph.Div(x, graph.Sqrt(graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, -1)))
}

// lossCase is a batch of features: raw rows before normalisation.
type lossCase struct {
	name                   string
	u, v, w                array // [B,P], [B,P], [U,P]
	theta                  float64
	weight, targets, known []float64
}

func wave(rows, width int, f func(n float64) float64) array {
	a := array{shape: []int{rows, width}}
	for n := range rows * width {
		a.f = append(a.f, f(float64(n)))
	}
	return a
}

func lossCases() []lossCase {
	u := wave(3, 4, func(n float64) float64 { return math.Sin(0.9*n + 0.2) })
	v := wave(3, 4, func(n float64) float64 { return math.Cos(0.7 * n) })
	w := wave(9, 4, func(n float64) float64 { return math.Sin(0.37*n + 1) })
	theta := math.Log(1 / 0.07)
	paper := paperTargets(3, 3).f
	same := append([]float64(nil), w.f...)
	copy(same[4*4:], same[0:4])  // picture 1's second noun is picture 0's first
	copy(same[8*4:], same[7*4:]) // picture 2 has a noun twice
	filler := append([]float64(nil), w.f...)
	copy(filler[4*4:], v.f[4:8]) // picture 1 has one noun: its caption stands twice
	copy(filler[5*4:], v.f[4:8])
	rows := func(f []float64) array { return array{shape: []int{len(f) / 4, 4}, f: f} }
	return []lossCase{
		{name: "check values", u: u, v: v, w: w, theta: theta, targets: paper},
		{name: "prompts that repeat", u: u, v: v, w: rows(same), theta: theta, targets: paper},
		{name: "fewer nouns than K", u: u, v: v, w: rows(filler), theta: theta, targets: paper},
		{name: "low temperature", u: u, v: v, w: w, theta: 4, targets: paper},
		{name: "shared prompts with counts", u: u, v: v, w: rows(w.f[:4*4]), theta: theta,
			targets: []float64{1, 2, 0, 0, 1, 0, 2, 0, 0, 3, 0, 0}}, // the fourth is padding
		{name: "a picture without a caption of its own", u: u, v: v, w: w, theta: theta,
			weight: []float64{1, 0, 1}, targets: paper},
		{name: "pairs that are not known", u: u, v: v, w: rows(w.f[:3*4]), theta: theta,
			targets: []float64{3, 0, 0, 0, 2, 1, 0, 1, 2}, known: []float64{1, 1, 0, 1, 1, 1, 0, 1, 1}},
		{name: "a picture without nouns", u: u, v: v, w: rows(w.f[:2*4]), theta: theta,
			targets: []float64{2, 1, 0, 0, 1, 2}},
	}
}

func (c lossCase) plain(which string, raw [3][]float64, theta float64) float64 {
	u, v, w := unitRows(raw[0], 4), unitRows(raw[1], 4), unitRows(raw[2], 4)
	s := min(math.Exp(theta), 100)
	if which == "image-text" {
		return plainImageText(u, v, s, c.weight)
	}
	return plainNouns(u, w, s, c.targets, c.known)
}

// TestLosses compares value and gradient of both losses with the independent
// computation; gradients by central differences of it.
func TestLosses(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	for _, k := range lossCases() {
		for _, which := range []string{"image-text", "nouns"} {
			t.Run(k.name+", "+which, func(t *testing.T) {
				got := lossGraph(t, b, k, which)
				raw := [3][]float64{k.u.f, k.v.f, k.w.f}
				want := k.plain(which, raw, k.theta)
				if math.Abs(got["loss"].f[0]-want) > 1e-10 {
					t.Errorf("loss %.12f, want %.12f", got["loss"].f[0], want)
				}
				const h = 1e-5
				for part, name := range []string{"u", "v", "w"} {
					for i := range raw[part] {
						d := (k.plain(which, shifted(raw, part, i, h), k.theta) - k.plain(which, shifted(raw, part, i, -h), k.theta)) / (2 * h)
						if g := got[name].f[i]; math.Abs(g-d) > 1e-6*max(1, math.Abs(d)) {
							t.Errorf("gradient by %s[%d] is %.9f, differences give %.9f", name, i, g, d)
						}
					}
				}
				d := (k.plain(which, raw, k.theta+h) - k.plain(which, raw, k.theta-h)) / (2 * h)
				if g := got["theta"].f[0]; math.Abs(g-d) > 1e-6*max(1, math.Abs(d)) {
					t.Errorf("gradient by theta is %.9f, differences give %.9f", g, d)
				}
			})
		}
	}
}

func shifted(raw [3][]float64, part, i int, by float64) [3][]float64 {
	raw[part] = append([]float64(nil), raw[part]...)
	raw[part][i] += by
	return raw
}

// lossGraph returns "loss" and its gradients "u", "v", "w", "theta", in float64.
func lossGraph(t *testing.T, b compute.Backend, k lossCase, which string) map[string]array {
	inputs := []array{k.u, k.v, k.w, {shape: []int{}, f: []float64{k.theta}}}
	size := []int{k.u.shape[0], k.w.shape[0]}
	extra := map[string]int{}
	add := func(name string, f []float64, shape ...int) {
		if f != nil {
			extra[name] = len(inputs)
			inputs = append(inputs, array{shape: shape, f: f})
		}
	}
	add("weight", k.weight, size[0])
	add("targets", k.targets, size...)
	add("known", k.known, size...)
	return runGraph(t, b, dtypes.Float64, nil, inputs, func(_ network.Weights, in []*graph.Node) map[string]*graph.Node {
		optional := func(name string) *graph.Node {
			if at, ok := extra[name]; ok {
				return in[at]
			}
			return nil
		}
		u, v, w := normalised(in[0]), normalised(in[1]), normalised(in[2])
		s := graph.MinScalar(graph.Exp(in[3]), 100.0)
		var loss *graph.Node
		if which == "image-text" {
			loss = network.ImageTextLoss(u, v, s, optional("weight"), nil)
		} else {
			loss = network.NounLoss(graph.Einsum("ip,up->iu", u, w), s, optional("targets"), optional("known"))
		}
		out := map[string]*graph.Node{"loss": loss}
		for i, g := range graph.Gradient(loss, in[:4]...) {
			out[[]string{"u", "v", "w", "theta"}[i]] = g
		}
		return out
	})
}

// TestLossCheckValues: numbers of the official code's formulas, in float64.
func TestLossCheckValues(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	k := lossCases()[0]
	for which, want := range map[string]float64{"image-text": 2.9112844754, "nouns": 15.2050636148} {
		if got := lossGraph(t, b, k, which)["loss"].f[0]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s loss %.10f, want %.10f", which, got, want)
		}
	}
}

// TestNounLossFloor: a perfect model's multi-label loss is ln(K)/2, because a
// picture's probability is shared by its K prompts.
func TestNounLossFloor(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	axis := func(i int) []float64 { row := make([]float64, 4); row[i] = 1; return row }
	k := lossCase{theta: math.Log(1e9), targets: paperTargets(3, 3).f, v: wave(3, 4, math.Cos)}
	k.u.shape, k.w.shape = []int{3, 4}, []int{9, 4}
	for i := range 3 {
		k.u.f = append(k.u.f, axis(i)...)
		for range 3 {
			k.w.f = append(k.w.f, axis(i)...)
		}
	}
	got := lossGraph(t, b, k, "nouns")["loss"].f[0]
	if want := math.Log(3) / 2; math.Abs(got-want) > 1e-9 {
		t.Errorf("loss %.10f, want ln(3)/2 = %.10f", got, want)
	}
}

// TestLossOfNetwork: network.Loss puts the right features, temperatures and
// targets into the losses, for K = 0 and K = 3, with repeated prompts and with
// captions that stand in for missing nouns; shared prompts with counts give the
// same loss and gradients as prompts written out.
func TestLossOfNetwork(t *testing.T) {
	c := tinyConfig(t)
	params := tinyWeights(t, c)
	c.NounLoss = true
	params[network.NounLogitScale] = array{shape: []int{}, f: []float64{2}}
	b := enginetest.New(t, engine.Go, 1)
	pixels := formulaPictures(20, 3, 32, 32)
	texts := readTensors(t, "tiny", "gradients.safetensors")["ids"]
	context := texts.shape[1]
	pick := func(rows ...int) array {
		a := array{shape: []int{len(rows), context}}
		for _, r := range rows {
			a.i = append(a.i, texts.i[r*context:][:context]...)
		}
		return a
	}
	captions := pick(0, 1, 2)
	cases := []struct {
		name    string
		prompts []int // rows of texts; 0 to 2 are the captions
		targets []float64
	}{
		{"K = 0", nil, nil},
		{"K = 3", []int{3, 4, 5, 6, 7, 8, 3, 5, 7}, paperTargets(3, 3).f},
		{"the same noun in two pictures", []int{3, 4, 5, 3, 6, 6, 7, 8, 4}, paperTargets(3, 3).f},
		{"captions as filler", []int{3, 4, 0, 5, 1, 1, 2, 2, 2}, paperTargets(3, 3).f},
		{"captions as filler, written once", []int{3, 4, 0, 5, 1, 2}, []float64{
			1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3}},
	}
	results := map[string]map[string]array{}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			inputs := []array{pixels, captions}
			if k.prompts != nil {
				inputs = append(inputs, pick(k.prompts...), array{shape: []int{3, len(k.prompts)}, f: k.targets})
			}
			got := runGraph(t, b, dtypes.Float64, params, inputs, func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
				batch := network.Batch{Pixels: in[0], Captions: in[1]}
				text := network.Text(w, c, in[1], network.Mode{}).Embedding
				out := map[string]*graph.Node{"v": text}
				if k.prompts != nil {
					batch.Prompts, batch.Targets = in[2], in[3]
					out["w"] = network.Text(w, c, in[2], network.Mode{}).Embedding
				}
				l := network.Loss(w, c, batch, network.Mode{})
				out["u"], out["total"], out["image-text"], out["nouns"] = l.Image.Embedding, l.Total, l.ImageText, l.Nouns
				return withGradients(out, w, l.Total, []string{
					"vision_model.encoder.stages.0.group_token", "text_projection.3.weight", network.LogitScale})
			})
			results[k.name] = got
			u, v := unitRows(got["u"].f, c.EmbedWidth), unitRows(got["v"].f, c.EmbedWidth)
			want := plainImageText(u, v, math.Exp(params[network.LogitScale].f[0]), nil)
			same(t, "image-text", got["image-text"].f[0], want)
			if k.prompts != nil {
				nouns := plainNouns(u, unitRows(got["w"].f, c.EmbedWidth), math.Exp(2), k.targets, nil)
				same(t, "nouns", got["nouns"].f[0], nouns)
				want += nouns
			} else if _, ok := got["nouns"]; ok {
				t.Error("a noun loss without prompts")
			}
			same(t, "total", got["total"].f[0], want)
		})
	}
	written, once := results["captions as filler"], results["captions as filler, written once"]
	for name, a := range written {
		if once != nil && (len(a.f) == 1 || name == "gradient/text_projection.3.weight" || name == "gradient/vision_model.encoder.stages.0.group_token") {
			checkClose(t, "written once: "+name, once[name], a, 1e-9)
		}
	}
}

func same(t *testing.T, name string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s loss %s, want %s", name, fmt.Sprintf("%.12f", got), fmt.Sprintf("%.12f", want))
	}
}
