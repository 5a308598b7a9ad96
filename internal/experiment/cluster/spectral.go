package cluster

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Spectral cuts the graph of likenesses into k parts (Ng, Jordan and Weiss, NIPS
// 2001): A = exp(−‖a−b‖²/2σ²) without its diagonal, σ the median distance; the k
// largest eigenvectors of D^−½·A·D^−½, rows brought to unit length; K-means of the
// rows.
func Spectral(x []float64, d, k int, seed uint64) ([]int, error) {
	n, err := check(x, d)
	if err != nil {
		return nil, err
	}
	k = min(max(k, 1), n)
	affinity, ok := affinities(x, d)
	if !ok || k == 1 { // all points are the same, or there is one
		return make([]int, n), nil
	}
	return cut(affinity, k, seed)
}

// affinities are A; ok is false where most points are the same.
func affinities(x []float64, d int) (a *mat.SymDense, ok bool) {
	n := len(x) / d
	a = mat.NewSymDense(n, nil)
	var all []float64
	for i := range n {
		for j := range i {
			v := squared(row(x, d, i), row(x, d, j))
			a.SetSym(i, j, v)
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return a, false
	}
	slices.Sort(all)
	median := all[len(all)/2]
	if median == 0 {
		return a, false
	}
	for i := range n {
		for j := range i {
			a.SetSym(i, j, math.Exp(-a.At(i, j)/(2*median)))
		}
	}
	return a, true
}

// cut cuts a graph of likenesses, which is overwritten.
func cut(a *mat.SymDense, k int, seed uint64) ([]int, error) {
	n := a.SymmetricDim()
	scale := make([]float64, n)
	for i := range n {
		var degree float64
		for j := range n {
			degree += a.At(i, j)
		}
		if degree > 0 {
			scale[i] = 1 / math.Sqrt(degree)
		}
	}
	for i := range n {
		for j := range i + 1 {
			a.SetSym(i, j, a.At(i, j)*scale[i]*scale[j])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		return nil, errors.New("cluster: the eigen decomposition did not converge")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors) // eigenvalues rise
	rows := make([]float64, n*k)
	for i := range n {
		var norm float64
		for c := range k {
			v := vectors.At(i, n-1-c)
			rows[i*k+c] = v
			norm += v * v
		}
		if norm = math.Sqrt(norm); norm > 0 {
			for c := range k {
				rows[i*k+c] /= norm
			}
		}
	}
	return KMeans(rows, k, k, seed)
}
