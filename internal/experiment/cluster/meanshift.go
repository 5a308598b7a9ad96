package cluster

import (
	"math"
	"slices"
)

// mostShifts of one point.
const mostShifts = 300

// MeanShift follows each point to where points are dense: to the mean of those
// within bandwidth, again and again (Comaniciu and Meer, PAMI 2002, flat kernel).
// Points whose ends lie within bandwidth of an end that more points reach are one
// cluster. Where bandwidth is 0, [Bandwidth] of 0.3 is taken.
func MeanShift(x []float64, d int, bandwidth float64) ([]int, error) {
	n, err := check(x, d)
	if err != nil {
		return nil, err
	}
	if bandwidth <= 0 {
		bandwidth = Bandwidth(x, d, 0.3)
	}
	if bandwidth == 0 { // all points are the same
		return make([]int, n), nil
	}
	ends, support := make([]float64, 0, len(x)), make([]int, n)
	for i := range n {
		end, within := shift(x, d, row(x, d, i), bandwidth)
		ends, support[i] = append(ends, end...), within
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return support[b] - support[a] })
	var modes []float64
	for _, i := range order {
		if _, far := nearest(row(ends, d, i), modes, d); far >= bandwidth*bandwidth {
			modes = append(modes, row(ends, d, i)...)
		}
	}
	assign := make([]int, n)
	for i := range assign {
		assign[i], _ = nearest(row(x, d, i), modes, d)
	}
	return dense(assign), nil
}

// shift moves from a point until it rests; within is the number of points around
// its end.
func shift(x []float64, d int, from []float64, bandwidth float64) (at []float64, within int) {
	at = slices.Clone(from)
	next := make([]float64, d)
	for range mostShifts {
		clear(next)
		within = 0
		for i := range len(x) / d {
			if p := row(x, d, i); squared(p, at) <= bandwidth*bandwidth {
				within++
				for j, v := range p {
					next[j] += v
				}
			}
		}
		for j := range next {
			next[j] /= float64(max(within, 1))
		}
		moved := squared(next, at)
		copy(at, next)
		if moved <= 1e-6*bandwidth*bandwidth {
			break
		}
	}
	return at, within
}

func nearest(p, centres []float64, d int) (at int, distance float64) {
	distance = math.Inf(1)
	for c := range len(centres) / d {
		if v := squared(p, row(centres, d, c)); v < distance {
			at, distance = c, v
		}
	}
	return at, distance
}

// Bandwidth is the mean distance of a point to the nearest share of the others:
// what scikit-learn's estimate_bandwidth takes, whose share is 0.3.
func Bandwidth(x []float64, d int, share float64) float64 {
	n := len(x) / d
	k := min(max(int(share*float64(n)), 1), n)
	var sum float64
	distances := make([]float64, n)
	for i := range n {
		for j := range n {
			distances[j] = squared(row(x, d, i), row(x, d, j))
		}
		slices.Sort(distances)
		sum += math.Sqrt(distances[k-1])
	}
	return sum / float64(n)
}
