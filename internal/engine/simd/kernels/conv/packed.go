package conv

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Packed is a convolution with its kernel in the order in which the microkernels read it: pack a weight once, use
// it in many calls, from any goroutine. What a network does to each channel of the result, as BatchNorm in inference,
// is folded into the kernel and the bias.
type Packed struct {
	general General
	conv    Conv
	level   level.Level // at which it was packed: that of the microkernels
	kernel  []float32   // in panels; in plain Go dense [i, j, c, o]
	bias    []float32   // padded to the microkernels' columns, or nil
}

// Pack packs the kernel w of a convolution without dilations whose result lies [n, oy, ox, o] (g.Y is not looked at),
// for y = scale·(x * w) + shift; scale and shift [Out] may be nil. The result does not refer to the slices.
func (g General) Pack(w, scale, shift []float32) *Packed {
	k, kernel, bias := g.layOut(shift != nil)
	k.kernel = make([]float32, kernel)
	if bias > 0 {
		k.bias = make([]float32, bias)
	}
	k.fill(nil, w, scale, shift)
	return k
}

// Forward computes y = act(scale·(x * w) + shift + residual) as Pack and Run do, with the kernel packed for this call alone.
func (g General) Forward(p *work.Pool, y, x, w, scale, shift, residual []float32, act vector.Activation) {
	k, kernel, bias := g.layOut(shift != nil)
	buf := work.Scratch(kernel + bias)
	defer buf.Release()
	k.kernel = buf.Data[:kernel]
	if bias > 0 {
		k.bias = buf.Data[kernel:]
	}
	k.fill(p, w, scale, shift)
	k.Run(p, y, x, residual, act)
}

// layOut gives the convolution without its numbers, and how many floats its kernel and bias take.
func (g General) layOut(biased bool) (k *Packed, kernel, bias int) {
	g = g.filled()
	if one := [2]int{1, 1}; g.InputDilation != one || g.KernelDilation != one {
		panic("kernels.ConvGeneral.Pack: dilations")
	}
	c := g.plain().filled()
	k = &Packed{general: g, conv: c, level: level.Current()}
	n := c.KernelH * c.KernelW * c.In
	switch {
	case n*c.Out == 0:
		k.level = level.Off
	case c.rounds():
		k.level = tile.BF16Tiles
	}
	if biased {
		bias = c.Out
	}
	if k.level == level.Off {
		return k, n * c.Out, bias
	}
	s := tile.ShapeOf(k.level)
	if biased {
		bias = s.RoundUp(c.Out)
	}
	return k, s.PackedSize(c.KernelH*c.KernelW*s.Words(c.In), c.Out), bias
}

// fill brings the kernel and the bias into their places.
func (k *Packed) fill(p *work.Pool, w, scale, shift []float32) {
	c := &k.conv
	for _, x := range [][]float32{scale, shift} {
		if x != nil {
			work.CheckLen("ConvGeneral.Pack", "scale or shift", len(x), c.Out)
		}
	}
	dense, buf := c.denseKernel(p, w, false)
	defer buf.Release()
	c.KernelStrides = Conv{KernelW: c.KernelW, In: c.In, Out: c.Out}.filled().KernelStrides
	if scale != nil {
		for i := 0; i < len(dense); i += c.Out {
			vector.BinaryRow(vector.Mul, dense[i:][:c.Out], dense[i:][:c.Out], scale[:c.Out], 0, 0)
		}
	}
	switch s := tile.ShapeOf(k.level); k.level {
	case level.Off:
		copy(k.kernel, dense)
	case tile.BF16Tiles:
		packTaps(k.kernel, dense, c.allTaps(), c.In, c.Out)
	default:
		s.Pack(k.kernel, dense, c.terms(), c.Out, 1)
	}
	clear(k.bias[copy(k.bias, shift):])
}

// Bytes is how much memory it takes.
func (k *Packed) Bytes() int { return 4 * (len(k.kernel) + len(k.bias)) }

// Run computes y = act(scale·(x * w) + shift + residual); residual, which lies as y does, may be nil or y itself.
func (k *Packed) Run(p *work.Pool, y, x, residual []float32, act vector.Activation) {
	g, c := k.general, k.conv
	h, v := c.Output()
	work.CheckLen("PackedConv.Run", "x", len(x), c.Batch*c.Height*c.Width*c.In)
	work.CheckLen("PackedConv.Run", "y", len(y), c.Batch*h*v*c.Out)
	if residual != nil {
		work.CheckLen("PackedConv.Run", "residual", len(residual), c.Batch*h*v*c.Out)
	}
	if c.Batch*h*v*c.Out == 0 {
		return
	}
	a := arrange(p, x, [4]int{g.Batch, g.Height, g.Width, g.In}, g.X, NHWC)
	defer a.done()
	if k.level != level.Off {
		c.forward(p, tile.ShapeOf(k.level), y, a.data, k.kernel, k.bias, residual, act)
		return
	}
	k.plain(p, y, a.data, residual, act)
}

// plain is Run in plain Go.
func (k *Packed) plain(p *work.Pool, y, x, residual []float32, act vector.Activation) {
	out := y
	if residual != nil {
		buf := work.Scratch(len(y))
		defer buf.Release()
		out = buf.Data
	}
	k.conv.plainForward(p, out, x, k.kernel, k.bias, vector.NoActivation)
	for i := range y {
		v := out[i]
		if residual != nil {
			v += residual[i]
		}
		y[i] = v
	}
	e := gemm.Epilogue{Activation: act}
	gemm.PlainEpilogue(y, y, nil, e)
}
