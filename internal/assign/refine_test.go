package assign

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestProbabilities: a softmax over labels and hidden words, in float64.
func TestProbabilities(t *testing.T) {
	const n, sharpness = 12, 7
	e := &Evidence{Width: 4, Height: 3, Labels: 2, Planes: [][]float32{draw(1, n), draw(2, n), draw(3, n), draw(4, n)}}
	p, silent := e.Probabilities(sharpness, true), e.Probabilities(sharpness, false)
	if silent.Background != nil {
		t.Error("silent words take pixels")
	}
	for i := range n {
		var sum float64
		for _, plane := range e.Planes {
			sum += math.Exp(sharpness * float64(plane[i]))
		}
		of := func(k int) float64 { return math.Exp(sharpness*float64(e.Planes[k][i])) / sum }
		for k := range 2 {
			want := of(k)
			if got := float64(p.Labels[k][i]); math.Abs(got-want) > 1e-6 || p.Labels[k][i] != silent.Labels[k][i] {
				t.Errorf("place %d, label %d: %g, want %g", i, k, got, want)
			}
		}
		if want := math.Max(of(2), of(3)); math.Abs(float64(p.Background[i])-want) > 1e-6 {
			t.Errorf("place %d: background %g, want %g", i, p.Background[i], want)
		}
	}
}

// TestAgainst: a softmax over each label and the background vocabulary that does not
// mean it, in float64; another label changes nothing.
func TestAgainst(t *testing.T) {
	const n, sharpness = 12, 7
	e := &Evidence{Width: 4, Height: 3, Labels: 2, Planes: [][]float32{draw(1, n), draw(2, n), draw(3, n), draw(4, n)}}
	own := [][]bool{{false, true}, {false, false}}
	p := e.Against(sharpness, own)
	if p.Background != nil {
		t.Error("background words take pixels")
	}
	for i := range n {
		for k, mine := range own {
			term := func(plane int) float64 { return math.Exp(sharpness * float64(e.Planes[plane][i])) }
			sum := term(k)
			for b := range mine {
				if !mine[b] {
					sum += term(2 + b)
				}
			}
			if got, want := float64(p.Labels[k][i]), term(k)/sum; math.Abs(got-want) > 1e-6 {
				t.Errorf("place %d, label %d: %g, want %g", i, k, got, want)
			}
		}
	}
	single := &Evidence{Width: 4, Height: 3, Labels: 1, Planes: [][]float32{e.Planes[0], e.Planes[2], e.Planes[3]}}
	if got := single.Against(sharpness, own[:1]); !slices.Equal(got.Labels[0], p.Labels[0]) {
		t.Error("a second label changes the first one's probability")
	}
}

// TestCut: what is faint beside its own label's best tenth goes.
func TestCut(t *testing.T) {
	p := &Planes{Width: 10, Height: 1, Labels: [][]float32{
		{0.8, 0.5, 0.3, 0.1, 0, 0, 0, 0, 0, 0},
		{0.05, 0.04, 0.01, 0, 0, 0, 0, 0, 0, 0},
	}}
	p.Cut(0.5)
	if !slices.Equal(p.Labels[0][:4], []float32{0.8, 0.5, 0, 0}) || !slices.Equal(p.Labels[1][:3], []float32{0.05, 0.04, 0}) {
		t.Errorf("left are %v", p.Labels)
	}
}

// TestPAMR: the formula, neighbour by neighbour.
func TestPAMR(t *testing.T) {
	const width, height, rounds = 7, 5, 3
	dilations := []int{1, 2, 8}
	picture := draw(20, 3*width*height)
	for i := range picture {
		picture[i] = 127 + 100*picture[i]
	}
	p := drawPlanes(21, 2, width, height, true)
	var want [][]float64
	for _, plane := range p.all() {
		want = append(want, plainPAMR(doubles(plane), picture, width, height, dilations, rounds))
	}
	if err := (PAMR{Iterations: rounds, Dilations: dilations}).Refine(context.Background(), p, picture); err != nil {
		t.Fatal(err)
	}
	for k, plane := range p.all() {
		near(t, "plane", plane, want[k], 1e-4)
	}
}

func plainPAMR(x []float64, picture []float32, width, height int, dilations []int, rounds int) []float64 {
	n := width * height
	neighbour := func(i, k int) int {
		d, side := dilations[k/8], []int{0, 1, 2, 3, 5, 6, 7, 8}[k%8]
		return min(max(i/width+d*(side/3-1), 0), height-1)*width + min(max(i%width+d*(side%3-1), 0), width-1)
	}
	count := 8 * len(dilations)
	weights := make([][]float64, n)
	for i := range n {
		weights[i] = make([]float64, count)
		for c := range 3 {
			value := func(j int) float64 { return float64(picture[c*n+j]) }
			var mean, square float64
			for k := range count {
				mean += value(neighbour(i, k)) / float64(count)
			}
			for k := range count {
				d := value(neighbour(i, k)) - mean
				square += d * d / float64(count-1)
			}
			for k := range count {
				weights[i][k] -= math.Abs(value(neighbour(i, k))-value(i)) / (1e-8 + 0.1*math.Sqrt(square)) / 3
			}
		}
		var sum float64
		for k, w := range weights[i] {
			weights[i][k] = math.Exp(w)
			sum += weights[i][k]
		}
		for k := range weights[i] {
			weights[i][k] /= sum
		}
	}
	for range rounds {
		next := make([]float64, n)
		for i := range n {
			for k, w := range weights[i] {
				next[i] += w * x[neighbour(i, k)]
			}
		}
		x = next
	}
	return x
}

// TestSLIC: regions keep to the border between two colours, and a vote is a mean.
func TestSLIC(t *testing.T) {
	const width, height, border = 24, 18, 11
	n := width * height
	picture := make([]float32, 3*n)
	for i := range n {
		if i%width >= border {
			picture[i], picture[n+i], picture[2*n+i] = 200, 180, 20
		}
	}
	cut := SLIC{Count: 12, Compactness: 10, Rounds: 5}.Cut(picture, width, height)
	regions, side := cut.Of, map[int32]bool{}
	for i, r := range regions {
		right := i%width >= border
		if was, known := side[r]; known && was != right {
			t.Fatalf("region %d lies on both sides", r)
		}
		side[r] = right
	}
	if len(side) < 8 || len(side) > 16 {
		t.Errorf("%d regions, about 12 were asked for", len(side))
	}
	p := drawPlanes(40, 2, width, height, true)
	before := slices.Clone(p.all())
	if err := p.Vote(t.Context(), NewRegions(cut, Spread{}, 0)); err != nil {
		t.Fatal(err)
	}
	for k, plane := range p.all() {
		for i, r := range regions {
			var sum, count float64
			for j, other := range regions {
				if other == r {
					sum, count = sum+float64(before[k][j]), count+1
				}
			}
			if math.Abs(float64(plane[i])-sum/count) > 1e-5 {
				t.Fatalf("plane %d, place %d: %g, want %g", k, i, plane[i], sum/count)
			}
		}
	}
}
