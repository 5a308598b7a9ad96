package evaluate

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/groupvit/groupvit/internal/bench"
)

// stopping is an oracle that stops answering after some photos.
type stopping struct {
	oracle
	left *atomic.Int64
	stop context.CancelFunc
}

func (s stopping) Predict(ctx context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	if s.left.Add(-1) < 0 {
		s.stop()
		return nil, ctx.Err()
	}
	return s.oracle.Predict(ctx, photo, thresholds)
}

func manyPhotos() fake {
	f := fake{fail: -1}
	for i := range 20 {
		f.truths = append(f.truths, []uint8{0, uint8(i % 3), 1, 255, uint8(i % 2)})
	}
	return f
}

// A measurement that was broken off, even inside a line, goes on where it was and
// comes to the same report.
func TestGoOn(t *testing.T) {
	f := manyPhotos()
	d := f.dataset("background", "cat", "dog")
	options := Options{Workers: 2, Sweep: true, Thresholds: []float64{0, 0.4, 0.8}}
	want, err := segmentation(t.Context(), d, f, oracle{}, options)
	if err != nil {
		t.Fatal(err)
	}
	options.Folder, options.Question = filepath.Join(t.TempDir(), "runs", "a"), []string{"model x"}
	ctx, cancel := context.WithCancel(t.Context())
	left := &atomic.Int64{}
	left.Store(7)
	if _, err := segmentation(ctx, d, f, stopping{oracle{}, left, cancel}, options); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was stopped: %v", err)
	}
	path := filepath.Join(options.Folder, doneName)
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(kept), "\n"); n < 6 || n > 9 {
		t.Fatalf("%d lines after about 7 photos", n)
	}
	if err := os.WriteFile(path, kept[:len(kept)-5], 0o666); err != nil { // killed while writing
		t.Fatal(err)
	}
	asked := 0
	var said []int
	options.Progress = func(done int) { said = append(said, done) }
	counting := predictorFunc(func(photo image.Image, thresholds []float64) ([][]uint8, error) {
		asked++
		return oracle{}.Predict(t.Context(), photo, thresholds)
	})
	options.Workers = 1
	got, err := segmentation(t.Context(), d, f, counting, options)
	if err != nil {
		t.Fatal(err)
	}
	if whole := strings.Count(string(kept), "\n") - 2; asked != 20-whole || got.Resumed != whole || said[len(said)-1] != 20 {
		t.Errorf("%d photos were asked again, %d resumed, of %d kept; progress ends at %v", asked, got.Resumed, whole, said)
	}
	same := func(a, b *Report) string {
		x, y := *a, *b
		for _, r := range []*Report{&x, &y} {
			r.Seconds, r.ImagesPerSecond, r.Resumed = 0, 0, 0
		}
		return cmp.Diff(x, y)
	}
	if diff := same(want, got); diff != "" {
		t.Errorf("another report:\n%s", diff)
	}
	// All is done: nothing is asked, and the report still says what predicted.
	asked = 0
	if got, err = segmentation(t.Context(), d, f, counting, options); err != nil || asked != 0 {
		t.Fatalf("%d photos asked, %v", asked, err)
	}
	if diff := same(want, got); diff != "" {
		t.Errorf("another report:\n%s", diff)
	}
	for i, s := range d.Samples {
		m, err := readMap(predictionPath(options.Folder, s.ID), &bench.Truth{Width: 5, Height: 1})
		if err != nil || len(m) != 5 || m[1] != f.truths[i][1] {
			t.Errorf("%s: %v, %v", s.ID, m, err)
		}
	}
}

type predictorFunc func(photo image.Image, thresholds []float64) ([][]uint8, error)

func (p predictorFunc) Predict(_ context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	return p(photo, thresholds)
}

func (predictorFunc) About() About { return oracle{}.About() }

func TestDoneRefuses(t *testing.T) {
	f := manyPhotos()
	d := f.dataset("background", "cat", "dog")
	measure := func(folder string, o Options) error {
		o.Folder = folder
		_, err := segmentation(t.Context(), d, f, oracle{}, o)
		return err
	}
	folder := t.TempDir()
	if err := measure(folder, Options{Question: []string{"model x"}}); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"another model": {Question: []string{"model y"}},
		"a sweep":       {Question: []string{"model x"}, Sweep: true},
	} {
		if err := measure(folder, o); !errors.Is(err, ErrOtherQuestion) || !strings.Contains(err.Error(), "model x") {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := filepath.Join(folder, doneName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"no JSON":         "{\n",
		"unknown photo":   `{"id":"elsewhere","maps":[[]]}` + "\n",
		"too many maps":   `{"id":"p0","maps":[[],[]]}` + "\n",
		"a class too far": `{"id":"p0","maps":[[[3,1,1,1]]]}` + "\n",
		"negative area":   `{"id":"p0","maps":[[[0,-1,1,1]]]}` + "\n",
		"boundary":        `{"id":"p0","maps":[[]],"boundaries":[[9,0,0,0,0]]}` + "\n",
	} {
		if err := os.WriteFile(path, append(append([]byte(nil), text...), line...), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := measure(folder, Options{Question: []string{"model x"}}); err == nil || !strings.Contains(err.Error(), "line 22") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two measurements cannot write to one folder at once; when the first has ended, be
// it with an error, the second goes on.
func TestFolderInUse(t *testing.T) {
	f := manyPhotos()
	d := f.dataset("background", "cat", "dog")
	options := Options{Workers: 1, Folder: t.TempDir(), Question: []string{"model x"}}
	broken := errors.New("broken")
	var second error
	first := predictorFunc(func(photo image.Image, thresholds []float64) ([][]uint8, error) {
		_, second = segmentation(t.Context(), d, f, oracle{}, options)
		return nil, broken
	})
	if _, err := segmentation(t.Context(), d, f, first, options); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if !errors.Is(second, ErrInUse) || !strings.Contains(second.Error(), options.Folder) {
		t.Errorf("the second one says %v", second)
	}
	if _, err := segmentation(t.Context(), d, f, oracle{}, options); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	options.Question = []string{"model y"}
	for range 2 { // a refused one lets the folder go, too
		if _, err := segmentation(t.Context(), d, f, oracle{}, options); !errors.Is(err, ErrOtherQuestion) {
			t.Error(err)
		}
	}
}

func FuzzDone(f *testing.F) {
	f.Add([]byte(`{"id":"p0","maps":[[[0,1,2,3]]],"boundaries":[[0,1,1,1,1]]}`))
	f.Add([]byte(`{"id":"p0","maps":[[[-1,1,2,3]]]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := parseDone(line, 3, 1)
		if err == nil {
			c.Maps[0].addTo(make([]Areas, 3), 1)
			sumBoundaries([]ImageResult{{Boundaries: c.Boundaries}}, 3)
		}
	})
}
