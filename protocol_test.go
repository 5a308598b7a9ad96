package groupvit

import (
	"fmt"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/network"
)

// The sizes, windows and thresholds that the evaluations of TCL and SCLIP
// publish, for a model trained at 224 pixels; in proportion for another.
func TestUnifiedRules(t *testing.T) {
	at := func(size int) *Model { return &Model{config: network.Config{ImageSize: size, PatchSize: 16}} }
	for _, c := range []struct {
		method    method
		benchmark string
		size      int
		want      assign.Rule
	}{
		{tcl{}, "", 224, assign.Rule{ShortSide: 448, LongSide: 2048, Window: 448, Stride: 224}},
		{tcl{}, "cityscapes", 224, assign.Rule{ShortSide: 448, LongSide: 2048, Window: 448, Stride: 224}},
		{sclip{}, "voc21", 224, assign.Rule{ShortSide: 336, LongSide: 2048, Window: 224, Stride: 112}},
		{sclip{}, "cityscapes", 224, assign.Rule{ShortSide: 560, LongSide: 2048, Window: 224, Stride: 112}},
		{sclip{}, "coco-stuff", 224, assign.Rule{ShortSide: 448, LongSide: 2048, Window: 224, Stride: 112}},
		{sclip{}, "", 112, assign.Rule{ShortSide: 168, LongSide: 1024, Window: 112, Stride: 56}},
	} {
		got, err := c.method.rule(at(c.size), c.benchmark, 0)
		if err != nil || got != c.want {
			t.Errorf("%T on %q at %d: %+v, %v, want %+v", c.method, c.benchmark, c.size, got, err, c.want)
		}
	}
	for name, want := range map[string]string{
		"voc21": "65 0.1 0.1 26", "voc20": "40 0 0 0", "context60": "50 0.1 0 1", "context59": "40 0 0 0",
		"coco-object": "50 0.1 0 26", "coco-stuff": "40 0 0 0", "ade20k": "40 0 0 0", "cityscapes": "40 0 0 0",
	} {
		s := sclipFor(name)
		if got := fmt.Sprint(s.scale, s.threshold, s.area, len(s.background)); got != want || !slices.Contains(Benchmarks(), name) {
			t.Errorf("%s: scale, threshold, area, words are %s, want %s", name, got, want)
		}
	}
	for benchmark, want := range map[string]float64{"": 0.95, "voc21": 0.95, "context60": 0.35, "coco-object": 0.95} {
		if got := paperThreshold(benchmark); got != want {
			t.Errorf("paper on %q: %g, want %g", benchmark, got, want)
		}
	}
}
