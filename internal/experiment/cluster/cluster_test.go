package cluster

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func points(n, d int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n*d)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// cost is the sum of squared distances to the clusters' means, over pairs: the sum
// over pairs of a cluster, divided by its size. No mean is made.
func cost(x []float64, d int, assign []int) float64 {
	n, count := len(assign), map[int]float64{}
	for _, a := range assign {
		count[a]++
	}
	var sum float64
	for i := range n {
		for j := range i {
			if assign[i] == assign[j] {
				for c := range d {
					sum += math.Pow(x[i*d+c]-x[j*d+c], 2) / count[assign[i]]
				}
			}
		}
	}
	return sum
}

// partitions calls f with every way to part n points in two, neither empty.
func partitions(n int, f func(assign []int)) {
	assign := make([]int, n)
	for bits := 1; bits < 1<<(n-1); bits++ {
		for i := range assign {
			assign[i] = bits >> i & 1
		}
		f(assign)
	}
}

// K-means finds the best of all partitions.
func TestKMeansAgainstAllPartitions(t *testing.T) {
	for seed := range uint64(10) {
		x := points(11, 3, seed)
		got, err := KMeans(x, 3, 2, seed)
		if err != nil {
			t.Fatal(err)
		}
		least := math.Inf(1)
		partitions(11, func(a []int) { least = min(least, cost(x, 3, a)) })
		if c := cost(x, 3, got); c > least*(1+1e-9) {
			t.Errorf("seed %d: cost %g, the best is %g", seed, c, least)
		}
	}
}

// As many clusters as there are points that differ; none is left empty.
func TestKMeansEdges(t *testing.T) {
	x := []float64{1, 1, 2, 5}
	if got, _ := KMeans(x, 1, 9, 0); !slices.Equal(got, []int{0, 0, 1, 2}) {
		t.Errorf("%v", got)
	}
	if got, _ := KMeans(x, 1, 1, 0); !slices.Equal(got, []int{0, 0, 0, 0}) {
		t.Errorf("%v", got)
	}
	if got, err := KMeans(make([]float64, 12), 2, 3, 0); err != nil || !slices.Equal(got, make([]int, 6)) {
		t.Errorf("equal points: %v, %v", got, err)
	}
	for _, f := range []func(x []float64, d int) error{
		func(x []float64, d int) error { _, err := KMeans(x, d, 2, 0); return err },
		func(x []float64, d int) error { _, err := MeanShift(x, d, 0); return err },
		func(x []float64, d int) error { _, err := Spectral(x, d, 2, 0); return err },
	} {
		if f(nil, 2) == nil || f(make([]float64, 3), 2) == nil || f(make([]float64, most+1), 1) == nil {
			t.Error("no error for what are no points")
		}
	}
}

// On a line, mean shift with a flat kernel can be followed by hand: clusters that
// lie farther apart than the bandwidth are what is found, in any order of points.
func TestMeanShiftOnALine(t *testing.T) {
	x := []float64{0, 10, 0.2, 10.3, 0.4, 20, 10.1}
	got, err := MeanShift(x, 1, 1)
	if want := []int{0, 1, 0, 1, 0, 2, 1}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	// Chained: 0 0.9 1.8 with bandwidth 1: from 0 to .45 to .9 (all three within
	// 1 of 0.9), from 1.8 likewise: one cluster.
	if got, _ := MeanShift([]float64{0, 0.9, 1.8}, 1, 1); !slices.Equal(got, []int{0, 0, 0}) {
		t.Errorf("chained: %v", got)
	}
	if got, _ := MeanShift(make([]float64, 4), 1, 0); !slices.Equal(got, make([]int, 4)) {
		t.Errorf("equal points: %v", got)
	}
}

// Every cluster of mean shift in the plane has a place where a step stays: the end
// of some point, found again by plain steps with other code.
func TestMeanShiftPlain(t *testing.T) {
	x := points(40, 2, 3)
	for i := range 20 { // two clouds
		x[2*i] += 8
	}
	bandwidth := 2.5
	got, err := MeanShift(x, 2, bandwidth)
	if err != nil {
		t.Fatal(err)
	}
	ends := make([]complex128, 40)
	for i := range ends {
		at := complex(x[2*i], x[2*i+1])
		for range 1000 {
			var sum, n complex128
			for j := range 40 {
				p := complex(x[2*j], x[2*j+1])
				if real((p-at)*complex(real(p-at), -imag(p-at))) <= bandwidth*bandwidth {
					sum, n = sum+p, n+1
				}
			}
			at = sum / n
		}
		ends[i] = at
	}
	for i := range 40 {
		for j := range 40 {
			if got[i] == got[j] && math.Hypot(real(ends[i]-ends[j]), imag(ends[i]-ends[j])) > 2*bandwidth {
				t.Errorf("points %d and %d are one cluster and end at %v and %v", i, j, ends[i], ends[j])
			}
		}
		if i < 20 && got[i] == got[30] {
			t.Errorf("point %d is in the other cloud's cluster", i)
		}
	}
}

func TestBandwidth(t *testing.T) {
	// Distances to the second nearest, itself the first: 1, 1, 2.
	if got := Bandwidth([]float64{0, 1, 3}, 1, 0.67); math.Abs(got-4./3) > 1e-12 {
		t.Errorf("%g", got)
	}
}

// Spectral clustering of a graph whose best normalised cut is clear finds that cut
// among all partitions.
func TestSpectralAgainstAllCuts(t *testing.T) {
	for seed := range uint64(5) {
		n := 10
		a := mat.NewSymDense(n, nil)
		r := rand.New(rand.NewPCG(seed, 2))
		side := make([]int, n)
		for i := range side {
			side[i] = r.IntN(2)
		}
		side[0], side[n-1] = 0, 1
		for i := range n {
			for j := range i {
				v := 0.05 * r.Float64()
				if side[i] == side[j] {
					v = 0.5 + r.Float64()
				}
				a.SetSym(i, j, v)
			}
		}
		copied := mat.NewSymDense(n, nil)
		copied.CopySym(a)
		got, err := cut(copied, 2, seed)
		if err != nil {
			t.Fatal(err)
		}
		ncut := func(assign []int) float64 {
			var across float64
			var volume [2]float64
			for i := range n {
				for j := range n {
					volume[assign[i]] += a.At(i, j)
					if assign[i] != assign[j] {
						across += a.At(i, j) / 2
					}
				}
			}
			return across/volume[0] + across/volume[1]
		}
		least := math.Inf(1)
		partitions(n, func(p []int) { least = min(least, ncut(p)) })
		if c := ncut(got); c > least*(1+1e-9) {
			t.Errorf("seed %d: normalised cut %g, the best is %g", seed, c, least)
		}
	}
}

// Points to clusters in the end: three clouds, and points that are all alike.
func TestSpectral(t *testing.T) {
	x := points(30, 2, 5)
	want := make([]int, 30)
	for i := range want {
		want[i] = i / 10
		x[2*i] += 12 * float64(want[i])
	}
	if got, err := Spectral(x, 2, 3, 0); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Spectral(make([]float64, 8), 2, 3, 0); err != nil || !slices.Equal(got, make([]int, 4)) {
		t.Errorf("equal points: %v, %v", got, err)
	}
}
