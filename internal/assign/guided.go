package assign

import "context"

// Guide is a photo's brightness, [Height·Width] of 0 to 255, at its own size.
type Guide struct {
	Width, Height int
	Gray          []uint8
}

// Guided makes planes follow the photo's edges at its full size (He, Sun and Tang,
// "Guided Image Filtering", ECCV 2010, in its fast form of 2015): around each place
// of the canvas the plane is fitted by a line in the photo's brightness, over a
// square of 2·Radius+1 places; the lines are averaged over the same squares, and
// applied to the photo's own pixels.
type Guided struct {
	// Radius is in places of the canvas.
	Radius int
	// Epsilon is the variance of brightness, of a scale from 0 to 1, below which
	// there is no edge.
	Epsilon float64
}

// Refine fits planes to a guide. small [Height·Width] is the guide's brightness, 0
// to 255, on the canvas.
func (o Guided) Refine(ctx context.Context, p *Planes, small []float32, guide *Guide) error {
	const scale = 1 / 255.
	n := len(small)
	square := make([]float32, n)
	light := make([]float32, n)
	for i, v := range small {
		light[i] = v * scale
		square[i] = light[i] * light[i]
	}
	b := newBox(p.Width, p.Height, o.Radius)
	mean, variance := b.mean(light), b.mean(square)
	for i, m := range mean {
		variance[i] = max(variance[i]-m*m, 0)
	}
	planes := p.all()
	slopes, offsets := make([][]float32, len(planes)), make([][]float32, len(planes))
	return sideBySide(ctx, len(planes), func(k int) {
		product := make([]float32, n)
		for i, v := range planes[k] {
			product[i] = v * light[i]
		}
		product = b.mean(product)
		own := b.mean(planes[k])
		slope := product
		for i, m := range own {
			slope[i] = (product[i] - m*mean[i]) / (variance[i] + float32(o.Epsilon))
			own[i] = m - slope[i]*mean[i]
		}
		slopes[k], offsets[k] = b.mean(slope), b.mean(own)
		for i := range slopes[k] {
			slopes[k][i] *= scale // of brightness to 255
		}
	}, func() {
		p.set(offsets)
		p.Slopes, p.Guide = slopes, guide
	})
}

// box takes means over squares, cut at the border.
type box struct {
	width, height, radius int
}

func newBox(width, height, radius int) box {
	return box{width, height, max(0, min(radius, max(width, height)))}
}

// mean returns, for each place, the mean over the square around it.
func (b box) mean(x []float32) []float32 {
	rows, out := make([]float32, len(x)), make([]float32, len(x))
	for y := range b.height {
		line(x[y*b.width:], rows[y*b.width:], b.width, 1, b.radius)
	}
	for col := range b.width {
		line(rows[col:], out[col:], b.height, b.width, b.radius)
	}
	return out
}

// line takes running means of n values that are step apart.
func line(x, out []float32, n, step, radius int) {
	var sum float64
	count := 0
	for i := range min(radius, n) {
		sum += float64(x[i*step])
		count++
	}
	for i := range n {
		if in := i + radius; in < n {
			sum += float64(x[in*step])
			count++
		}
		if gone := i - radius - 1; gone >= 0 {
			sum -= float64(x[gone*step])
			count--
		}
		out[i*step] = float32(sum / float64(count))
	}
}
