package experiment

import (
	"context"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/weights"
)

// smallModel has one stage of groups over 16-pixel scenes.
func smallModel() *weights.Model {
	c := network.Default()
	c.ImageSize, c.PatchSize, c.Width = 16, 4, 16
	c.Depths, c.Heads, c.GroupTokens, c.OutputGroups = []int{1}, []int{2}, []int{6}, []int{6}
	c.Text = network.TextConfig{Vocabulary: 600, Context: 20, Width: 16, Depth: 1, Heads: 2, MLPRatio: 2}
	c.ProjectionWidth, c.EmbedWidth = 32, 16
	return &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: weights.ImageNetMean, Std: weights.ImageNetStd}
}

// Training with masks learns eight pictures by heart, from random weights; the same
// seed learns the same.
func TestFineTuneLearns(t *testing.T) {
	dir := t.TempDir() + "/scenes"
	o := synth.DataOptions{Scenes: 8, Seed: 3, VOC: true, Scene: synth.Options{Size: 16, MinObjects: 1, MaxObjects: 1, MinRadius: 5, MaxRadius: 7}}
	if err := synth.Write(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	d, err := bench.Open("scenes", dir, bench.Options{})
	if err != nil {
		t.Fatal(err)
	}
	backend, err := trainingEngine("", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	run := func(steps int) (first, last, accuracy float64) {
		f := newSupervised(smallModel(), settings.Default(), FineTune{Steps: steps, Batch: 8, LearningRate: 1e-2}, 12, 0, true, backend)
		defer f.close()
		err := f.train(context.Background(), d, func(step int, loss float64) {
			if step == 1 {
				first = loss
			}
			last = loss
		})
		if err == nil {
			err = f.ready()
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := evaluate.Segmentation(context.Background(), d, f, evaluate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return first, last, *r.PixelAccuracy
	}
	first, last, accuracy := run(150)
	if math.Abs(first-math.Log(12)) > 0.1 {
		t.Errorf("the first loss is %g; with a head near 0 it is that of chance, %g", first, math.Log(12))
	}
	if last > first/2 || accuracy < 60 {
		t.Errorf("loss %g to %g, pixel accuracy %g", first, last, accuracy)
	}
	a, b, _ := run(3)
	if c, e, _ := run(3); a != c || b != e {
		t.Errorf("the same seed gives %g, %g and %g, %g", a, b, c, e)
	}
}

// The head's enlargement is the bilinear one of imaging.
func TestBilinearMatrix(t *testing.T) {
	backend, err := trainingEngine("", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	x := []float32{1, -2, 4, 0.5, 3}
	exec, err := model.NewExec(backend, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		return []*Node{Einsum("Xx,x->X", bilinear(in[0].Graph(), 5, 13), in[0])}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := call(exec, x, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range imaging.BilinearMap(x, 1, 5, 1, 13) {
		if math.Abs(float64(out[0][i]-want)) > 1e-6 {
			t.Errorf("%d: %g, want %g", i, out[0][i], want)
		}
	}
}

// Clusters get the word nearest to the mean of their patches; where there is a
// background, an unsure cluster is that.
func TestClusterNames(t *testing.T) {
	e := &encoder{weights: &weights.Model{Tensors: map[string][]float32{"logit_scale": {float32(math.Log(50))}}}}
	words := [][]float32{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}}
	p := &clustering{encoder: e, words: words, background: -1}
	patches := []float32{1, 0, 0 /**/, 0.8, 0.6, 0 /**/, 0, 1, 0 /**/, 0.7, 0.72, 0}
	if got := p.name([]int{0, 0, 1, 2}, patches); string(got) != "\x01\x02\x02" {
		t.Errorf("%v", got)
	}
	p.background = 0
	if got := p.name([]int{0, 0, 1, 2}, patches); string(got) != "\x01\x02\x00" {
		t.Errorf("with a background: %v", got)
	}
}

// A first-stage group has the mean of the vectors of the groups it becomes part of.
func TestVectorsOf(t *testing.T) {
	l := &look{
		view: &assign.View{Windows: []assign.Window{{Groups: []float32{1, 0, 0, 1}}}},
		soft: [][]float32{nil, {1, 0.5, 0, 0, 0.5, 1}}, // [2, 3]: of three groups, to two
	}
	got := vectorsOf(l, []int{3, 2}, 0, 2)
	h := float32(math.Sqrt(0.5))
	for i, want := range []float32{1, 0, h, h, 0, 1} {
		if math.Abs(float64(got[i]-want)) > 1e-6 {
			t.Fatalf("%v", got)
		}
	}
	if last := vectorsOf(l, []int{3, 2}, 1, 2); &last[0] != &l.window().Groups[0] {
		t.Error("the last stage's vectors are not its own")
	}
}
