package conv

import (
	"slices"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// General is a two-dimensional convolution as graph frameworks write it, gradients included:
//
//	y[n, oy, ox, o] = Σ x'[n, oy·Stride + i·KernelDilation − Pad, …, c]·w[i, j, c, o]
//
// where x' is x with InputDilation−1 zeros between neighbours, 0 outside. Arrays of two are for the
// vertical and the horizontal axis. Strides say how far apart neighbours lie in a slice that is
// dense in some order of its axes; zero strides and dilations mean 1.
type General struct {
	Batch, Height, Width, In      int
	Out, KernelH, KernelW         int
	Strides, PadBefore, PadAfter  [2]int
	InputDilation, KernelDilation [2]int
	X                             [4]int // distances in x along n, y, x, c
	W                             [4]int // in w along i, j, c, o
	Y                             [4]int // in y along n, oy, ox, o
	Rounded                       bool   // as Conv.Rounded
}

// Output gives the height and width of y.
func (g General) Output() (height, width int) {
	g = g.filled()
	size := func(a, n, k int) int {
		room := (n-1)*g.InputDilation[a] + 1 + g.PadBefore[a] + g.PadAfter[a] - ((k-1)*g.KernelDilation[a] + 1)
		if room < 0 || n == 0 {
			return 0
		}
		return room/g.Strides[a] + 1
	}
	return size(0, g.Height, g.KernelH), size(1, g.Width, g.KernelW)
}

// FLOP counts two operations for each multiply-add; zeros of padding count, those of a dilated input do not.
func (g General) FLOP() float64 {
	g = g.filled()
	h, v := g.Output()
	if g.InputDilation != [2]int{1, 1} {
		h, v = g.Height, g.Width
	}
	return 2 * float64(g.Batch*h*v) * float64(g.KernelH*g.KernelW*g.In) * float64(g.Out)
}

func (g General) filled() General {
	for a := range 2 {
		g.Strides[a], g.InputDilation[a], g.KernelDilation[a] = max(1, g.Strides[a]), max(1, g.InputDilation[a]), max(1, g.KernelDilation[a])
	}
	return g
}

// Run computes y and says true, or does nothing and says false: a combination that is neither a
// plain convolution nor a gradient of one (strides beside dilation, input beside kernel dilation).
func (g General) Run(p *work.Pool, y, x, w []float32) bool {
	g = g.filled()
	h, v := g.Output()
	one := [2]int{1, 1}
	before := [2]int{g.KernelH - 1 - g.PadBefore[0], g.KernelW - 1 - g.PadBefore[1]}
	switch {
	case g.Batch*h*v*g.Out == 0:
	case g.In*g.KernelH*g.KernelW == 0:
		clear(y[:g.Batch*h*v*g.Out])
	case g.InputDilation == one && g.Strides == one && (g.KernelDilation != one || g.KernelH*g.KernelW > h*v):
		g.asKernelGradient(p, y, x, w, h, v)
	case g.InputDilation == one && g.KernelDilation == one:
		g.forward(p, y, x, w, vector.NoActivation)
	case g.Strides == one && g.KernelDilation == one && min(before[0], before[1]) >= 0:
		g.asInputGradient(p, y, x, w, h, v, before)
	default:
		return false
	}
	return true
}

func (g General) forward(p *work.Pool, y, x, w []float32, act vector.Activation) {
	c := g.plain()
	h, v := g.Output()
	sizeX, sizeY := [4]int{g.Batch, g.Height, g.Width, g.In}, [4]int{g.Batch, h, v, g.Out}
	c.Layout = layoutOf(sizeX, g.X, sizeY, g.Y)
	a, b := arrange(p, x, sizeX, g.X, c.Layout), vacant(y, sizeY, g.Y, c.Layout)
	c.Forward(p, b.data, a.data, w, nil, act)
	a.done()
	b.restore(p, y)
}

// Rounds reports whether the convolution, or gradient of one, is computed in bfloat16.
func (g General) Rounds() bool {
	g = g.filled()
	one := [2]int{1, 1}
	c := g.plain()
	if h, v := g.Output(); g.InputDilation == one && g.Strides == one && (g.KernelDilation != one || g.KernelH*g.KernelW > h*v) {
		c.In = g.Batch // channels and batch have changed places
	}
	return c.fitsRounding()
}

// plain is the convolution without dilations.
func (g General) plain() Conv {
	return Conv{Batch: g.Batch, Height: g.Height, Width: g.Width, In: g.In, Out: g.Out, KernelH: g.KernelH, KernelW: g.KernelW,
		StrideH: g.Strides[0], StrideW: g.Strides[1], PadTop: g.PadBefore[0], PadLeft: g.PadBefore[1],
		PadBottom: g.PadAfter[0], PadRight: g.PadAfter[1], KernelStrides: g.W, Rounded: g.Rounded}
}

// asInputGradient: a dilated input is what flows back through a convolution with that stride.
func (g General) asInputGradient(p *work.Pool, y, x, w []float32, h, v int, before [2]int) {
	c := Conv{Batch: g.Batch, Height: h, Width: v, In: g.Out, Out: g.In, KernelH: g.KernelH, KernelW: g.KernelW,
		StrideH: g.InputDilation[0], StrideW: g.InputDilation[1], PadTop: before[0], PadLeft: before[1],
		PadBottom: (g.Height-1)*g.InputDilation[0] + g.KernelH - h - before[0], PadRight: (g.Width-1)*g.InputDilation[1] + g.KernelW - v - before[1],
		KernelStrides: [4]int{g.W[0], g.W[1], g.W[3], g.W[2]}, Reversed: true, Rounded: g.Rounded}
	sizeX, sizeY := [4]int{g.Batch, g.Height, g.Width, g.In}, [4]int{g.Batch, h, v, g.Out}
	c.Layout = layoutOf(sizeX, g.X, sizeY, g.Y)
	a, b := arrange(p, x, sizeX, g.X, c.Layout), vacant(y, sizeY, g.Y, c.Layout)
	c.GradInput(p, b.data, w, a.data)
	a.done()
	b.restore(p, y)
}

// asKernelGradient: a kernel larger than the output is a picture of gradients; batch and channels
// have changed places.
func (g General) asKernelGradient(p *work.Pool, y, x, w []float32, h, v int) {
	c := Conv{Batch: g.In, Height: g.Height, Width: g.Width, In: g.Batch, Out: g.Out, KernelH: h, KernelW: v,
		StrideH: g.KernelDilation[0], StrideW: g.KernelDilation[1], PadTop: g.PadBefore[0], PadLeft: g.PadBefore[1],
		PadBottom: g.PadAfter[0], PadRight: g.PadAfter[1], KernelStrides: [4]int{g.Y[1], g.Y[2], g.Y[0], g.Y[3]}, Rounded: g.Rounded}
	sizeX, sizeW := [4]int{g.In, g.Height, g.Width, g.Batch}, [4]int{g.In, g.KernelH, g.KernelW, g.Out}
	atX, atW := [4]int{g.X[3], g.X[1], g.X[2], g.X[0]}, [4]int{g.W[2], g.W[0], g.W[1], g.W[3]}
	c.Layout = layoutOf(sizeX, atX, sizeW, atW)
	a, b := arrange(p, x, sizeX, atX, c.Layout), arrange(p, w, sizeW, atW, c.Layout)
	c.GradKernel(p, y, a.data, b.data)
	a.done()
	b.done()
}

// arranged is an image batch in the layout that a convolution wants: the slice itself or a copy.
type arranged struct {
	data  []float32
	copy  *work.Buffer
	shape []int // of the slice, outermost axis first
	perm  []int // axes of the shape that the wanted layout's axes are
}

// dense gives the strides of a layout for sizes n, y, x, c.
func dense(size [4]int, l Layout) [4]int {
	n, y, x, c := l.strides(size[1], size[2], size[3])
	return [4]int{n, y, x, c}
}

// same compares strides where an axis has more than one element.
func same(size, a, b [4]int) bool {
	for i, n := range size {
		if n > 1 && a[i] != b[i] {
			return false
		}
	}
	return true
}

// layoutOf chooses NCHW if both operands lie so and not otherwise.
func layoutOf(sizeA, a, sizeB, b [4]int) Layout {
	if same(sizeA, a, dense(sizeA, NCHW)) && same(sizeB, b, dense(sizeB, NCHW)) && !same(sizeA, a, dense(sizeA, NHWC)) {
		return NCHW
	}
	return NHWC
}

// orders finds the order of the axes n, y, x, c in the slice, and where the layout wants them.
func orders(size, strides [4]int, l Layout) (shape, perm []int) {
	axes := []int{0, 1, 2, 3}
	slices.SortStableFunc(axes, func(a, b int) int {
		if size[a] == 1 || size[b] == 1 {
			return size[a] - size[b] // axes of one element lie anywhere: first
		}
		return strides[b] - strides[a]
	})
	where := [4]int{}
	for i, a := range axes {
		shape = append(shape, size[a])
		where[a] = i
	}
	wanted := []int{0, 1, 2, 3}
	if l == NCHW {
		wanted = []int{0, 3, 1, 2}
	}
	for _, a := range wanted {
		perm = append(perm, where[a])
	}
	return shape, perm
}

// arrange gives x in the layout.
func arrange(p *work.Pool, x []float32, size, strides [4]int, l Layout) arranged {
	a := vacant(x, size, strides, l)
	if a.copy != nil {
		vector.Permute(p, a.data, x, a.shape, a.perm)
	}
	return a
}

// vacant gives a place for y in the layout.
func vacant(y []float32, size, strides [4]int, l Layout) arranged {
	if same(size, strides, dense(size, l)) {
		return arranged{data: y}
	}
	a := arranged{copy: work.Scratch(size[0] * size[1] * size[2] * size[3])}
	a.data = a.copy.Data
	a.shape, a.perm = orders(size, strides, l)
	return a
}

// restore writes the place back to y.
func (a arranged) restore(p *work.Pool, y []float32) {
	if a.copy == nil {
		return
	}
	shape, back := make([]int, 4), make([]int, 4)
	for i, q := range a.perm {
		shape[i], back[q] = a.shape[q], i
	}
	vector.Permute(p, y, a.data, shape, back)
	a.done()
}

func (a arranged) done() {
	if a.copy != nil {
		a.copy.Release()
	}
}
