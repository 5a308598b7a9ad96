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
	e.Kept = [][]float32{half(draw(5, n)), half(draw(6, n))}
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
			want := of(k) * float64(e.Kept[k][i])
			if got := float64(p.Labels[k][i]); math.Abs(got-want) > 1e-6 || p.Labels[k][i] != silent.Labels[k][i] {
				t.Errorf("place %d, label %d: %g, want %g", i, k, got, want)
			}
		}
		if want := math.Max(of(2), of(3)); math.Abs(float64(p.Background[i])-want) > 1e-6 {
			t.Errorf("place %d: background %g, want %g", i, p.Background[i], want)
		}
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

// TestOtsu: no other of the 256 thresholds parts the values better.
func TestOtsu(t *testing.T) {
	x := append(half(draw(7, 60)), draw(8, 40)...)
	low, high := slices.Min(x), slices.Max(x)
	level := func(v float32) int { return min(int(float64(v-low)/float64(high-low)*256), 255) }
	between := func(threshold int) float64 { // variance between those below level and the rest
		var n, s [2]float64
		for _, v := range x {
			side := 0
			if level(v) >= threshold {
				side = 1
			}
			n[side]++
			s[side] += float64(level(v))
		}
		if n[0] == 0 || n[1] == 0 {
			return 0
		}
		d := s[0]/n[0] - s[1]/n[1]
		return n[0] * n[1] * d * d
	}
	got := int(math.Round((otsu(x) - float64(low)) / float64(high-low) * 256))
	for threshold := range 256 {
		if between(threshold) > between(got)+1e-6 {
			t.Fatalf("threshold %d parts better than %d", threshold, got)
		}
	}
	if p := (&Planes{Width: 4, Height: 1, Labels: [][]float32{{0.2, 0.2, 0.2, 0.2}}}); p.Otsu(1) != float64(float32(0.2)) || p.Otsu(0.1) != 0.1 {
		t.Error("of one value, and of a limit")
	}
}

// TestSmooth: the two-dimensional Gaussian, in one go.
func TestSmooth(t *testing.T) {
	const width, height, sigma, radius = 9, 7, 1.3, 4
	p := drawPlanes(9, 1, width, height, true)
	before := [][]float32{p.Labels[0], p.Background}
	p.Smooth(sigma)
	for k, got := range [][]float32{p.Labels[0], p.Background} {
		want := make([]float64, width*height)
		for i := range want {
			var sum, mass float64
			for dy := -radius; dy <= radius; dy++ {
				for dx := -radius; dx <= radius; dx++ {
					g := math.Exp(-float64(dx*dx+dy*dy) / (2 * sigma * sigma))
					x, y := min(max(i%width+dx, 0), width-1), min(max(i/width+dy, 0), height-1)
					sum, mass = sum+g*float64(before[k][y*width+x]), mass+g
				}
			}
			want[i] = sum / mass
		}
		near(t, "smoothed", got, want, 1e-5)
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

// TestGuided: least squares in every square, written out; and pixels between places.
func TestGuided(t *testing.T) {
	const width, height, radius, epsilon = 6, 5, 2, 1e-3
	small := draw(30, width*height)
	for i := range small {
		small[i] = 127 + 120*small[i]
	}
	p := drawPlanes(31, 2, width, height, false)
	before := slices.Clone(p.Labels)
	g := &Guide{Width: 2, Height: 2, Gray: make([]uint8, 4)}
	if err := (Guided{Radius: radius, Epsilon: epsilon}).Refine(context.Background(), p, small, g); err != nil {
		t.Fatal(err)
	}
	squareOf := func(i int) (list []int) {
		for y := max(i/width-radius, 0); y <= min(i/width+radius, height-1); y++ {
			for x := max(i%width-radius, 0); x <= min(i%width+radius, width-1); x++ {
				list = append(list, y*width+x)
			}
		}
		return list
	}
	for k := range p.Labels {
		slopes, offsets := make([]float64, width*height), make([]float64, width*height)
		for i := range slopes {
			var mx, my, xx, xy float64
			list := squareOf(i)
			for _, j := range list {
				mx += float64(small[j]) / 255 / float64(len(list))
				my += float64(before[k][j]) / float64(len(list))
			}
			for _, j := range list {
				d := float64(small[j])/255 - mx
				xx += d * d / float64(len(list))
				xy += d * (float64(before[k][j]) - my) / float64(len(list))
			}
			slopes[i] = xy / (xx + epsilon)
			offsets[i] = my - slopes[i]*mx
		}
		mean := func(x []float64) []float64 {
			out := make([]float64, len(x))
			for i := range out {
				list := squareOf(i)
				for _, j := range list {
					out[i] += x[j] / float64(len(list))
				}
			}
			return out
		}
		near(t, "offsets", p.Labels[k], mean(offsets), 1e-3)
		for i := range slopes {
			slopes[i] /= 255
		}
		near(t, "slopes", p.Slopes[k], mean(slopes), 1e-5)
	}
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

// TestAffinity and the labels that hold together under it, in float64.
func TestAffinity(t *testing.T) {
	const embed, sharpness = 4, 5
	w := drawWindow(50, 4, 3, 4, 3, embed)
	words := drawWords(51, embed, 1, 2, 2, 0)
	_, of := words.planes()
	n := w.GridW * w.GridH
	mixed := func(x []float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			var sum float64
			for j := range x {
				a := math.Exp(sharpness * dot(w.Patches[i*embed:(i+1)*embed], w.Patches[j*embed:(j+1)*embed]))
				out[i], sum = out[i]+a*x[j], sum+a
			}
			out[i] /= sum
		}
		return out
	}
	maps := windowMaps(&w, words, of, FromPatches)
	own := [][]float64{plainPatches(&w, words, 1, 0), plainPatches(&w, words, 2, 0), plainPatches(&w, words, 0, 3)}
	if err := (Affinity{Sharpness: sharpness, Weight: 0.25}).propagate(context.Background(), &w, maps); err != nil {
		t.Fatal(err)
	}
	for p, m := range maps {
		want := mixed(own[p])
		for i := range want {
			want[i] = 0.75*own[p][i] + 0.25*want[i]
		}
		near(t, "propagated", m.values, want, 1e-5)
	}
	// Probabilities, and their soft intersection over union with their own mean.
	probability := make([][]float64, 3)
	for p := range probability {
		probability[p] = make([]float64, n)
		for i := range n {
			var sum float64
			for q := range own {
				sum += math.Exp(9 * own[q][i])
			}
			probability[p][i] = math.Exp(9*own[p][i]) / sum
		}
	}
	for label := range 2 {
		var lower, upper float64
		for i, v := range mixed(probability[label]) {
			lower, upper = lower+math.Min(v, probability[label][i]), upper+math.Max(v, probability[label][i])
		}
		for _, c := range []struct {
			least float64
			want  bool
		}{{lower/upper - 1e-4, true}, {lower/upper + 1e-4, false}} {
			kept, err := Present(context.Background(), &View{Windows: []Window{w}}, words, FromPatches, 9, Affinity{Sharpness: sharpness}, c.least)
			if err != nil || kept[label] != c.want {
				t.Errorf("label %d holds together by %g; at least %g: %v (%v)", label+1, lower/upper, c.least, kept, err)
			}
		}
	}
}
