package assign

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

// randomView is a photo under several windows, with drawn groups and patches.
func randomView(r *rand.Rand) *View {
	const groups, width = 5, 8
	v := &View{Width: 61, Height: 43, SeenWidth: 45, SeenHeight: 32}
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for _, rect := range Windows(32, 45, 32, 16) {
		w := Window{Rect: rect, GridH: 4, GridW: 4, Assign: make([]float32, 16*groups), Groups: fill(groups * width), Patches: fill(16 * width), Image: fill(width)}
		for i := range w.Assign {
			w.Assign[i] = r.Float32()
		}
		for _, x := range [][]float32{w.Groups, w.Patches, w.Image} {
			Normalize(x, width)
		}
		v.Windows = append(v.Windows, w)
	}
	return v
}

// A sweep gives what as many single decisions give.
func TestSweep(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	thresholds := []float64{0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.95, 1}
	used := map[string]int{}
	for range 6 {
		v := randomView(r)
		text := make([]float32, 7*8)
		for i := range text {
			text[i] = float32(r.NormFloat64())
		}
		Normalize(text, 8)
		words := Words{Vectors: text, Owner: []uint16{1, 2, 2, 3, 0, 0, 4}, Labels: 4, Width: 8}
		best, err := Queries(t.Context(), v, words, FromBoth)
		if err != nil {
			t.Fatal(err)
		}
		best.Sharpness = 6
		bestMaps, err := best.Sweep(t.Context(), v.Width, v.Height, thresholds)
		if err != nil {
			t.Fatal(err)
		}
		paperMaps, err := PaperSweep(t.Context(), v, text, 8, 5, thresholds)
		if err != nil {
			t.Fatal(err)
		}
		for i, threshold := range thresholds {
			paper, err := Paper(t.Context(), v, text, 8, 5, threshold)
			if err != nil {
				t.Fatal(err)
			}
			for name, pair := range map[string]struct {
				scores    *Scores
				threshold float64
				got       *mask.Map
			}{"best": {best, threshold, bestMaps[i]}, "paper": {paper, 0, paperMaps[i]}} {
				want, err := pair.scores.Decide(t.Context(), v.Width, v.Height, pair.threshold, false)
				if err != nil {
					t.Fatal(err)
				}
				if pair.got.Fits(v.Width, v.Height) != nil || !slices.Equal(pair.got.Labels, want.Map.Labels) {
					t.Errorf("%s, threshold %v: the sweep differs from the single decision", name, threshold)
				}
				for _, l := range want.Map.Labels {
					if l == 0 {
						used[name]++
					}
				}
			}
		}
	}
	if all := 6 * 10 * 61 * 43; used["best"] == 0 || used["paper"] == 0 || used["best"] == all || used["paper"] == all {
		t.Errorf("background at %v of %d pixels: the thresholds decide nothing here", used, all)
	}
}

// BenchmarkSweep decides for 24 thresholds on a photo of 500 × 375 with six
// labels and 26 words of background.
func BenchmarkSweep(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	v := randomView(r)
	v.Width, v.Height = 500, 375
	text := make([]float32, 32*8)
	for i := range text {
		text[i] = float32(r.NormFloat64())
	}
	Normalize(text, 8)
	words := Words{Vectors: text, Owner: make([]uint16, 32), Labels: 6, Width: 8}
	for i := range 6 {
		words.Owner[i] = uint16(i + 1)
	}
	scores, err := Queries(b.Context(), v, words, FromPatches)
	if err != nil {
		b.Fatal(err)
	}
	scores.Sharpness = 14
	thresholds := make([]float64, 24)
	for i := range thresholds {
		thresholds[i] = float64(i) / 24
	}
	for b.Loop() {
		if _, err := scores.Sweep(b.Context(), v.Width, v.Height, thresholds); err != nil {
			b.Fatal(err)
		}
	}
}
