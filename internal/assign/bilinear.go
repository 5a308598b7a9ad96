package assign

// taps are, for one position of the result, the two source positions and the
// weight of the second.
type taps struct {
	a, b int
	w    float32
}

// bilinearTaps is PyTorch's interpolate(mode="bilinear", align_corners=False)
// along one axis: the source coordinate is max((i+0.5)·in/out − 0.5, 0).
func bilinearTaps(in, out int) []taps {
	t := make([]taps, out)
	scale := float64(in) / float64(out)
	for i := range t {
		c := max((float64(i)+0.5)*scale-0.5, 0)
		a := min(int(c), in-1)
		t[i] = taps{a, min(a+1, in-1), float32(c - float64(a))}
	}
	return t
}

// resizer resizes planes of one size to another; it keeps the taps.
type resizer struct {
	inW  int
	x, y []taps
	row  [2][]float32
	held [2]int
}

func newResizer(inH, inW, outH, outW int) *resizer {
	return &resizer{inW: inW, x: bilinearTaps(inW, outW), y: bilinearTaps(inH, outH),
		row: [2][]float32{make([]float32, outW), make([]float32, outW)}}
}

// plane calls each for every row of the resized plane, top to bottom; the row
// is valid during the call only.
func (r *resizer) plane(src []float32, each func(y int, row []float32)) {
	out := make([]float32, len(r.x))
	r.held = [2]int{-1, -1}
	for y, t := range r.y {
		top, bottom := r.stretched(src, t.a, 0), r.stretched(src, t.b, 1)
		for i := range out {
			out[i] = top[i] + t.w*(bottom[i]-top[i])
		}
		each(y, out)
	}
}

// stretched returns source row y resized along x, from one of two buffers.
func (r *resizer) stretched(src []float32, y, slot int) []float32 {
	if r.held[slot] == y {
		return r.row[slot]
	}
	if slot == 0 && r.held[1] == y {
		r.row[0], r.row[1] = r.row[1], r.row[0]
		r.held[0], r.held[1] = r.held[1], r.held[0]
		return r.row[0]
	}
	line, buffer := src[y*r.inW:(y+1)*r.inW], r.row[slot]
	for i, t := range r.x {
		buffer[i] = line[t.a] + t.w*(line[t.b]-line[t.a])
	}
	r.held[slot] = y
	return buffer
}
