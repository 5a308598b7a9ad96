package assign

import (
	"math"
	"slices"
)

// Chosen says which of several scores stand out: those that reach mean +
// k·deviation of the better half (Yi et al., SimSeg, CVPR 2023, choose classes so).
// The best one always does. The deviation is that of the half as a population.
func Chosen(scores []float64, k float64) []bool {
	kept := make([]bool, len(scores))
	if len(scores) == 0 {
		return kept
	}
	order := slices.Clone(scores)
	slices.SortFunc(order, func(a, b float64) int { return compare(b, a) })
	mean, deviation := moments(order[:(len(order)+1)/2])
	bar := min(mean+k*deviation, order[0])
	for i, s := range scores {
		kept[i] = s >= bar
	}
	return kept
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// moments are the mean and the deviation of values, of which there is one.
func moments(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(values)))
}

// choose says which labels a window keeps: those whose cosine with the window's
// image vector stands out.
func choose(w *Window, words Words, k float64) []bool {
	scores := make([]float64, words.Labels)
	for i := range scores {
		scores[i] = math.Inf(-1)
	}
	for row, cos := range products(words.Vectors, w.Image, words.Width) {
		if owner := words.Owner[row]; owner > 0 {
			scores[owner-1] = max(scores[owner-1], cos)
		}
	}
	return Chosen(scores, k)
}
