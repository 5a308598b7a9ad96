package pairs

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// drawnFrom counts how often the samples of each part come in the first n batches.
func drawnFrom(t *testing.T, o Options, n int) (counts map[byte]int) {
	t.Helper()
	counts = map[byte]int{}
	for _, b := range take(t, open(t, o), n) {
		for _, key := range b.Keys {
			counts[key[1]]++ // k0…, k1…: a hundred for each part
		}
	}
	return counts
}

// twoParts writes two parts: samples k0000 to k0011 in two shards, k1000 to k1003
// in one.
func twoParts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "a0.tar", plainShard(t, 0, 6))
	write(t, dir, "a1.tar", plainShard(t, 6, 6))
	write(t, dir, "b.tar", plainShard(t, 1000, 4))
	return filepath.Join(dir, "a*.tar") + "::" + filepath.Join(dir, "b.tar")
}

// Weights say how often a pass takes the samples of a part.
func TestWeights(t *testing.T) {
	sources := twoParts(t)
	for _, buffer := range []int{0, 3} {
		o := Options{Sources: sources, Batch: 3, ImageSize: 8, ShuffleBuffer: buffer, Weights: []float64{0.5, 2.25}}
		l := open(t, o)
		// A pass: 3 of each 6, and 4 twice and one more: 6 + 9.
		if l.StepsPerPass() != 5 {
			t.Fatalf("%d steps a pass", l.StepsPerPass())
		}
		seen := map[string]bool{}
		for pass := range 8 {
			count := map[string]int{}
			for _, b := range take(t, l, 5) {
				for _, key := range b.Keys {
					count[key]++
					seen[key] = true
				}
			}
			a, b := 0, 0
			for key, n := range count {
				if key[1] == '0' {
					a += n
				} else {
					b += n
				}
				if key[1] == '0' && n != 1 || key[1] == '1' && n != 2 && n != 3 {
					t.Errorf("buffer %d, pass %d: %s came %d times", buffer, pass, key, n)
				}
			}
			if a != 6 || b != 9 {
				t.Errorf("buffer %d, pass %d: %d of the first part, %d of the second", buffer, pass, a, b)
			}
		}
		if len(seen) != 16 {
			t.Errorf("buffer %d: after 8 passes %d of 16 samples were seen: the halves do not change", buffer, len(seen))
		}
	}
}

// Shards drawn with replacement come in proportion to their weights, each as
// often as any other without.
func TestResampled(t *testing.T) {
	sources := twoParts(t)
	// Two shards of 6 at weight 1, one of 4 at weight w: (12, 4w) of samples.
	for _, w := range []float64{1, 3} {
		o := Options{Sources: sources, Batch: 16, ImageSize: 8, Resampled: true, ShuffleBuffer: 4, Weights: []float64{1, w}, Workers: 1, Seed: 3}
		counts := drawnFrom(t, o, 300)
		share := float64(counts['1']) / float64(counts['0']+counts['1'])
		if want := 4 * w / (12 + 4*w); math.Abs(share-want) > 0.05 {
			t.Errorf("weight %g: a share of %.3f, want %.3f", w, share, want)
		}
	}
	o := Options{Sources: sources, Batch: 5, ImageSize: 8, Resampled: true, Seed: 3}
	l := open(t, o)
	want := take(t, l, 12)
	again := open(t, o)
	if err := again.Seek(9); err != nil {
		t.Fatal(err)
	}
	for i, b := range take(t, again, 3) {
		if !slices.Equal(b.Keys, want[9+i].Keys) {
			t.Errorf("batch %d after Seek: %v, read through %v", 9+i, b.Keys, want[9+i].Keys)
		}
	}
}

func TestBadWeights(t *testing.T) {
	for name, o := range map[string]Options{
		"too few":    {Sources: "a::b", Weights: []float64{1}},
		"zero":       {Sources: "a::b", Weights: []float64{1, 0}},
		"no number":  {Sources: "a", Weights: []float64{math.NaN()}},
		"sequential": {Sources: "a", Weights: []float64{2}, Sequential: true},
	} {
		o.Batch, o.ImageSize = 2, 8
		if _, err := Open(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
