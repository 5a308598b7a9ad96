// Package conv computes two-dimensional convolutions and their gradients. Read conv.go, vector.go, rounded.go, general.go.
package conv

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Layout is the order of an image batch's axes.
type Layout uint8

// The layouts.
const (
	NHWC Layout = iota // [batch, height, width, channels]
	NCHW               // [batch, channels, height, width]
)

// Conv is the shape of a two-dimensional convolution (cross-correlation, as in the deep learning
// libraries): y[n, oy, ox, o] = Σ x[n, oy·StrideH − PadTop + i, ox·StrideW − PadLeft + j, c]·w[i, j, c, o].
// Elements outside the image are 0. Padding may be larger than the kernel, or negative: that crops
// (for GradInput only PadBottom and PadRight).
type Conv struct {
	Batch, Height, Width, In int // of x
	Out                      int // channels of y
	KernelH, KernelW         int
	StrideH, StrideW         int // 0 means 1
	PadTop, PadBottom        int
	PadLeft, PadRight        int
	Layout                   Layout // of x and y
	KernelStrides            [4]int // distances in w of neighbours along i, j, c, o; zero means [i, j, c, o] dense
	Reversed                 bool   // w's positions run backwards: KernelH−1−i, KernelW−1−j stand for i, j
	// Rounded makes both operands of all products bfloat16 where the convolution is large enough to gain by it; sums stay in
	// float32, and denormal numbers count as zero.
	Rounded bool
}

// Output gives the height and width of y; 0 where the kernel does not fit.
func (c Conv) Output() (height, width int) {
	c = c.filled()
	size := func(n, pad, kernel, stride int) int {
		if n+pad < kernel {
			return 0
		}
		return (n+pad-kernel)/stride + 1
	}
	return size(c.Height, c.PadTop+c.PadBottom, c.KernelH, c.StrideH), size(c.Width, c.PadLeft+c.PadRight, c.KernelW, c.StrideW)
}

// filled replaces zeros that stand for something.
func (c Conv) filled() Conv {
	c.StrideH, c.StrideW = max(c.StrideH, 1), max(c.StrideW, 1)
	if c.KernelStrides == [4]int{} {
		c.KernelStrides = [4]int{c.KernelW * c.In * c.Out, c.In * c.Out, c.Out, 1}
	}
	return c
}

// position is where the kernel's element (i, j, 0, 0) lies in w.
func (c Conv) position(i, j int) int {
	if c.Reversed {
		i, j = c.KernelH-1-i, c.KernelW-1-j
	}
	return i*c.KernelStrides[0] + j*c.KernelStrides[1]
}

func (c Conv) check(function string, x, w, y []float32) {
	h, v := c.Output()
	work.CheckLen(function, "x", len(x), c.Batch*c.Height*c.Width*c.In)
	work.CheckLen(function, "y", len(y), c.Batch*h*v*c.Out)
	if c.KernelH*c.KernelW*c.In*c.Out > 0 {
		s := c.KernelStrides
		work.CheckLen(function, "w", len(w), (c.KernelH-1)*s[0]+(c.KernelW-1)*s[1]+(c.In-1)*s[2]+(c.Out-1)*s[3]+1)
	}
}

// Forward computes y = act(x * w + bias); bias [Out] may be nil.
func (c Conv) Forward(p *work.Pool, y, x, w, bias []float32, act vector.Activation) {
	c = c.filled()
	c.check("Conv.Forward", x, w, y)
	if bias != nil {
		work.CheckLen("Conv.Forward", "bias", len(bias), c.Out)
	}
	switch l := level.Current(); {
	case c.rounds():
		c.roundedForward(p, y, x, w, bias, act)
	case l != level.Off && c.KernelH*c.KernelW*c.In*c.Out > 0:
		c.vectorForward(p, l, y, x, w, bias, act)
	default:
		c.plainForward(p, y, x, w, bias, act)
	}
}

// GradInput computes the gradient with respect to x from dy.
func (c Conv) GradInput(p *work.Pool, dx, w, dy []float32) {
	c = c.filled()
	c.check("Conv.GradInput", dx, w, dy)
	if min(c.PadTop, c.PadLeft) < 0 {
		panic("kernels.Conv.GradInput: negative padding")
	}
	switch l := level.Current(); {
	case c.rounds():
		c.roundedGradInput(p, dx, w, dy)
	case l != level.Off && c.hasWork():
		c.vectorGradInput(p, l, dx, w, dy)
	default:
		c.plainGradInput(p, dx, w, dy)
	}
}

// GradKernel computes the gradient with respect to w from x and dy. Images are summed in runs whose
// length depends on the shape only.
func (c Conv) GradKernel(p *work.Pool, dw, x, dy []float32) {
	c = c.filled()
	c.check("Conv.GradKernel", x, dw, dy)
	switch l := level.Current(); {
	case c.rounds():
		c.roundedGradKernel(p, dw, x, dy)
	case l != level.Off && c.hasWork():
		c.vectorGradKernel(p, l, dw, x, dy)
	default:
		c.plainGradKernel(p, dw, x, dy)
	}
}

// hasWork reports whether there is anything to multiply.
func (c Conv) hasWork() bool { return c.flops() > 0 }
