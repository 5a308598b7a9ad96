package stepper

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/weights"
)

// The map of a model that scenes-soft.yaml trained, as the library makes it, is the
// one that the recipe was measured with: a word's vector is the mean of its three
// normalised prompt vectors, normalised; a place's score Σ_g a[g,n]·cos(z_g, t), a
// upsampled bilinearly to two places a patch; probabilities from there to the pixels;
// the best of the twelve words wins.
func TestMapOfScenes(t *testing.T) {
	const side, grid, groups = 64, 8, 12
	l, err := settings.Load("../../../recipes/scenes-soft.yaml", nil, []settings.Override{{Key: "model.text.vocabulary", Value: "1024"}})
	if err != nil {
		t.Fatal(err)
	}
	s := l.Settings
	use, err := s.EvalFile()
	if err != nil {
		t.Fatal(err)
	}
	values := network.Initialize(s.Model, 3)
	dir := filepath.Join(t.TempDir(), "model")
	m := &weights.Model{Config: s.Model, Tensors: values, Mean: s.Data.Mean, Std: s.Data.Std, Extra: map[string][]byte{modelfile.EvalName: use}}
	if err := weights.Save(dir, m, weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	scene := synth.Draw(9, 1, synth.Options{})
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	pixels := make([]float32, 3*side*side)
	for i := range side * side {
		p := scene.RGB[3*i:]
		picture.Set(i%side, i/side, color.RGBA{p[0], p[1], p[2], 255})
		for c := range 3 {
			pixels[c*side*side+i] = (float32(p[c])/255 - 0.45) / 0.25
		}
	}
	words := synth.Words()
	opened, err := groupvit.Open(t.Context(), dir, &groupvit.Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	got, err := opened.Segment(t.Context(), picture, words, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best, Quality: groupvit.Fast}, QueryOptions: groupvit.QueryOptions{Background: groupvit.NoBackground(), Scores: true}})
	if err != nil {
		t.Fatal(err)
	}

	tokenizer, err := s.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	var ids []int32
	for i, w := range words {
		article := "a "
		if synth.IsGround(i) {
			article = "the "
		}
		photo := "a photo of a "
		if synth.IsGround(i) {
			photo = "a photo of "
		}
		for _, prompt := range []string{w, article + w, photo + w} {
			ids = append(ids, tokenizer.Encode(prompt, 32)...)
		}
	}
	soft, z, text := outputs(t, s.Model, values, pixels, ids, side)
	vectors := make([][]float64, len(words))
	for i := range words {
		vectors[i] = make([]float64, s.Model.EmbedWidth)
		for k := range 3 {
			for j, x := range unitOf(text[3*i+k]) {
				vectors[i][j] += x
			}
		}
		vectors[i] = unitOf(vectors[i])
	}
	const places = 2 * grid
	scores := make([][]float64, len(words))
	for i := range words {
		for at := range places * places {
			score := 0.0
			for g := range groups {
				score += bilinear(soft[g], grid, places, at%places, at/places) * dot(unitOf(z[g]), vectors[i])
			}
			scores[i] = append(scores[i], score)
		}
	}
	// Scores that leave the program are probabilities among the words, sharpened by
	// the model's temperature.
	sharpness := math.Exp(float64(values["logit_scale"][0]))
	for at := range places * places {
		sum := 0.0
		for i := range words {
			scores[i][at] = math.Exp(sharpness * scores[i][at])
			sum += scores[i][at]
		}
		for i := range words {
			scores[i][at] /= sum
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		x, y := r.IntN(side), r.IntN(side)
		best, label := math.Inf(-1), 0
		for i := range words {
			score := bilinear(scores[i], places, side, x, y)
			if d := math.Abs(score - float64(got.Scores[i*side*side+y*side+x])); d > 1e-5 {
				t.Fatalf("score of %s at (%d, %d) is %g, want %g", words[i], x, y, got.Scores[i*side*side+y*side+x], score)
			}
			if score > best {
				best, label = score, i+1
			}
		}
		if int(got.Map.Labels[y*side+x]) != label {
			t.Errorf("(%d, %d) is %d, want %d", x, y, got.Map.Labels[y*side+x], label)
		}
	}
}

// outputs runs both towers: assignment [G][N], group embeddings [G][P], text
// embeddings [U][P].
func outputs(t *testing.T, c network.Config, values map[string][]float32, pixels []float32, ids []int32, side int) (soft, groups, texts [][]float64) {
	t.Helper()
	shapes := map[string][]int{}
	for _, p := range c.Params() {
		shapes[p.Name] = p.Shape
	}
	exec, err := graph.NewExec(enginetest.New(t, engine.Go, 0), func(in []*graph.Node) []*graph.Node {
		w := func(name string) *graph.Node {
			return graph.ConstTensor(in[0].Graph(), tensors.FromFlatDataAndDimensions(values[name], shapes[name]...))
		}
		image := network.Image(w, c, in[0], network.Mode{})
		return []*graph.Node{image.Stages[0].Soft, image.GroupEmbeddings, network.Text(w, c, in[1], network.Mode{}).Embedding}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	results, err := exec.Call(tensors.FromFlatDataAndDimensions(pixels, 1, 3, side, side), tensors.FromFlatDataAndDimensions(ids, len(ids)/32, 32))
	if err != nil {
		t.Fatal(err)
	}
	rows := func(x *tensors.Tensor) (out [][]float64) {
		flat, dims := tensors.MustCopyFlatData[float32](x), x.Shape().Dimensions
		width := dims[len(dims)-1]
		for at := 0; at < len(flat); at += width {
			row := make([]float64, width)
			for i := range row {
				row[i] = float64(flat[at+i])
			}
			out = append(out, row)
		}
		return out
	}
	return rows(results[0]), rows(results[1]), rows(results[2])
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func unitOf(v []float64) []float64 {
	out, norm := make([]float64, len(v)), math.Sqrt(dot(v, v))
	for i := range v {
		out[i] = v[i] / norm
	}
	return out
}

// bilinear is a map of n × n at pixel (x, y) of size × size, pixels' middles
// aligned.
func bilinear(m []float64, n, size, x, y int) float64 {
	at := func(p int) (int, int, float64) {
		s := max((float64(p)+0.5)*float64(n)/float64(size)-0.5, 0)
		a := int(s)
		return a, min(a+1, n-1), s - float64(a)
	}
	x0, x1, u := at(x)
	y0, y1, v := at(y)
	top := m[y0*n+x0]*(1-u) + m[y0*n+x1]*u
	bottom := m[y1*n+x0]*(1-u) + m[y1*n+x1]*u
	return top*(1-v) + bottom*v
}
