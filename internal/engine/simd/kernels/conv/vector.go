package conv

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// The vector path of convolutions has no im2col: the microkernel walks over the padded image
// itself. With images stored [y, x, c], the terms (j, c) of one kernel row are neighbours in
// memory, the next output pixel starts StrideW·In later, and the next kernel row is an outer step.

// grid is an image of one item in working memory, [height, width, channels] with rows of pixels
// stride floats apart.
type grid struct {
	data            []float32
	height, width   int
	channels, pixel int  // used numbers of a pixel, floats from pixel to pixel
	rounded         bool // a float holds two numbers in bfloat16
}

func (g grid) row(y int) []float32 { return g.data[y*g.width*g.pixel:][:g.width*g.pixel] }

// fill copies rows top … top+g.height of the image at src into g, shifted right by left; what lies
// outside the image is 0.
func (g grid) fill(src []float32, l Layout, height, width, top, left int) {
	if g.rounded {
		g.fillRounded(src, l, height, width, top, left)
		return
	}
	c := g.channels
	from, to := max(0, -left), max(0, min(width, g.width-left)) // source columns
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
		row = row[start:end]
		switch {
		case l == NCHW:
			if g.pixel > c {
				clear(row)
			}
			vector.TransposeRows(row, src[sy*width+from:], c, to-from, g.pixel, height*width)
		case g.pixel == c:
			copy(row, src[(sy*width+from)*c:])
		default:
			for x := from; x < to; x++ {
				p := row[(x-from)*g.pixel:][:g.pixel]
				copy(p[:c], src[(sy*width+x)*c:])
				clear(p[c:])
			}
		}
	}
}

// spill copies rows of g to rows top … of the image at dst.
func (g grid) spill(dst []float32, l Layout, height, width, top int) {
	for y := range g.height {
		row := g.row(y)
		if l == NCHW {
			vector.TransposeRows(dst[(top+y)*width:], row, width, g.channels, height*width, g.pixel)
			continue
		}
		for x := range width {
			copy(dst[((top+y)*width+x)*g.channels:][:g.channels], row[x*g.pixel:])
		}
	}
}

func (c Conv) flops() float64 {
	h, v := c.Output()
	return 2 * float64(c.Batch*h*v) * float64(c.KernelH*c.KernelW*c.In*c.Out)
}

// pool gives p, or nil where the work is too little to share.
func (c Conv) pool(p *work.Pool) *work.Pool {
	if c.flops() < tile.ParallelFLOP {
		return nil
	}
	return p
}

func (c Conv) vectorForward(p *work.Pool, l level.Level, y, x, w, bias []float32, act vector.Activation) {
	s := tile.ShapeOf(l)
	columns := s.RoundUp(c.Out)
	packed := work.Scratch(s.PackedSize(c.KernelH*c.KernelW*c.In, c.Out) + columns)
	defer packed.Release()
	s.Pack(packed.Data, w, c.terms(), c.Out, c.KernelStrides[3])
	var padded []float32
	if bias != nil {
		padded = packed.Data[len(packed.Data)-columns:]
		clear(padded[copy(padded, bias[:c.Out]):])
	}
	c.forward(p, s, y, x, packed.Data, padded, nil, act)
}

// terms are the positions in w of the terms of a sum, for the first output channel.
func (c Conv) terms() []int {
	order := make([]int, 0, c.KernelH*c.KernelW*c.In)
	for i := range c.KernelH {
		for j := range c.KernelW {
			for q := range c.In {
				order = append(order, c.position(i, j)+q*c.KernelStrides[2])
			}
		}
	}
	return order
}

// forward computes y = act(x * w + bias + residual) with the kernel packed and the bias padded for the shape; bias and
// residual may be nil, and the residual y itself.
func (c Conv) forward(p *work.Pool, s tile.Shape, y, x, packed, bias, residual []float32, act vector.Activation) {
	h, v := c.Output()
	words := s.Words(c.In)
	if c.Batch*h*v == 0 {
		return
	}
	p = c.pool(p)
	columns := s.RoundUp(c.Out)
	// Bands of output rows whose input stays in the second-level cache.
	band := max(1, min(h, 1<<15/(max(1, c.StrideH*(c.Width+c.PadLeft+c.PadRight)*words))))
	if t := p.Threads(); t > 1 && c.Batch*((h+band-1)/band) < 2*t {
		band = max(1, min(band, c.Batch*h/(2*t)))
	}
	bands := (h + band - 1) / band
	direct := c.Layout == NHWC && columns == c.Out
	inPlace := c.Layout == NHWC && c.PadTop|c.PadBottom|c.PadLeft|c.PadRight == 0 && !s.Rounds()
	work := func(i int) {
		n, from := i/bands, i%bands*band
		rows := min(band, h-from)
		image := x[n*c.Height*c.Width*c.In:][:c.Height*c.Width*c.In]
		in := grid{height: (rows-1)*c.StrideH + c.KernelH, width: c.PadLeft + c.Width + c.PadRight, channels: c.In, pixel: words, rounded: s.Rounds()}
		out := grid{height: rows, width: v, channels: c.Out, pixel: columns}
		if inPlace {
			in.data = image[from*c.StrideH*c.Width*c.In:]
		} else {
			buf := work.Scratch(in.height * in.width * in.pixel)
			defer buf.Release()
			in.data = buf.Data
			in.fill(image, c.Layout, c.Height, c.Width, from*c.StrideH-c.PadTop, c.PadLeft)
		}
		to := y[n*h*v*c.Out:][:h*v*c.Out]
		if direct {
			out.data = to[from*v*c.Out:]
		} else {
			buf := work.Scratch(rows * v * columns)
			defer buf.Release()
			out.data = buf.Data
		}
		if residual != nil {
			if rest := residual[n*h*v*c.Out:][:h*v*c.Out]; !direct || &rest[0] != &to[0] {
				out.fill(rest, c.Layout, h, v, from, 0)
			}
		}
		c.walkRows(s, in, out, packed, bias, residual != nil, act)
		if !direct {
			out.spill(to, c.Layout, h, v, from)
		}
	}
	p.Run(c.Batch*bands, work)
}

// walkRows computes the rows of out from those of in; add says that out holds something to add to.
func (c Conv) walkRows(s tile.Shape, in, out grid, packed, bias []float32, add bool, act vector.Activation) {
	for r := range out.height {
		t := tile.Walk{Shape: s, A: in.data[r*c.StrideH*in.width*in.pixel:], B: packed, C: out.row(r), Bias: bias,
			M: out.width, Inner: c.KernelW * in.pixel, Outer: c.KernelH,
			RowA: c.StrideW * in.pixel, ColA: 1, OuterA: in.width * in.pixel,
			RowB: s.Wide, OuterB: c.KernelW * in.pixel * s.Wide, PanelB: c.KernelH * c.KernelW * in.pixel * s.Wide,
			RowC: out.pixel, Columns: out.pixel}
		if add {
			t.Flags = tile.Accumulate
		}
		if act == vector.ReLU {
			t.Flags |= tile.ReLU
		}
		t.Run()
		switch act {
		case vector.GELU:
			vector.UnaryRow(vector.Gelu, out.row(r), out.row(r))
		case vector.QuickGELU:
			vector.UnaryRow(vector.Quick, out.row(r), out.row(r))
		}
	}
}

// phase is one residue of padded input positions modulo the stride, along one axis: input positions
// first, first+stride, … (count of them) read the gradient from position at on, taps of them each.
type phase struct{ residue, taps, first, count, at int }

// phases splits an axis: position Y = y + pad of the padded input receives from output o by tap i
// where Y = o·stride + i, so only taps ≡ Y modulo stride matter.
func phases(length, pad, kernel, stride int) (out []phase, lowest, highest int) {
	for r := range stride {
		taps := 0
		if kernel > r {
			taps = (kernel - r + stride - 1) / stride
		}
		first := (pad - r + stride - 1) / stride // smallest u with u·stride + r ≥ pad
		if r > pad {
			first = 0
		}
		end := (pad + length - 1 - r) / stride
		if pad+length-1 < r {
			end = -1
		}
		if end < first {
			continue
		}
		f := phase{residue: r, taps: taps, first: first*stride + r - pad, count: end - first + 1, at: first - taps + 1}
		out = append(out, f)
		if taps > 0 {
			lowest, highest = min(lowest, f.at), max(highest, end)
		}
	}
	return out, lowest, highest
}

func (c Conv) vectorGradInput(p *work.Pool, l level.Level, dx, w, dy []float32) {
	s := tile.ShapeOf(l)
	parts, size := c.inputParts(s)
	packed := work.Scratch(size)
	defer packed.Release()
	order := make([]int, 0, c.KernelH*c.KernelW*c.Out)
	for _, q := range parts {
		order = order[:0]
		q.taps(c, func(i, j int) {
			for o := range c.Out {
				order = append(order, c.position(i, j)+o*c.KernelStrides[3])
			}
		})
		s.Pack(packed.Data[q.at:], w, order, c.In, c.KernelStrides[2])
	}
	c.gradInput(p, s, parts, packed.Data, dx, dy)
}

// inputPart is the part of the gradient of the input that one residue of positions along each axis receives.
type inputPart struct {
	y, x phase
	at   int // where its kernel lies among the packed ones
}

// taps calls f for the kernel's positions that the part reads, in the order in which its gradients lie.
func (q inputPart) taps(c Conv, f func(i, j int)) {
	for i := q.y.taps - 1; i >= 0; i-- {
		for j := q.x.taps - 1; j >= 0; j-- {
			f(q.y.residue+i*c.StrideH, q.x.residue+j*c.StrideW)
		}
	}
}

// inputParts gives the parts, each with a packing of the kernel of its own, and the size of all packings.
func (c Conv) inputParts(s tile.Shape) (parts []inputPart, size int) {
	ys, _, _ := phases(c.Height, c.PadTop, c.KernelH, c.StrideH)
	xs, _, _ := phases(c.Width, c.PadLeft, c.KernelW, c.StrideW)
	for _, a := range ys {
		for _, b := range xs {
			parts = append(parts, inputPart{a, b, size})
			size += s.PackedSize(a.taps*b.taps*s.Words(c.Out), c.In)
		}
	}
	return parts, size
}

// gradInput computes dx with the kernel packed for each part.
func (c Conv) gradInput(p *work.Pool, s tile.Shape, parts []inputPart, packed, dx, dy []float32) {
	h, v := c.Output()
	words, columns := s.Words(c.Out), s.RoundUp(c.In)
	_, top, bottom := phases(c.Height, c.PadTop, c.KernelH, c.StrideH)
	_, left, right := phases(c.Width, c.PadLeft, c.KernelW, c.StrideW)
	direct := c.Layout == NHWC && columns == c.In
	c.pool(p).Run(c.Batch, func(n int) {
		in := grid{height: bottom - top + 1, width: right - left + 1, channels: c.Out, pixel: words, rounded: s.Rounds()}
		buf := work.Scratch(in.height * in.width * in.pixel)
		defer buf.Release()
		in.data = buf.Data
		in.fill(dy[n*h*v*c.Out:][:h*v*c.Out], c.Layout, h, v, top, -left)
		to := dx[n*c.Height*c.Width*c.In:][:c.Height*c.Width*c.In]
		out := grid{data: to, height: c.Height, width: c.Width, channels: c.In, pixel: columns}
		if !direct {
			buf := work.Scratch(c.Height * c.Width * columns)
			defer buf.Release()
			out.data = buf.Data
		}
		for _, q := range parts {
			if q.y.taps*q.x.taps == 0 {
				out.clearPhase(q.y, q.x, c.StrideH, c.StrideW)
				continue
			}
			k := q.y.taps * q.x.taps * words
			for u := range q.y.count {
				t := tile.Walk{Shape: s, A: in.data[((q.y.at+u-top)*in.width+q.x.at-left)*in.pixel:], B: packed[q.at:],
					C: out.row(q.y.first + u*c.StrideH)[q.x.first*columns:],
					M: q.x.count, Inner: q.x.taps * words, Outer: q.y.taps,
					RowA: words, ColA: 1, OuterA: in.width * in.pixel,
					RowB: s.Wide, OuterB: q.x.taps * words * s.Wide, PanelB: k * s.Wide,
					RowC: c.StrideW * columns, Columns: columns}
				t.Run()
			}
		}
		if !direct {
			out.spill(to, c.Layout, c.Height, c.Width, 0)
		}
	})
}

// clearPhase sets the pixels that no output reads.
func (g grid) clearPhase(y, x phase, strideH, strideW int) {
	for u := range y.count {
		row := g.row(y.first + u*strideH)
		for q := range x.count {
			clear(row[(x.first+q*strideW)*g.pixel:][:g.pixel])
		}
	}
}

// gradRuns is how many partial sums over the images GradKernel keeps at most.
const gradRuns = 8

func (c Conv) vectorGradKernel(p *work.Pool, l level.Level, dw, x, dy []float32) {
	s := tile.ShapeOf(l)
	h, v := c.Output()
	columns := s.RoundUp(c.Out)
	k := c.KernelH * c.KernelW * c.In
	size := k * columns
	per := (c.Batch + gradRuns - 1) / gradRuns
	runs := (c.Batch + per - 1) / per
	sums := work.Scratch(runs * size)
	defer sums.Release()
	width := c.PadLeft + c.Width + c.PadRight
	// Bands of output rows whose input and gradient stay in the first-level cache.
	band := max(1, min(h, 6144/(c.StrideH*width*c.In+v*columns)))
	direct := c.Layout == NHWC && columns == c.Out
	c.pool(p).Run(runs, func(run int) {
		sum := sums.Data[run*size:][:size]
		in := grid{height: (h-1)*c.StrideH + c.KernelH, width: width, channels: c.In, pixel: c.In}
		buf := work.Scratch(in.height*in.width*in.pixel + h*v*columns)
		defer buf.Release()
		in.data = buf.Data[:in.height*in.width*in.pixel]
		g := grid{data: buf.Data[len(in.data):], height: h, width: v, channels: c.Out, pixel: columns}
		for n := run * per; n < min(c.Batch, (run+1)*per); n++ {
			in.fill(x[n*c.Height*c.Width*c.In:][:c.Height*c.Width*c.In], c.Layout, c.Height, c.Width, -c.PadTop, c.PadLeft)
			slopes := dy[n*h*v*c.Out:][:h*v*c.Out]
			if direct {
				g.data = slopes
			} else {
				g.fill(slopes, c.Layout, h, v, 0, 0)
			}
			for from := 0; from < h; from += band {
				t := tile.Walk{Shape: s, M: c.KernelW * c.In, Inner: v, Outer: min(band, h-from),
					RowA: 1, ColA: c.StrideW * c.In, OuterA: c.StrideH * in.width * c.In,
					B: g.data[from*v*columns:], RowB: columns, OuterB: v * columns, PanelB: s.Wide,
					RowC: columns, Columns: columns}
				if n > run*per || from > 0 {
					t.Flags = tile.Accumulate
				}
				for i := range c.KernelH {
					t.A = in.data[(from*c.StrideH+i)*in.width*c.In:]
					t.C = sum[i*c.KernelW*c.In*columns:]
					t.Run()
				}
			}
		}
	})
	c.collectKernel(dw, sums.Data, runs, columns)
}

// collectKernel adds the sums [KernelH, KernelW, In, columns] of all runs, and brings them to where the kernel's elements lie.
func (c Conv) collectKernel(dw, sums []float32, runs, columns int) {
	size := c.KernelH * c.KernelW * c.In * columns
	total := sums[:size]
	for r := 1; r < runs; r++ {
		vector.BinaryRow(vector.Add, total, total, sums[r*size:][:size], 0, 0)
	}
	for i := range c.KernelH {
		for j := range c.KernelW {
			for q := range c.In {
				to := dw[c.position(i, j)+q*c.KernelStrides[2]:]
				row := total[((i*c.KernelW+j)*c.In+q)*columns:][:c.Out]
				if c.KernelStrides[3] == 1 {
					copy(to[:c.Out], row)
					continue
				}
				for o, value := range row {
					to[o*c.KernelStrides[3]] = value
				}
			}
		}
	}
}
