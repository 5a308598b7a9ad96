package assign

import (
	"context"
	"math"
	"slices"

	"github.com/groupvit/groupvit/mask"
)

// Pixels is what [Planes] say of every pixel of the photo, before any threshold.
type Pixels struct {
	Width, Height int
	// Best is the most probable label, from 1, the first on ties.
	Best []uint16
	// Confidence is that label's probability. It is negative where a background word is
	// more probable, as far below zero as the label is likely.
	Confidence []float32
	// Second is the label that comes next, 0 where there is only one; nil unless
	// asked for.
	Second []uint16
}

// Map gives each pixel its best label, or background where the label's confidence is
// negative or below a threshold.
func (p *Pixels) Map(threshold float64) *mask.Map {
	m := &mask.Map{Width: p.Width, Height: p.Height, Labels: slices.Clone(p.Best)}
	bar := float32(threshold)
	for i, c := range p.Confidence {
		if c < bar || c < 0 {
			m.Labels[i] = 0
		}
	}
	return m
}

// Means are, by label from 0, the mean confidence of the pixels that have it.
func (p *Pixels) Means(m *mask.Map, labels int) []float64 {
	sum, count := make([]float64, labels), make([]int, labels)
	for i, l := range m.Labels {
		if l > 0 {
			sum[l-1] += float64(p.Confidence[i])
			count[l-1]++
		}
	}
	for l := range sum {
		sum[l] /= float64(max(count[l], 1))
	}
	return sum
}

// Pixels decides at width × height pixels. Between four places of the canvas
// nothing is interpolated but the labels that can win there.
func (p *Planes) Pixels(ctx context.Context, width, height int, second bool) (*Pixels, error) {
	out := &Pixels{Width: width, Height: height, Best: make([]uint16, width*height), Confidence: make([]float32, width*height)}
	if second {
		out.Second = make([]uint16, width*height)
	}
	d := &deciding{planes: p, all: p.all(), out: out, x: bilinearTaps(p.Width, width), y: bilinearTaps(p.Height, height)}
	return out, d.decide(ctx)
}

// hardest returns the group of every pixel of a window by a soft assignment
// [N, G]: the largest of the bilinearly upsampled maps, the first on ties.
func hardest(assign []float32, w *Window) []uint16 {
	n := w.GridH * w.GridW
	maps := transpose(assign, n, len(assign)/n)
	p := &Planes{Width: w.GridW, Height: w.GridH}
	for m := range slices.Chunk(maps, n) {
		p.Labels = append(p.Labels, m)
	}
	out := &Pixels{Width: w.Width, Height: w.Height, Best: make([]uint16, w.Width*w.Height)}
	d := &deciding{planes: p, all: p.Labels, out: out, x: bilinearTaps(p.Width, w.Width), y: bilinearTaps(p.Height, w.Height)}
	_ = d.decide(context.Background()) // fails only where it is interrupted
	for i, l := range out.Best {
		out.Best[i] = max(l, 1) - 1 // of numbers that are none, the first
	}
	return out.Best
}

// runs are the ranges [from, to) of positions between the same two places.
func runs(t []taps) [][2]int {
	var list [][2]int
	for i := 0; i < len(t); {
		j := i + 1
		for j < len(t) && t[j].a == t[i].a && t[j].b == t[i].b {
			j++
		}
		list = append(list, [2]int{i, j})
		i = j
	}
	return list
}

type deciding struct {
	planes *Planes
	all    [][]float32
	out    *Pixels // without Confidence only Best is wanted
	x, y   []taps
}

// decide fills out.
func (d *deciding) decide(ctx context.Context) error {
	columns, rows := runs(d.x), runs(d.y)
	return sideBySide(ctx, len(rows), func(i int) {
		w := newWorkspace(len(d.all))
		for _, c := range columns {
			d.block(w, rows[i], c)
		}
	}, func() {})
}

// workspace of one row of blocks.
type workspace struct {
	corners      [][4]float32 // by plane
	lower, upper []float32
	candidates   []int
}

func newWorkspace(planes int) *workspace {
	return &workspace{make([][4]float32, planes), make([]float32, planes), make([]float32, planes), make([]int, 0, planes)}
}

// block decides the pixels of rows and columns between the same four places.
func (d *deciding) block(w *workspace, rows, columns [2]int) {
	tx, ty, width := d.x[columns[0]], d.y[rows[0]], d.planes.Width
	at := [4]int{ty.a*width + tx.a, ty.a*width + tx.b, ty.b*width + tx.a, ty.b*width + tx.b}
	for k, plane := range d.all {
		c := &w.corners[k]
		lower, upper := float32(math.Inf(1)), float32(math.Inf(-1))
		for i, n := range at {
			c[i] = plane[n]
			lower, upper = min(lower, c[i]), max(upper, c[i])
		}
		w.lower[k], w.upper[k] = lower, upper
	}
	d.choose(w)
	if d.out.Confidence == nil && len(w.candidates) == 1 {
		d.fill(uint16(w.candidates[0]+1), rows, columns)
		return
	}
	for y := rows[0]; y < rows[1]; y++ {
		d.row(w, y, columns)
	}
}

// fill gives a block one label.
func (d *deciding) fill(label uint16, rows, columns [2]int) {
	for y := rows[0]; y < rows[1]; y++ {
		line := d.out.Best[y*d.out.Width:][columns[0]:columns[1]]
		for x := range line {
			line[x] = label
		}
	}
}

// choose lists the labels that may be the best of a pixel, or the second where that
// is asked for: those whose largest value reaches the best (second) smallest one. A
// hair is allowed for rounding.
func (d *deciding) choose(w *workspace) {
	labels := len(d.planes.Labels)
	first, second := float32(math.Inf(-1)), float32(math.Inf(-1))
	for _, v := range w.lower[:labels] {
		if v > first {
			first, second = v, first
		} else {
			second = max(second, v)
		}
	}
	bar := first
	if d.out.Second != nil {
		bar = second
	}
	bar -= 1e-6 * max(bar, -bar)
	w.candidates = w.candidates[:0]
	for k, v := range w.upper[:labels] {
		if v >= bar {
			w.candidates = append(w.candidates, k)
		}
	}
}

// row decides the pixels of one row of a block.
func (d *deciding) row(w *workspace, y int, columns [2]int) {
	labels, wy := len(d.planes.Labels), d.y[y].w
	base := y * d.out.Width
	value := func(k, x int) float32 {
		c := &w.corners[k]
		return mix(c[0], c[1], c[2], c[3], d.x[x].w, wy)
	}
	hidden := len(d.all) > labels
	for x := columns[0]; x < columns[1]; x++ {
		best, second := -1, -1
		var bestValue, secondValue float32
		for _, k := range w.candidates {
			v := value(k, x)
			switch {
			case best < 0 || v > bestValue:
				second, secondValue = best, bestValue
				best, bestValue = k, v
			case second < 0 || v > secondValue:
				second, secondValue = k, v
			}
		}
		d.out.Best[base+x] = uint16(best + 1)
		if d.out.Confidence == nil {
			continue
		}
		confidence := min(max(bestValue, 0), 1)
		if hidden && value(labels, x) > bestValue {
			confidence = -max(confidence, math.SmallestNonzeroFloat32)
		}
		d.out.Confidence[base+x] = confidence
		if d.out.Second != nil {
			d.out.Second[base+x] = uint16(second + 1)
		}
	}
}

// mix interpolates between four corners.
func mix(a, b, c, d, x, y float32) float32 {
	top, bottom := a+x*(b-a), c+x*(d-c)
	return top + y*(bottom-top)
}

// Scores returns the labels' probabilities at width × height, [labels, height,
// width].
func (p *Planes) Scores(ctx context.Context, width, height int) ([]float32, error) {
	out := make([]float32, len(p.Labels)*width*height)
	err := upsample(ctx, p.Labels, p.Height, p.Width, height, width, func(y, plane int, row []float32) {
		copy(out[(plane*height+y)*width:], row)
	})
	return out, err
}
