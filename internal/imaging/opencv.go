package imaging

import "math"

// OpenCV's fixed-point format of bilinear weights: 11 fraction bits.
const cvBits = 11

// cvTaps are the left (or upper) source index of every output element and the
// weights of it and of its right (or lower) neighbour; they sum to 2^cvBits.
type cvTaps struct {
	index  []int
	weight [][2]int32
}

// makeCVTaps has half-pixel centres and no antialiasing; coordinates outside
// take the border's pixel.
func makeCVTaps(in, out int) cvTaps {
	t := cvTaps{make([]int, out), make([][2]int32, out)}
	scale := 1 / (float64(out) / float64(in))
	for i := range out {
		s := float32((float64(i)+0.5)*scale - 0.5) // single precision, as there
		index := int(math.Floor(float64(s)))
		fraction := s - float32(index)
		if index < 0 {
			index, fraction = 0, 0
		}
		if index >= in-1 {
			index, fraction = in-1, 0
		}
		t.index[i] = index
		t.weight[i] = [2]int32{
			int32(math.RoundToEven(float64((1 - fraction) * (1 << cvBits)))),
			int32(math.RoundToEven(float64(fraction * (1 << cvBits)))),
		}
	}
	return t
}

// ResizeOpenCV resizes to width×height as OpenCV's resize does with
// INTER_LINEAR on 8-bit images: half-pixel centres, no antialiasing, weights of
// 11 bits. Its vector code rounds differently from its plain code, so results
// agree within one level. Errors wrap ErrSize or ErrTooLarge.
func ResizeOpenCV(im *Image, width, height int) (*Image, error) {
	if err := checkTarget(im, width, height); err != nil {
		return nil, err
	}
	if width == im.Width && height == im.Height {
		return im.Clone(), nil
	}
	across, down := makeCVTaps(im.Width, width), makeCVTaps(im.Height, height)
	out := New(width, height)
	// Two source rows, resized across; most output rows share one or both with
	// the row before.
	var rows [2][]int32
	held := [2]int{-1, -1}
	for i := range rows {
		rows[i] = make([]int32, 3*width)
	}
	for y, upper := range down.index {
		lower := min(upper+1, im.Height-1)
		if held[1] == upper {
			rows[0], rows[1] = rows[1], rows[0]
			held[0], held[1] = held[1], held[0]
		}
		for i, want := range [2]int{upper, lower} {
			if held[i] != want {
				cvAcross(rows[i], im.Row(want), across, im.Width)
				held[i] = want
			}
		}
		w0, w1 := down.weight[y][0], down.weight[y][1]
		to := out.Row(y)
		a, b := rows[0][:len(to)], rows[1][:len(to)]
		for i := range to {
			to[i] = uint8((w0*(a[i]>>4)>>16 + w1*(b[i]>>4)>>16 + 2) >> 2)
		}
	}
	return out, nil
}

func cvAcross(to []int32, from []uint8, t cvTaps, width int) {
	for x, left := range t.index {
		right := min(left+1, width-1)
		w0, w1 := t.weight[x][0], t.weight[x][1]
		p, q := from[3*left:3*left+3:3*left+3], from[3*right:3*right+3:3*right+3]
		o := to[3*x : 3*x+3 : 3*x+3]
		o[0] = int32(p[0])*w0 + int32(q[0])*w1
		o[1] = int32(p[1])*w0 + int32(q[1])*w1
		o[2] = int32(p[2])*w0 + int32(q[2])*w1
	}
}
