package assign

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

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

// resizer resizes one plane row by row; it keeps the taps, and the last two
// source rows it has stretched.
type resizer struct {
	inW  int
	x, y []taps
	row  [2][]float32
	held [2]int
}

func newResizer(inH, inW, outH, outW int) *resizer {
	r := &resizer{inW: inW, x: bilinearTaps(inW, outW), y: bilinearTaps(inH, outH)}
	r.reset()
	return r
}

// like returns a resizer for another plane of the same sizes.
func (r *resizer) like() *resizer {
	other := &resizer{inW: r.inW, x: r.x, y: r.y}
	other.reset()
	return other
}

// reset forgets the rows of the plane before.
func (r *resizer) reset() {
	r.held = [2]int{-1, -1}
	for i := range r.row {
		if r.row[i] == nil {
			r.row[i] = make([]float32, len(r.x))
		}
	}
}

// rowOf writes row y of the resized plane to out.
func (r *resizer) rowOf(src []float32, y int, out []float32) {
	t := r.y[y]
	top, bottom := r.stretched(src, t.a, 0), r.stretched(src, t.b, 1)
	top, bottom = top[:len(out)], bottom[:len(out)]
	for i := range out {
		out[i] = top[i] + t.w*(bottom[i]-top[i])
	}
}

// plane calls each for every row of the resized plane, top to bottom; the row
// is valid during the call only.
func (r *resizer) plane(src []float32, each func(y int, row []float32)) {
	r.reset()
	out := make([]float32, len(r.x))
	for y := range r.y {
		r.rowOf(src, y, out)
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

// bandRows is the height of the bands that planes are resized in side by side:
// enough rows that stretching source rows again at a band's top costs little.
const bandRows = 64

// upsample resizes planes of inH × inW to outH × outW and calls visit for every
// row of the result and every plane, in their order. Bands of rows run side by
// side: visit must touch nothing but what belongs to its row.
func upsample(ctx context.Context, planes [][]float32, inH, inW, outH, outW int, visit func(y, plane int, row []float32)) error {
	pattern := newResizer(inH, inW, outH, outW)
	bands := (outH + bandRows - 1) / bandRows
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), bands) {
		group.Go(func() {
			resizers := make([]*resizer, len(planes))
			for i := range resizers {
				resizers[i] = pattern.like()
			}
			row := make([]float32, outW)
			for ctx.Err() == nil {
				band := int(next.Add(1)) - 1
				if band >= bands {
					return
				}
				for y := band * bandRows; y < min((band+1)*bandRows, outH); y++ {
					for i, plane := range planes {
						resizers[i].rowOf(plane, y, row)
						visit(y, i, row)
					}
				}
			}
		})
	}
	group.Wait()
	return ctx.Err()
}
