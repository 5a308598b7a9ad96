package cluster

import (
	"math"
	"math/rand/v2"
)

// Restarts of K-means, of which the one with the least distances counts, and the
// most rounds of each; both are scikit-learn's usual order of magnitude.
const (
	restarts  = 8
	mostRound = 100
)

// KMeans puts points into at most k clusters so that the squared distances to the
// clusters' means are small: Lloyd's rounds from k-means++ (Arthur and
// Vassilvitskii, SODA 2007), the best of several starts. A cluster that runs empty
// takes the point that is farthest from its mean.
func KMeans(x []float64, d, k int, seed uint64) ([]int, error) {
	n, err := check(x, d)
	if err != nil {
		return nil, err
	}
	k = min(max(k, 1), n)
	r := rand.New(rand.NewPCG(seed, 0x6b6d65616e73))
	var best []int
	least := math.Inf(1)
	for range restarts {
		assign, cost := lloyd(x, d, seeds(x, d, k, r))
		if cost < least {
			best, least = assign, cost
		}
	}
	return dense(best), nil
}

// seeds draws k of the points: each next one with a chance in proportion to its
// squared distance from those that are drawn.
func seeds(x []float64, d, k int, r *rand.Rand) []float64 {
	n := len(x) / d
	centres := append([]float64{}, row(x, d, r.IntN(n))...)
	near := make([]float64, n)
	for i := range near {
		near[i] = math.Inf(1)
	}
	for len(centres) < k*d {
		last := centres[len(centres)-d:]
		var sum float64
		for i := range near {
			near[i] = min(near[i], squared(row(x, d, i), last))
			sum += near[i]
		}
		pick := r.Float64() * sum
		at := n - 1
		for i, v := range near {
			if pick -= v; pick < 0 {
				at = i
				break
			}
		}
		centres = append(centres, row(x, d, at)...)
	}
	return centres
}

func row(x []float64, d, i int) []float64 { return x[i*d : (i+1)*d] }

// lloyd improves centres until no point changes its cluster; cost is the sum of
// squared distances.
func lloyd(x []float64, d int, centres []float64) (assign []int, cost float64) {
	n, k := len(x)/d, len(centres)/d
	assign = make([]int, n)
	distance := make([]float64, n)
	for round := range mostRound {
		changed := round == 0
		for i := range n {
			to, least := 0, math.Inf(1)
			for c := range k {
				if v := squared(row(x, d, i), row(centres, d, c)); v < least {
					to, least = c, v
				}
			}
			changed = changed || assign[i] != to
			assign[i], distance[i] = to, least
		}
		if !changed {
			break
		}
		means(x, d, k, assign, distance, centres)
	}
	for _, v := range distance {
		cost += v
	}
	return assign, cost
}

// means makes each centre the mean of its points.
func means(x []float64, d, k int, assign []int, distance, centres []float64) {
	count := make([]int, k)
	clear(centres)
	for i, c := range assign {
		count[c]++
		for j, v := range row(x, d, i) {
			centres[c*d+j] += v
		}
	}
	for c, m := range count {
		if m == 0 {
			far := 0
			for i, v := range distance {
				if v > distance[far] {
					far = i
				}
			}
			copy(row(centres, d, c), row(x, d, far))
			distance[far] = 0
			continue
		}
		for j := range d {
			centres[c*d+j] /= float64(m)
		}
	}
}
