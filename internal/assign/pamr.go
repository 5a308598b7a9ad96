package assign

import (
	"context"
	"math"
)

// PAMR refines planes by the photo (Araslanov and Roth, "Single-Stage Semantic
// Segmentation from Image Labels", CVPR 2020): a place becomes the mean of its
// neighbours, weighted by how alike their colours are, several times over. The
// weights are a softmax over neighbours of
//
//	mean over RGB of −|x − x_n| / (10⁻⁸ + 0.1·σ)
//
// with σ a channel's deviation among the place's neighbours. Places beyond the
// border are those nearest to it.
type PAMR struct {
	// Iterations is how often means are taken.
	Iterations int
	// Dilations are the distances of the eight neighbours.
	Dilations []int
}

// pamrFloor: planes that are nowhere above it are left as they are. They could win
// no pixel from any threshold that is in use.
const pamrFloor = 0.01

// Refine changes planes by a picture [3, Height·Width] of the canvas's size, one
// channel after the other, of any scale.
func (o PAMR) Refine(ctx context.Context, p *Planes, picture []float32) error {
	offsets := o.offsets()
	weights := pamrWeights(picture, p.Width, p.Height, offsets)
	planes := p.all()
	out := make([][]float32, len(planes))
	return sideBySide(ctx, len(planes), func(k int) {
		out[k] = planes[k]
		if largest(planes[k]) > pamrFloor {
			out[k] = o.plane(ctx, planes[k], weights, p.Width, p.Height, offsets)
		}
	}, func() { p.set(out) })
}

func largest(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func (o PAMR) offsets() [][2]int {
	var list [][2]int
	for _, d := range o.Dilations {
		for _, n := range [][2]int{{-1, -1}, {0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}, {1, 1}} {
			list = append(list, [2]int{d * n[0], d * n[1]})
		}
	}
	return list
}

// neighbours calls each with every row of a plane and the row of its neighbours at
// an offset (x, y), which is valid during the call only.
func neighbours(plane []float32, width, height int, offset [2]int, each func(y int, row []float32)) {
	buffer := make([]float32, width)
	dx := offset[0]
	for y := range height {
		from := plane[min(max(y+offset[1], 0), height-1)*width:][:width]
		switch {
		case dx >= 0:
			n := copy(buffer, from[min(dx, width):])
			for i := n; i < width; i++ {
				buffer[i] = from[width-1]
			}
		default:
			n := min(-dx, width)
			for i := range n {
				buffer[i] = from[0]
			}
			copy(buffer[n:], from)
		}
		each(y, buffer)
	}
}

// pamrWeights returns [offsets][Height·Width].
func pamrWeights(picture []float32, width, height int, offsets [][2]int) [][]float32 {
	n := width * height
	weights := newPlanes(len(offsets), n)
	sum, square := make([]float32, n), make([]float32, n)
	for c := range 3 {
		channel := picture[c*n : (c+1)*n]
		clear(sum)
		clear(square)
		for _, o := range offsets { // of differences, which lose no digits
			neighbours(channel, width, height, o, func(y int, row []float32) {
				own, s, q := channel[y*width:][:width], sum[y*width:][:width], square[y*width:][:width]
				for x, v := range row {
					d := v - own[x]
					s[x] += d
					q[x] += d * d
				}
			})
		}
		// The deviation with one degree of freedom less, as PyTorch's std.
		k := float32(len(offsets))
		scale := make([]float32, n)
		for i := range scale {
			variance := max(square[i]-sum[i]*sum[i]/k, 0) / (k - 1)
			scale[i] = 1 / (3 * (1e-8 + 0.1*float32(math.Sqrt(float64(variance)))))
		}
		for j, o := range offsets {
			neighbours(channel, width, height, o, func(y int, row []float32) {
				own, f, to := channel[y*width:][:width], scale[y*width:][:width], weights[j][y*width:][:width]
				for x, v := range row {
					d := v - own[x]
					if d < 0 {
						d = -d
					}
					to[x] -= d * f[x]
				}
			})
		}
	}
	total := make([]float32, n)
	for i := range total { // the softmax's largest term
		m := weights[0][i]
		for _, w := range weights {
			m = max(m, w[i])
		}
		total[i] = m
	}
	sums := make([]float32, n)
	for _, w := range weights {
		for i := range w {
			w[i] = float32(exp(float64(w[i] - total[i])))
			sums[i] += w[i]
		}
	}
	for _, w := range weights {
		for i := range w {
			w[i] /= sums[i]
		}
	}
	return weights
}

func (o PAMR) plane(ctx context.Context, plane []float32, weights [][]float32, width, height int, offsets [][2]int) []float32 {
	from, to := plane, make([]float32, len(plane))
	var spare []float32
	for range o.Iterations {
		if ctx.Err() != nil {
			break
		}
		clear(to)
		for j, offset := range offsets {
			neighbours(from, width, height, offset, func(y int, row []float32) {
				w, out := weights[j][y*width:][:width], to[y*width:][:width]
				for x, v := range row {
					out[x] += w[x] * v
				}
			})
		}
		if spare == nil {
			spare = make([]float32, len(plane))
		}
		from, to, spare = to, spare, to
	}
	return from
}
