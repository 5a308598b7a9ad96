package conv

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Convolutions whose operands are rounded to bfloat16. They go the way of float32 (conv_vector.go) with other
// microkernels: a word holds two neighbouring terms of a sum. In the result and the gradient of the input these are two
// channels of a pixel, in the gradient of the kernel two pixels of a row.

// roundedChannels is how many channels both sides need to have: fewer do not fill words and columns, and to round them
// costs more than it saves.
const roundedChannels = 8

// rounds reports whether the convolution is computed in bfloat16.
func (c Conv) rounds() bool { return c.fitsRounding() && c.hasWork() }

func (c Conv) fitsRounding() bool {
	return c.Rounded && level.Current() >= tile.BFloat16.Level() && min(c.In, c.Out) >= roundedChannels && tile.PairsPay()
}

func (c Conv) roundedForward(p *work.Pool, y, x, w, bias []float32, act vector.Activation) {
	s := tile.ShapeOf(tile.BF16Tiles)
	columns := s.RoundUp(c.Out)
	packed := work.Scratch(s.PackedSize(c.KernelH*c.KernelW*s.Words(c.In), c.Out) + columns)
	defer packed.Release()
	kernel, buf := c.denseKernel(p, w, false)
	defer buf.Release()
	packTaps(packed.Data, kernel, c.allTaps(), c.In, c.Out)
	var padded []float32
	if bias != nil {
		padded = packed.Data[len(packed.Data)-columns:]
		clear(padded[copy(padded, bias[:c.Out]):])
	}
	c.forward(p, s, y, x, packed.Data, padded, nil, act)
}

func (c Conv) roundedGradInput(p *work.Pool, dx, w, dy []float32) {
	s := tile.ShapeOf(tile.BF16Tiles)
	parts, size := c.inputParts(s)
	packed := work.Scratch(size)
	defer packed.Release()
	kernel, buf := c.denseKernel(p, w, true)
	defer buf.Release()
	for _, q := range parts {
		var taps []int
		q.taps(c, func(i, j int) { taps = append(taps, c.tap(i, j)) })
		packTaps(packed.Data[q.at:], kernel, taps, c.Out, c.In)
	}
	c.gradInput(p, s, parts, packed.Data, dx, dy)
}

// tap is where the kernel's position (i, j) lies among all, in units of In·Out elements of a dense kernel.
func (c Conv) tap(i, j int) int {
	if c.Reversed {
		i, j = c.KernelH-1-i, c.KernelW-1-j
	}
	return i*c.KernelW + j
}

// allTaps are those of all positions in order.
func (c Conv) allTaps() []int {
	taps := make([]int, 0, c.KernelH*c.KernelW)
	for i := range c.KernelH {
		for j := range c.KernelW {
			taps = append(taps, c.tap(i, j))
		}
	}
	return taps
}

// denseKernel gives the kernel as [i, j, c, o], or as [i, j, o, c]; the buffer is to be released.
func (c Conv) denseKernel(p *work.Pool, w []float32, swapped bool) ([]float32, *work.Buffer) {
	size, strides := [4]int{c.KernelH, c.KernelW, c.In, c.Out}, c.KernelStrides
	if swapped {
		size[2], size[3] = size[3], size[2]
		strides[2], strides[3] = strides[3], strides[2]
	}
	buf := work.Scratch(size[0] * size[1] * size[2] * size[3])
	if gapless(size, strides) {
		shape, perm := orders(size, strides, NHWC)
		vector.Permute(p, buf.Data, w, shape, perm)
		return buf.Data, buf
	}
	at := 0
	for i := range size[0] {
		for j := range size[1] {
			for a := range size[2] {
				from := i*strides[0] + j*strides[1] + a*strides[2]
				for b := range size[3] {
					buf.Data[at] = w[from+b*strides[3]]
					at++
				}
			}
		}
	}
	return buf.Data, buf
}

// gapless reports whether the elements lie without gaps in some order of the axes.
func gapless(size, strides [4]int) bool {
	shape, perm := orders(size, strides, NHWC)
	at := 1
	for i := len(shape) - 1; i >= 0; i-- {
		for a, q := range perm {
			if q == i && shape[i] > 1 && strides[a] != at {
				return false
			}
		}
		at *= shape[i]
	}
	return true
}

// packTaps packs, of a dense kernel whose positions have terms rows of n columns, those of the taps, as packBF16
// would: words of two terms, panels of 32 columns. No word has terms of two positions.
func packTaps(dst, kernel []float32, taps []int, terms, n int) {
	pairs := (terms + 1) / 2
	for j := 0; j < n; j += tile.NarrowWide {
		panel := tile.Words(dst)[j*len(taps)*pairs:][:len(taps)*pairs*tile.NarrowWide]
		for t, tap := range taps {
			tile.RoundPanel(panel[t*pairs*tile.NarrowWide:][:pairs*tile.NarrowWide], tile.Matrix{Data: kernel[tap*terms*n:], Stride: n}, terms, n, j)
		}
	}
}

// fillRounded is fill for pixels in pairs of bfloat16 numbers.
func (g grid) fillRounded(src []float32, l Layout, height, width, top, left int) {
	from, to := max(0, -left), max(0, min(width, g.width-left)) // source columns
	whole := l == NHWC && g.channels%2 == 0
	var wide grid // a row in float32, of even pixels
	if !whole {
		buf := work.Scratch(max(0, to-from) * 2 * g.pixel)
		defer buf.Release()
		wide = grid{data: buf.Data, height: 1, width: to - from, channels: g.channels, pixel: 2 * g.pixel}
	}
	for y := range g.height {
		row, sy := g.row(y), top+y
		if sy < 0 || sy >= height || from >= to {
			clear(row)
			continue
		}
		start := (left + from) * g.pixel
		end := start + (to-from)*g.pixel
		clear(row[:start])
		clear(row[end:])
		pixels := wide.data
		if whole {
			pixels = src[(sy*width+from)*g.channels:][:(to-from)*g.channels]
		} else {
			wide.fill(src, l, height, width, sy, -from)
		}
		tile.RoundPairs(tile.Words(row[start:end]), pixels)
	}
}

// roundedGradKernel sums over pairs of neighbouring pixels of an output row: a word of the image holds a channel of two
// pixels StrideW apart, and there is one for each pixel that may be the first.
func (c Conv) roundedGradKernel(p *work.Pool, dw, x, dy []float32) {
	s := tile.ShapeOf(tile.BF16Tiles)
	h, v := c.Output()
	columns := s.RoundUp(c.Out)
	size := c.KernelH * c.KernelW * c.In * columns
	per := (c.Batch + gradRuns - 1) / gradRuns
	runs := (c.Batch + per - 1) / per
	sums := work.Scratch(runs * size)
	defer sums.Release()
	pairs := (v + 1) / 2
	in := grid{height: (h-1)*c.StrideH + c.KernelH, channels: c.In, pixel: c.In}
	in.width = (2*pairs-1)*c.StrideW + c.KernelW // a last odd pixel has a neighbour
	g := grid{height: h, width: 2 * pairs, channels: c.Out, pixel: columns}
	firsts := (in.width - c.StrideW) * c.In // words of a row
	band := max(1, min(h, roundedBand/(c.StrideH*firsts+pairs*columns)))
	c.pool(p).Run(runs, func(run int) {
		sum := sums.Data[run*size:][:size]
		buf := work.Scratch(in.height*firsts + h*pairs*columns + in.width*c.In + g.width*columns)
		defer buf.Release()
		rest := buf.Data
		take := func(n int) (part []float32) {
			part, rest = rest[:n], rest[n:]
			return part
		}
		image, slopes := take(in.height*firsts), take(h*pairs*columns)
		in, g := in, g // one row of each at a time
		in.data, g.data = take(in.width*c.In), take(g.width*columns)
		in.height, g.height = 1, 1
		for n := run * per; n < min(c.Batch, (run+1)*per); n++ {
			c.pairImage(image, in, x[n*c.Height*c.Width*c.In:][:c.Height*c.Width*c.In], firsts)
			c.pairSlopes(slopes, g, dy[n*h*v*c.Out:][:h*v*c.Out], h, v)
			for from := 0; from < h; from += band {
				t := tile.Walk{Shape: s, M: c.KernelW * c.In, Inner: pairs, Outer: min(band, h-from),
					RowA: 1, ColA: 2 * c.StrideW * c.In, OuterA: c.StrideH * firsts,
					B: slopes[from*pairs*columns:], RowB: columns, OuterB: pairs * columns, PanelB: s.Wide,
					RowC: columns, Columns: columns}
				if n > run*per || from > 0 {
					t.Flags = tile.Accumulate
				}
				for i := range c.KernelH {
					t.A = image[(from*c.StrideH+i)*firsts:]
					t.C = sum[i*c.KernelW*c.In*columns:]
					t.Run()
				}
			}
		}
	})
	c.collectKernel(dw, sums.Data, runs, columns)
}

// roundedBand is how many words of the image and its gradient are multiplied at a time: a longer sum is worth more
// than a place in the first-level cache.
const roundedBand = 12 << 10

// pairImage makes the rows of words of a padded image; row is working memory for one.
func (c Conv) pairImage(dst []float32, row grid, x []float32, firsts int) {
	for i := 0; i*firsts < len(dst); i++ {
		line := row.data
		if y := i - c.PadTop; c.Layout == NHWC && c.PadLeft == 0 && y >= 0 && y < c.Height && row.width <= c.Width {
			line = x[y*c.Width*c.In:][:row.width*c.In]
		} else {
			row.fill(x, c.Layout, c.Height, c.Width, i-c.PadTop, c.PadLeft)
		}
		tile.PairRows(tile.Words(dst[i*firsts:][:firsts]), line, line[c.StrideW*c.In:])
	}
}

// pairSlopes makes the words of the gradient dy [h, v, Out]; row is working memory for one row.
func (c Conv) pairSlopes(dst []float32, row grid, dy []float32, h, v int) {
	pairs := row.width / 2
	direct := c.Layout == NHWC && row.pixel == c.Out && v%2 == 0
	for y := range h {
		line := row.data
		if direct {
			line = dy[y*v*c.Out:][:v*c.Out]
		} else {
			row.fill(dy, c.Layout, h, v, y, 0)
		}
		for q := range pairs {
			tile.PairRows(tile.Words(dst[(y*pairs+q)*row.pixel:][:row.pixel]), line[2*q*row.pixel:], line[(2*q+1)*row.pixel:])
		}
	}
}
