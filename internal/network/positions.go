package network

// ResizePositions resizes a learned position embedding [1, from², width] to [1,
// to², width], bicubically as the image tower does for pictures of another size.
func ResizePositions(values []float32, from, to, width int) []float32 {
	return ResizePositionsTo(values, from, to, to, width)
}

// ResizePositionsTo is [ResizePositions] for a grid of h rows and w columns: [1,
// h·w, width].
func ResizePositionsTo(values []float32, from, h, w, width int) []float32 {
	rows := make([]float64, h*from*width) // [h, from, width]
	for y, weights := range bicubicTaps(from, h) {
		for i, weight := range weights {
			for j := range from * width {
				rows[y*from*width+j] += weight * float64(values[i*from*width+j])
			}
		}
	}
	columns := bicubicTaps(from, w)
	out := make([]float32, h*w*width)
	sum := make([]float64, width)
	for y := range h {
		for x, weights := range columns {
			clear(sum)
			for i, weight := range weights {
				for d := range sum {
					sum[d] += weight * rows[(y*from+i)*width+d]
				}
			}
			for d, v := range sum {
				out[(y*w+x)*width+d] = float32(v)
			}
		}
	}
	return out
}
