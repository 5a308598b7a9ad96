package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/pairs"
)

// writePairs writes loose pictures whose grey level is their number, with
// captions "n m" of picture n.
func writePairs(t *testing.T, pictures, captions int) *pairs.Index {
	t.Helper()
	dir := t.TempDir()
	for n := range pictures {
		im := image.NewGray(image.Rect(0, 0, 4, 3))
		for i := range im.Pix {
			im.Pix[i] = uint8(n)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for m := range captions {
			texts = append(texts, fmt.Sprintf("%d %d", n, m))
		}
		j, _ := json.Marshal(map[string]any{"captions": texts})
		name := filepath.Join(dir, fmt.Sprintf("p%03d", n))
		if err := errors.Join(os.WriteFile(name+".png", b.Bytes(), 0o666), os.WriteFile(name+".json", j, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	return openPairs(t, dir)
}

func openPairs(t *testing.T, dir string) *pairs.Index {
	t.Helper()
	x, err := pairs.OpenIndex(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// table is an embedder of known vectors.
type table struct {
	pictures [][]float32
	captions [][][]float32
	fail     error
}

func (m table) EmbedImage(_ context.Context, photo image.Image) ([]float32, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	return m.pictures[color.GrayModel.Convert(photo.At(0, 0)).(color.Gray).Y], nil
}

func (m table) EmbedTexts(_ context.Context, texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		var n, k int
		if _, err := fmt.Sscanf(t, "%d %d", &n, &k); err != nil {
			return nil, err
		}
		out = append(out, m.captions[n][k])
	}
	return out, nil
}

func randomTable(pictures, captions, width int) table {
	r := rand.New(rand.NewPCG(1, 1))
	draw := func() []float32 {
		v := make([]float32, width)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	var m table
	for n := range pictures {
		m.pictures = append(m.pictures, draw())
		var list [][]float32
		for range captions {
			v := draw()
			for i := range v { // somewhat like the picture
				v[i] += 0.7 * m.pictures[n][i]
			}
			list = append(list, v)
		}
		m.captions = append(m.captions, list)
	}
	return m
}

// sorted finds R@K by sorting, as it is usually written: which share of queries
// has a right answer among the first k.
func sorted(queries, answers [][]float32, right func(q, a int) bool, k int) float64 {
	hits := 0
	for q := range queries {
		order := make([]int, len(answers))
		scores := make([]float64, len(answers))
		for a := range answers {
			order[a] = a
			for i := range queries[q] {
				scores[a] += float64(queries[q][i]) * float64(answers[a][i])
			}
		}
		sort.SliceStable(order, func(i, j int) bool { return scores[order[i]] > scores[order[j]] })
		if slices.ContainsFunc(order[:min(k, len(order))], func(a int) bool { return right(q, a) }) {
			hits++
		}
	}
	return math.Round(10000*float64(hits)/float64(len(queries))) / 100
}

func TestRetrievalAgreesWithSorting(t *testing.T) {
	const pictures, captions = 37, 5
	m, x := randomTable(pictures, captions, 6), writePairs(t, pictures, captions)
	calls := 0
	r, err := MeasureRetrieval(t.Context(), x, m, RetrievalOptions{Workers: 3, Progress: func(int) { calls++ }})
	if err != nil {
		t.Fatal(err)
	}
	var firsts, all [][]float32
	for _, list := range m.captions {
		firsts, all = append(firsts, list[0]), append(all, list...)
	}
	same := func(a, b int) bool { return a == b }
	for _, c := range []struct {
		name             string
		got              Recall
		queries, answers [][]float32
		right            func(q, a int) bool
	}{
		{"image to first", r.FirstCaption.ImageToText, m.pictures, firsts, same},
		{"first to image", r.FirstCaption.TextToImage, firsts, m.pictures, same},
		{"image to any", r.AllCaptions.ImageToText, m.pictures, all, func(q, a int) bool { return a/captions == q }},
		{"each to image", r.AllCaptions.TextToImage, all, m.pictures, func(q, a int) bool { return q/captions == a }},
	} {
		for k, got := range map[int]float64{1: c.got.At1, 5: c.got.At5, 10: c.got.At10} {
			if want := sorted(c.queries, c.answers, c.right, k); got != want {
				t.Errorf("%s: R@%d is %v, sorting gives %v", c.name, k, got, want)
			}
		}
		if c.got.At1 == 0 || c.got.At10 == 100 {
			t.Errorf("%s: %+v cannot tell right from wrong", c.name, c.got)
		}
	}
	if r.Images != pictures || r.FirstCaption.Captions != pictures || r.AllCaptions.Captions != pictures*captions || calls != pictures {
		t.Errorf("%+v, %d calls", r, calls)
	}
	// One of 37; one of five in 185: 1 − (180·179·…·176)/(185·184·…·181).
	if got := r.FirstCaption.TextToImage.Chance1; got != 2.7 {
		t.Errorf("chance of the first is %v, want 2.7", got)
	}
	if got, want := r.AllCaptions.ImageToText.Chance5, 100*(1-180./185*179/184*178/183*177/182*176/181); math.Abs(got-want) > 0.006 {
		t.Errorf("chance of any of five is %v, want %v", got, want)
	}
}

// Where everything looks the same, the result is chance, not 0 or 100.
func TestRetrievalOfTies(t *testing.T) {
	m := table{}
	for range 20 {
		m.pictures, m.captions = append(m.pictures, []float32{1}), append(m.captions, [][]float32{{1}})
	}
	r, err := MeasureRetrieval(t.Context(), writePairs(t, 20, 1), m, RetrievalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := Recall{At1: 5, At5: 25, At10: 50, MedianRank: 10.5, Chance1: 5, Chance5: 25, Chance10: 50}
	if d := cmp.Diff(want, r.FirstCaption.ImageToText); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if r.AllCaptions != nil {
		t.Error("one caption a picture has no second form")
	}
}

func TestRetrievalFailures(t *testing.T) {
	m := randomTable(5, 2, 3)
	x := writePairs(t, 5, 2)
	broken := errors.New("broken")
	failing := m
	failing.fail = broken
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		m    table
		o    RetrievalOptions
		want error
	}{
		{"the model fails", t.Context(), failing, RetrievalOptions{}, broken},
		{"stopped", stopped, m, RetrievalOptions{}, context.Canceled},
		{"one sample", t.Context(), m, RetrievalOptions{Limit: 1}, ErrNoPairs},
		{"negative limit", t.Context(), m, RetrievalOptions{Limit: -1}, ErrOptions},
	} {
		if _, err := MeasureRetrieval(c.ctx, x, c.m, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: error is %v, want %v", c.name, err, c.want)
		}
	}
	// A broken picture is left out and counted.
	path := x.Source(2)
	if err := os.WriteFile(path, []byte("no picture, whatever its name"), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := MeasureRetrieval(t.Context(), openPairs(t, filepath.Dir(path)), m, RetrievalOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if r.Images != 4 || len(r.Skipped) != 1 || !strings.Contains(text.String(), "1 samples were left out, the first: ") || !strings.Contains(text.String(), "p002") {
		t.Errorf("%+v\n%s", r, text.String())
	}
}
