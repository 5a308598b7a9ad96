package assign

import "math"

// Smooth blurs planes with a Gaussian, sigma in places of the canvas; beyond the
// border stands the nearest place.
func (p *Planes) Smooth(sigma float64) {
	if !(sigma > 0) {
		return
	}
	planes := p.all()
	out := make([][]float32, len(planes))
	for k, plane := range planes {
		out[k] = gaussian(plane, p.Width, p.Height, sigma)
	}
	p.set(out)
}

func gaussian(x []float32, width, height int, sigma float64) []float32 {
	radius := int(math.Ceil(3 * sigma))
	kernel, sum := make([]float32, 2*radius+1), 0.0
	for i := range kernel {
		d := float64(i - radius)
		sum += math.Exp(-d * d / (2 * sigma * sigma))
	}
	for i := range kernel {
		d := float64(i - radius)
		kernel[i] = float32(math.Exp(-d*d/(2*sigma*sigma)) / sum)
	}
	rows, out := make([]float32, len(x)), make([]float32, len(x))
	line := make([]float32, width+2*radius)
	for y := range height {
		src := x[y*width : (y+1)*width]
		for i := range line {
			line[i] = src[min(max(i-radius, 0), width-1)]
		}
		to := rows[y*width : (y+1)*width]
		for k, w := range kernel {
			for i, v := range line[k : k+width] {
				to[i] += w * v
			}
		}
	}
	for y := range height {
		to := out[y*width : (y+1)*width]
		for k, w := range kernel {
			from := rows[min(max(y+k-radius, 0), height-1)*width:][:width]
			for i, v := range from {
				to[i] += w * v
			}
		}
	}
	return out
}
