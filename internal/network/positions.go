package network

// ResizePositions resizes a learned position embedding [1, from², width] to [1,
// to², width], bicubically as the image tower does for pictures of another size.
func ResizePositions(values []float32, from, to, width int) []float32 {
	taps := bicubicTaps(from, to)
	rows := make([]float64, to*from*width) // [to, from, width]
	for y, weights := range taps {
		for i, weight := range weights {
			for j := range from * width {
				rows[y*from*width+j] += weight * float64(values[i*from*width+j])
			}
		}
	}
	out := make([]float32, to*to*width)
	sum := make([]float64, width)
	for y := range to {
		for x, weights := range taps {
			clear(sum)
			for i, weight := range weights {
				for d := range sum {
					sum[d] += weight * rows[(y*from+i)*width+d]
				}
			}
			for d, v := range sum {
				out[(y*to+x)*width+d] = float32(v)
			}
		}
	}
	return out
}
