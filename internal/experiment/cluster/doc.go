// Package cluster groups the patches of one picture by their features alone:
// K-means, mean shift and spectral clustering, the baselines of the paper's
// Table 4. Points are rows of a flat slice [n, d]; every function returns a
// cluster for each point, counted from 0 without gaps, and the same for the same
// input and seed.
//
// They are written here because nothing in gonum does them: its matrices and its
// eigen decomposition are what spectral clustering stands on.
package cluster

import "fmt"

// most points of a picture: distances take n² numbers, the eigen decomposition n³
// steps.
const most = 4096

func check(x []float64, d int) (n int, err error) {
	if d < 1 || len(x) == 0 || len(x)%d != 0 {
		return 0, fmt.Errorf("cluster: %d numbers are no points of %d", len(x), d)
	}
	if n = len(x) / d; n > most {
		return 0, fmt.Errorf("cluster: %d points, at most %d: look at the picture smaller", n, most)
	}
	return n, nil
}

// squared is the squared Euclidean distance.
func squared(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}

// dense renumbers clusters by first appearance.
func dense(assign []int) []int {
	names := map[int]int{}
	for i, a := range assign {
		if _, ok := names[a]; !ok {
			names[a] = len(names)
		}
		assign[i] = names[a]
	}
	return assign
}
