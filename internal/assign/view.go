package assign

import (
	"math"
	"sync"
)

// Window is what the network says about one window of a photo.
type Window struct {
	Rect
	// GridH and GridW are the size of the token grid; N = GridH·GridW.
	GridH, GridW int
	// Assign [N, G] says how much of each token is each group's: the soft
	// assignments of all stages multiplied. nil without groups.
	Assign []float32
	// Stages holds, for each stage, which token belongs to which of its groups
	// [N, G_i]; the last is Assign.
	Stages [][]float32
	// Groups [G, P] and Patches [N, P] are unit vectors; nil where the network
	// has none.
	Groups, Patches []float32
	// Image [P] is the window's unit vector.
	Image []float32
}

// View is a photo as the network saw it.
type View struct {
	// Width and Height are the photo's own size, the size of every result.
	Width, Height int
	// SeenWidth and SeenHeight are the size it was resized to.
	SeenWidth, SeenHeight int
	Windows               []Window

	once   sync.Once
	groups [][]uint16 // by window, by pixel; see hardest
}

// hardest returns, for each window, the group that each of its pixels belongs to
// most; no words decide that, so it is found once.
func (v *View) hardest() [][]uint16 {
	v.once.Do(func() {
		for i := range v.Windows {
			v.groups = append(v.groups, hardest(v.Windows[i].Assign, &v.Windows[i]))
		}
	})
	return v.groups
}

// Chain multiplies the soft assignments of stages, each [G_i, L_i] with
// L_{i+1} = G_i: the result [N, G] says which token belongs to which of the
// last stage's groups. stages[i] has groups[i] rows.
func Chain(stages [][]float32, groups []int) []float32 {
	if len(stages) == 0 {
		return nil
	}
	n := len(stages[0]) / groups[0]
	p := transpose(stages[0], groups[0], n)
	for i := 1; i < len(stages); i++ {
		from, to := groups[i-1], groups[i]
		next := make([]float32, n*to)
		for t := range n {
			for g := range to {
				var sum float32
				for k := range from {
					sum += p[t*from+k] * stages[i][g*from+k]
				}
				next[t*to+g] = sum
			}
		}
		p = next
	}
	return p
}

// transpose turns [rows, cols] into [cols, rows].
func transpose(x []float32, rows, cols int) []float32 {
	out := make([]float32, len(x))
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = x[r*cols+c]
		}
	}
	return out
}

// Normalize makes every row of width values a unit vector, in place; a row of
// zeros stays.
func Normalize(x []float32, width int) {
	for ; len(x) >= width && width > 0; x = x[width:] {
		var sum float64
		for _, v := range x[:width] {
			sum += float64(v) * float64(v)
		}
		if sum == 0 {
			continue
		}
		f := float32(1 / math.Sqrt(sum))
		for i := range width {
			x[i] *= f
		}
	}
}

// products returns a·bᵀ for rows of width values: [len(a), len(b)] in rows.
func products(a, b []float32, width int) []float64 {
	na, nb := len(a)/width, len(b)/width
	out := make([]float64, na*nb)
	for i := range na {
		x := a[i*width : (i+1)*width]
		for j := range nb {
			y := b[j*width : (j+1)*width]
			var s float64
			for k := range x {
				s += float64(x[k]) * float64(y[k])
			}
			out[i*nb+j] = s
		}
	}
	return out
}

// softmax replaces x by its softmax; −∞ becomes 0.
func softmax(x []float64) {
	m := math.Inf(-1)
	for _, v := range x {
		m = max(m, v)
	}
	var sum float64
	for i, v := range x {
		x[i] = math.Exp(v - m)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}
