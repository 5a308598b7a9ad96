package pairs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/bpe"
)

// trainShards is the training set below GROUPVIT_DATA: Flickr8k, COCO, animals
// and things.
func trainShards(t testing.TB) string {
	t.Helper()
	root := os.Getenv("GROUPVIT_DATA")
	if root == "" {
		t.Skip("GROUPVIT_DATA names no folder with train/*.tar")
	}
	return filepath.Join(root, "train")
}

// recipeOptions are those of the local recipe for photos.
func recipeOptions(t testing.TB) Options {
	small, err := bpe.Truncated(4096)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Sources: trainShards(t), Batch: 48, ImageSize: 64, Context: 32, Captions: true, Tokenizer: small,
		Nouns:   NounOptions{Mode: NounsList, Distinct: true, Templates: []string{"a photo of a {}", "a {}", "there is a {}", "{}"}},
		Augment: Augment{Crop: CropBatch, Flip: 0.5, Contrast: 0.3, Brightness: 0.3, Channel: 0.15},
		Balance: Balance{Words: []string{"cat", "cow", "dog", "horse", "sheep"}, Share: 0.5},
		Cache:   Cache{Side: 120},
	}
}

func TestRecipeOnPhotos(t *testing.T) {
	l := open(t, recipeOptions(t))
	if l.Samples() < 16_000 {
		t.Errorf("%d samples", l.Samples())
	}
	tagged, u := 0, map[int]int{}
	for range 20 {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		u[b.U]++
		for i := range b.Size {
			if b.CaptionWeight[i] == 0 {
				tagged++
			}
		}
		sum := func(row []float32) (s float32) {
			for _, v := range row {
				s += v
			}
			return s
		}
		for i := range b.Size / 2 {
			if row := b.Targets[i*b.U : (i+1)*b.U]; sum(row) == 0 {
				t.Errorf("%s was drawn for a word and has none", b.Keys[i])
			}
		}
		if slices.Contains(b.Nouns, "hot dog") {
			t.Error("hot dog")
		}
	}
	if tagged < 300 || tagged > 900 {
		t.Errorf("%d of 960 photos are tagged", tagged)
	}
	if r := l.Report(); r.Total() != 0 {
		t.Error(r)
	}
	t.Logf("%s; prompts in a batch: %v", l.Report(), u)
}

// BenchmarkRecipe measures the loader alone, batches of 48 photos at 64 pixels:
// decoded each time, and from memory, where photos are kept at 120 × 120.
func BenchmarkRecipe(b *testing.B) {
	for name, side := range map[string]int{"decoded": 0, "kept": 120} {
		b.Run(name, func(b *testing.B) {
			o := recipeOptions(b)
			o.Cache.Side = side
			o.Balance = Balance{} // so that a pass meets every photo
			l := open(b, o)
			for range l.StepsPerPass() + o.Prefetch + 2 {
				if side == 0 {
					break
				}
				if _, err := l.Next(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := l.Next(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(o.Batch)*float64(b.N)/b.Elapsed().Seconds(), "photos/s")
		})
	}
}

// BenchmarkSpeed measures the loader alone on photos with a short side of 144
// pixels, at 112 pixels: with the paper's augmentation and with that of the recipes
// for photos. photos/cpu-s is for one processor, whatever else the machine does.
func BenchmarkSpeed(b *testing.B) {
	for name, augment := range map[string]Augment{
		"paper": PaperAugment(),
		"photo": {Crop: CropResized, Area: [2]float64{0.3, 1}, Aspect: [2]float64{0.6, 1.67}, Flip: 0.5, Contrast: 0.3, Brightness: 0.3, Channel: 0.15},
	} {
		b.Run(name, func(b *testing.B) {
			o := Options{
				Sources: filepath.Join(trainShards(b), "flickr8k-train-*.tar"), Batch: 64, ImageSize: 112, Captions: true,
				Nouns: NounOptions{Mode: NounsTagger, K: 3}, Augment: augment,
			}
			for b.Loop() {
				s, err := MeasureSpeed(context.Background(), o, 3*time.Second)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(s.PerSecond(), "photos/s")
				b.ReportMetric(s.PerCPUSecond(), "photos/cpu-s")
				b.ReportMetric(s.Decode, "decode-ms")
				b.ReportMetric(s.Picture, "picture-ms")
				b.ReportMetric(s.Words, "words-ms")
			}
		})
	}
}

// TestTrainParquet: all photos of the Parquet files below GROUPVIT_DATA are listed, to
// train on and to segment.
func TestTrainParquet(t *testing.T) {
	folder := filepath.Join(filepath.Dir(trainShards(t)), "train-parquet")
	if _, err := os.Stat(folder); err != nil {
		t.Skip(err)
	}
	const all = 50_102
	start := time.Now()
	x := index(t, folder)
	if x.Len() != all || len(x.Problems()) != 0 {
		t.Errorf("%d samples and %d problems, want %d", x.Len(), len(x.Problems()), all)
	}
	t.Logf("listed in %.1f s", time.Since(start).Seconds())
	sources, err := Expand(folder)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range sources {
		for p, err := range ParquetPhotos(context.Background(), s.Path) {
			if n++; err != nil || n%997 != 0 {
				if err != nil {
					t.Error(err)
				}
				continue
			}
			if b, err := p.Read(); err != nil || len(b) < 100 {
				t.Errorf("%s: %d bytes, %v", p.Name, len(b), err)
			}
		}
	}
	if n != all {
		t.Errorf("%d photos to segment, want %d", n, all)
	}
	for _, i := range []int{0, 12345, 50_101} {
		if s, err := x.Sample(i); err != nil || len(s.Captions) == 0 {
			t.Errorf("sample %d: %v", i, err)
		} else if _, err := s.Decode(); err != nil {
			t.Error(err)
		}
	}
}
