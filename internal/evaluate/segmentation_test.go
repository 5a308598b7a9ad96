package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/vocab"
)

// fake is a dataset of photos of one row: truth by photo.
type fake struct {
	truths [][]uint8
	fail   int // this photo cannot be read; −1 for none
}

func (f fake) Load(i int) (image.Image, *bench.Truth, error) {
	if i == f.fail {
		return nil, nil, bench.ErrSample
	}
	im := image.NewGray(image.Rect(0, 0, len(f.truths[i]), 1))
	copy(im.Pix, f.truths[i])
	return im, &bench.Truth{Width: len(f.truths[i]), Height: 1, Labels: f.truths[i]}, nil
}

func (f fake) dataset(names ...string) *bench.Dataset {
	d := &bench.Dataset{Name: "fake", Root: "nowhere", Background: -1}
	for i, n := range names {
		d.Classes = append(d.Classes, vocab.Class{Name: n})
		if n == "background" {
			d.Background = i
		}
	}
	for i := range f.truths {
		d.Samples = append(d.Samples, bench.Sample{ID: fmt.Sprintf("p%d", i)})
	}
	return d
}

// oracle predicts the picture's grey value. With a threshold, the first
// ⌊threshold·width⌋ pixels become class 0.
type oracle struct{ fail error }

func (o oracle) Predict(_ context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	if o.fail != nil {
		return nil, o.fail
	}
	var maps [][]uint8
	for _, t := range thresholds {
		m := append([]uint8(nil), photo.(*image.Gray).Pix...)
		for i, v := range m {
			if v == bench.Ignore || !math.IsNaN(t) && i < int(t*float64(len(m))) {
				m[i] = 0
			}
		}
		maps = append(maps, m)
	}
	return maps, nil
}

func (oracle) About() About {
	return About{Protocol: "paper", Background: "0.95", Model: Model{Name: "oracle", SHA256: "0123456789abcdef"}, Engine: "none"}
}

func TestSegmentationReport(t *testing.T) {
	f := fake{truths: [][]uint8{{0, 0, 1, 255}, {0, 2, 2, 2}, {1, 0}}, fail: -1}
	d := f.dataset("background", "cat", "dog", "cow")
	var first *Report
	for _, workers := range []int{1, 2, 7} {
		calls := 0
		r, err := segmentation(t.Context(), d, f, oracle{}, Options{Workers: workers, Progress: func(int) { calls++ }})
		if err != nil {
			t.Fatal(err)
		}
		if calls != 3 {
			t.Errorf("progress was told %d times of 3 photos", calls)
		}
		r.Seconds, r.ImagesPerSecond = 0, 0
		if first == nil {
			first = r
		} else if diff := cmp.Diff(first, r); diff != "" {
			t.Errorf("%d workers find something else:\n%s", workers, diff)
		}
	}
	if *first.MIoU != 100 || *first.PixelAccuracy != 100 || first.Pixels != 9 {
		t.Errorf("an oracle reaches mIoU %v, accuracy %v on %d pixels", *first.MIoU, *first.PixelAccuracy, first.Pixels)
	}
	if first.PerClass["cow"] != nil || !cmp.Equal(first.Absent, []string{"cow"}) || !cmp.Equal(first.LeftOut, []string{"cow"}) {
		t.Errorf("cow has IoU %v; absent %v, left out %v", first.PerClass["cow"], first.Absent, first.LeftOut)
	}
	// Background everywhere: 4 of 9 pixels, IoU 4/9, 0, 0.
	if b := first.Baseline; b.Class != "background" || *b.MIoU != 14.81 || *b.PixelAccuracy != 44.44 {
		t.Errorf("baseline is %s, %v, %v", b.Class, *b.MIoU, *b.PixelAccuracy)
	}
	if !cmp.Equal(first.PerImage[2], ImageResult{ID: "p2", Classes: ClassAreas{{0, 1, 1, 1}, {1, 1, 1, 1}}, Boundaries: [][5]int64{{0, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}}) {
		t.Errorf("photo 2: %v", first.PerImage[2])
	}
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"mIoU", "per_class", "pixel_accuracy", "protocol", "model", "images", "images_per_second", "command", "absent", "baseline"} {
		if _, ok := keys[key]; !ok {
			t.Errorf("the report has no key %s: %s", key, text)
		}
	}
	var table bytes.Buffer
	if err := first.WriteText(&table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"mIoU  100.00", "cow", "protocol paper", "0123456789ab)", "left out of the mean (never predicted either): cow", "background everywhere"} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table does not say %q:\n%s", part, table.String())
		}
	}
}

func TestBaselineWithoutBackground(t *testing.T) {
	f := fake{truths: [][]uint8{{0, 1, 1, 1}}, fail: -1}
	r, err := segmentation(t.Context(), f.dataset("sky", "road", "sign"), f, oracle{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if b := r.Baseline; b.Class != "road" || *b.MIoU != 37.5 || *b.PixelAccuracy != 75 {
		t.Errorf("baseline is %s, %v, %v", b.Class, *b.MIoU, *b.PixelAccuracy)
	}
}

func TestSplitThreshold(t *testing.T) {
	// A threshold of ½ makes the even photo's first two pixels background,
	// which they are; in the odd photo one is not.
	f := fake{truths: [][]uint8{{0, 0, 1, 1}, {0, 1, 1, 1}}, fail: -1}
	d := f.dataset("background", "cat")
	shifted := predictor(func(truth []uint8, threshold float64) []uint8 {
		m := make([]uint8, len(truth))
		for i := range m {
			if i >= int(threshold*float64(len(m))) {
				m[i] = 1
			}
		}
		return m
	})
	r, err := segmentation(t.Context(), d, f, shifted, Options{SplitThreshold: true, Thresholds: []float64{0, 0.25, 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Split
	if s.EvenThreshold != 0.5 || s.OddThreshold != 0.25 {
		t.Fatalf("even photos choose %v, odd photos %v, want 0.5, 0.25", s.EvenThreshold, s.OddThreshold)
	}
	// Even photo with 0.25: background 1/2, cat 2/3. Odd photo with 0.5:
	// background 1/2, cat 2/3.
	if *s.EvenMIoU != 58.33 || *s.OddMIoU != 58.33 || *r.MIoU != 58.33 {
		t.Errorf("even %v, odd %v, all %v, want 58.33", *s.EvenMIoU, *s.OddMIoU, *r.MIoU)
	}
	if len(s.Grid) != 3 || s.Grid[1].Threshold != 0.25 {
		t.Errorf("grid %v", s.Grid)
	}
	if _, err := segmentation(t.Context(), f.dataset("sky", "cat"), f, shifted, Options{SplitThreshold: true}); err == nil {
		t.Error("a threshold without background is no error")
	}
}

type predictor func(truth []uint8, threshold float64) []uint8

func (p predictor) Predict(_ context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	var maps [][]uint8
	for _, t := range thresholds {
		maps = append(maps, p(photo.(*image.Gray).Pix, t))
	}
	return maps, nil
}

func (predictor) About() About { return About{} }

func TestSegmentationErrors(t *testing.T) {
	f := fake{truths: make([][]uint8, 50), fail: -1}
	for i := range f.truths {
		f.truths[i] = []uint8{0, 1}
	}
	d := f.dataset("a", "b")
	broken := errors.New("broken")
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	unreadable := f
	unreadable.fail = 17
	short := predictor(func([]uint8, float64) []uint8 { return []uint8{0} })
	for _, test := range []struct {
		name      string
		ctx       context.Context
		source    fake
		predictor Predictor
		want      error
		says      string
	}{
		{"predictor fails", t.Context(), f, oracle{fail: broken}, broken, "photo p"},
		{"photo fails", t.Context(), unreadable, oracle{}, bench.ErrSample, "photo p17"},
		{"other size", t.Context(), f, short, ErrSize, "photo p"},
		{"stopped", stopped, f, oracle{}, context.Canceled, ""},
	} {
		_, err := segmentation(test.ctx, d, test.source, test.predictor, Options{Workers: 3})
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error is %v, want %v that says %q", test.name, err, test.want, test.says)
		}
	}
}

// The baseline stands beside the mean over the same classes: a model that predicts
// absent classes has a 0 for each in mIoU, one class everywhere has none.
func TestBaselineComparesLikeWithLike(t *testing.T) {
	r := &Report{Classes: []string{"background", "cat", "dog", "cow"}, PerClass: map[string]*float64{}, Recall: map[string]*float64{}}
	r.PerImage = []ImageResult{{Classes: areasOf([]Areas{{Intersection: 6, Predicted: 6, Truth: 8}, {Intersection: 1, Predicted: 2, Truth: 2}, {Predicted: 1}, {Predicted: 1}})}}
	r.fill(0, true)
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	// IoU 6/8 and 1/3 of two present classes, 0 of two absent ones; background everywhere 8/10 and 0.
	want := "baseline (background everywhere): mIoU_present 40.00, the model's is 54.17; pixel accuracy 80.00 %"
	if !strings.Contains(text.String(), want) || number(r.MIoU) != "27.08" {
		t.Errorf("mIoU %s, want 27.08; want %q in\n%s", number(r.MIoU), want, &text)
	}
}
