package assign

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
)

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		name               string
		h, w, seenH, seenW int
		xs                 []int
	}{
		{"375x500", 375, 500, 448, 597, []int{0, 149}},
		{"333x500", 333, 500, 448, 673, []int{0, 224, 225}},
		{"427x640", 427, 640, 448, 671, []int{0, 223}},
		{"281x500", 281, 500, 448, 797, []int{0, 224, 349}},
		{"square", 100, 100, 448, 448, []int{0}},
		{"long side limits", 100, 1000, 205, 2048, []int{0, 224, 448, 672, 896, 1120, 1344, 1568, 1600}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := PaperRule(224)
			w, h := r.Size(c.w, c.h)
			if w != c.seenW || h != c.seenH {
				t.Fatalf("size %dx%d, want %dx%d", h, w, c.seenH, c.seenW)
			}
			var xs []int
			for _, win := range r.Windows(w, h) {
				xs = append(xs, win.X)
				if win.Y != 0 || win.Height != min(448, h) || win.Width != 448 {
					t.Errorf("window %+v", win)
				}
			}
			if !slices.Equal(xs, c.xs) {
				t.Errorf("windows at %v, want %v", xs, c.xs)
			}
		})
	}
}

// checkVectors are the vectors of the check value: groups sin(0.8n+0.3) [3,4],
// classes cos(0.55n) [6,4], image the mean of the raw groups.
func checkVectors() (groups, image, text []float32) {
	groups, image, text = make([]float32, 12), make([]float32, 4), make([]float32, 24)
	for n := range groups {
		groups[n] = float32(math.Sin(0.8*float64(n) + 0.3))
		image[n%4] += groups[n] / 3
	}
	for n := range text {
		text[n] = float32(math.Cos(0.55 * float64(n)))
	}
	for _, x := range [][]float32{groups, image, text} {
		Normalize(x, 4)
	}
	return groups, image, text
}

func TestGroupScores(t *testing.T) {
	groups, image, text := checkVectors()
	r := GroupScores(groups, image, text, 4, 1/0.07)
	want := []float64{
		0.020097, 0, 0.003298, 0.000014, 0, 0.635322,
		0, 0, 0, 0, 0.469804, 0,
		0.265481, 0, 0.000442, 0.000412, 0, 0.196625,
	}
	for i := range want {
		if math.Abs(r[i]-want[i]) > 3e-6 {
			t.Errorf("R[%d][%d] is %.6f, want %.6f", i/6, i%6, r[i], want[i])
		}
	}
	if one := GroupScores(groups, image, text[:4], 4, 10); one[0] != 1 || one[2] != 1 {
		t.Errorf("one class scores %v, want 1 everywhere", one)
	}
}

// view is a photo of 4×2 pixels whose left half is group 0, right half group 1.
func view() *View {
	groups, image, _ := checkVectors()
	return &View{Width: 4, Height: 2, SeenWidth: 4, SeenHeight: 2, Windows: []Window{{
		Rect: Rect{0, 0, 4, 2}, GridH: 1, GridW: 2,
		Assign: []float32{0.9, 0.1, 0.2, 0.8}, Stages: [][]float32{{0.9, 0.1, 0.2, 0.8}},
		Groups: groups[:8], Patches: groups[4:12], Image: image,
	}}}
}

func TestPaper(t *testing.T) {
	_, _, text := checkVectors()
	v := view()
	s, err := Paper(context.Background(), v, text, 4, 1/0.07, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Decide(context.Background(), 4, 2, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	// The best group's 0.635 is the bar: group 0 shows class 6, group 1
	// (0.470) is background.
	if want := []uint16{6, 6, 0, 0, 6, 6, 0, 0}; !slices.Equal(res.Map.Labels, want) {
		t.Errorf("labels %v, want %v", res.Map.Labels, want)
	}
	if got := res.Scores[5*8]; math.Abs(float64(got)-0.635322) > 3e-6 {
		t.Errorf("score %v", got)
	}
	s, _ = Paper(context.Background(), v, text, 4, 1/0.07, math.NaN())
	res, _ = s.Decide(context.Background(), 4, 2, 0, false)
	if want := []uint16{6, 6, 5, 5, 6, 6, 5, 5}; !slices.Equal(res.Map.Labels, want) {
		t.Errorf("without background: labels %v, want %v", res.Map.Labels, want)
	}
}

func TestQueries(t *testing.T) {
	groups, _, _ := checkVectors()
	v := view()
	words := Words{Vectors: slices.Concat(groups[4:8], groups[8:12]), Owner: []uint16{1, 0}, Labels: 1, Width: 4}
	s, err := Queries(context.Background(), v, words, FromPatches)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Decide(context.Background(), 4, 2, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint16{1, 1, 0, 0, 1, 1, 0, 0}; !slices.Equal(res.Map.Labels, want) {
		t.Errorf("labels %v, want %v", res.Map.Labels, want)
	}
	s.Sharpness = 1
	if res, _ = s.Decide(context.Background(), 4, 2, 0.9999, false); slices.Max(res.Map.Labels) != 0 {
		t.Errorf("a threshold of 0.9999 leaves %v", res.Map.Labels)
	}
	for _, from := range []Source{FromGroups, FromBoth} {
		if _, err := Queries(context.Background(), v, words, from); err != nil {
			t.Error(err)
		}
	}
	v.Windows[0].Patches = nil
	if _, err := Queries(context.Background(), v, words, FromPatches); err == nil {
		t.Error("no error for a model without patch embeddings")
	}
}

func TestChain(t *testing.T) {
	// Two tokens, two groups, then one: everything belongs to it.
	p := Chain([][]float32{{0.3, 0.6, 0.7, 0.4}, {1, 1}}, []int{2, 1})
	for _, v := range p {
		if math.Abs(float64(v)-1) > 1e-6 {
			t.Errorf("chain %v, want ones", p)
		}
	}
}

func TestWindowsAreAveraged(t *testing.T) {
	_, _, text := checkVectors()
	v := view()
	w := v.Windows[0]
	w.X = 2
	v.SeenWidth, v.Width = 6, 6
	v.Windows = append(v.Windows, w)
	s, err := Paper(context.Background(), v, text, 4, 1/0.07, math.NaN())
	if err != nil {
		t.Fatal(err)
	}
	// Column 2 is group 1 in the first window and group 0 in the second.
	if got := s.label(5)[2]; math.Abs(float64(got)-0.635322/2) > 3e-6 {
		t.Errorf("overlap scores %v, want half of 0.635322", got)
	}
}

func TestGroupMap(t *testing.T) {
	v := view()
	v.Width, v.Height = 8, 1
	m, err := GroupMap(context.Background(), v, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint16{1, 1, 1, 1, 2, 2, 2, 2}; !slices.Equal(m.Labels, want) {
		t.Errorf("groups %v, want %v", m.Labels, want)
	}
}

func TestExp(t *testing.T) {
	for x := -700.0; x <= 700; x += 0.0317 {
		if want := math.Exp(x); math.Abs(exp(x)-want) > 1e-10*want {
			t.Fatalf("exp(%g) is %g, want %g", x, exp(x), want)
		}
	}
	for _, x := range []float64{math.Inf(-1), -1e9} {
		if got := exp(x); got < 0 || got > 1e-300 {
			t.Errorf("exp(%g) is %g", x, got)
		}
	}
}

// TestDecideAnyNumberOfProcessors: bands decided side by side give what one
// processor gives, to the last bit, for sizes around a band's.
func TestDecideAnyNumberOfProcessors(t *testing.T) {
	v := &View{SeenWidth: 31, SeenHeight: 17}
	s := newScores(v, 3, true)
	for p, plane := range s.Planes {
		for i := range plane {
			plane[i] = float32(math.Sin(float64(7*i+p) / 5))
		}
	}
	s.Sharpness = 3
	for _, height := range []int{1, bandRows - 1, bandRows, bandRows + 1, 3*bandRows + 5} {
		decide := func(processors int) *Result {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			r, err := s.Decide(t.Context(), 50, height, 0.3, true)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		one, many := decide(1), decide(7)
		if !slices.Equal(one.Map.Labels, many.Map.Labels) || !slices.Equal(one.Mean, many.Mean) || !slices.Equal(one.Scores, many.Scores) {
			t.Errorf("height %d: one processor and seven differ", height)
		}
		// Against the definition, pixel by pixel.
		for i, l := range many.Map.Labels {
			best, sum := -1, 0.0
			for c := range 3 {
				score := many.Scores[c*50*height+i]
				if best < 0 || score > many.Scores[best*50*height+i] {
					best = c
				}
				sum += math.Exp(3 * float64(score))
			}
			if l > 0 && (int(l) != best+1 || math.Exp(3*float64(many.Scores[best*50*height+i]))/sum < 0.3) {
				t.Fatalf("height %d, pixel %d: label %d, best %d", height, i, l, best+1)
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Decide(ended, 50, 300, 0, false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
