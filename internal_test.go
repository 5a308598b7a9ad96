package groupvit

import (
	"fmt"
	"testing"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

func TestTextCache(t *testing.T) {
	c := newTextCache(2)
	c.put("a", []float32{1})
	c.put("b", []float32{2})
	c.put("b", []float32{9}) // known already
	if c.get("a") == nil {   // now the latest used
		t.Fatal("a is gone")
	}
	c.put("c", []float32{3})
	if c.get("b") != nil || c.get("a") == nil || c.get("c") == nil || c.order.Len() != 2 || len(c.byKey) != 2 {
		t.Errorf("it holds %d texts, a %v, b %v, c %v", len(c.byKey), c.get("a"), c.get("b"), c.get("c"))
	}
}

// TestMeanOfPaper: protocol paper takes ImageNet's mean for converted checkpoints
// and no others.
func TestMeanOfPaper(t *testing.T) {
	own := [3]float32{0.45, 0.45, 0.45}
	for _, c := range []struct {
		name       string
		mean, want [3]float32
		extra      map[string][]byte
	}{
		{"converted", clipMean, weights.ImageNetMean, nil},
		{"trained here with CLIP's", clipMean, clipMean, map[string][]byte{evalName: nil}},
		{"another", own, own, nil},
	} {
		m := &Model{config: network.Default(), weights: &weights.Model{Mean: c.mean, Std: clipStd, Extra: c.extra}}
		for protocol, want := range map[Protocol][3]float32{Paper: c.want, Port: c.mean, Best: c.mean} {
			if _, got, _, err := m.prepare(imaging.New(20, 10), 40, 20, protocol); err != nil || got != want {
				t.Errorf("%s, protocol %s: mean %v, want %v (%v)", c.name, protocol, got, want, err)
			}
		}
	}
}

// TestManyShapes: more sizes of photos than graphs are kept compiled; the first
// gives the same again after it was dropped.
func TestManyShapes(t *testing.T) {
	m, err := newModel("tiny", weightstest.Model(), &Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var first string
	for round := range 2 {
		for i := range runnerShapes + 3 {
			groups, err := m.Groups(t.Context(), imaging.New(40+16*i, 40)) // in one pass
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				continue
			}
			if said := fmt.Sprint(groups[0].Labels, groups[1].Labels); round == 0 {
				first = said
			} else if said != first {
				t.Error("a graph compiled again gives something else")
			}
		}
	}
	if n := len(m.image.compiled); n != runnerShapes {
		t.Errorf("%d graphs are kept, want %d", n, runnerShapes)
	}
}
