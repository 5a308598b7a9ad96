package kernels

import "slices"

// PackedConv is a convolution with its kernel in the order in which the microkernels read it: pack a weight once, use
// it in many calls, from any goroutine. What a network does to each channel of the result, as BatchNorm in inference,
// is folded into the kernel and the bias.
type PackedConv struct {
	general ConvGeneral
	conv    Conv
	level   Level     // at which it was packed
	kernel  []float32 // in panels; in plain Go dense [i, j, c, o]
	bias    []float32 // padded to the microkernels' columns, or nil
}

// Pack packs the kernel w of a convolution without dilations whose result lies [n, oy, ox, o] (g.Y is not looked at),
// for y = scale·(x * w) + shift; scale and shift [Out] may be nil. The result does not refer to the slices.
func (g ConvGeneral) Pack(w, scale, shift []float32) *PackedConv {
	g = g.filled()
	if one := [2]int{1, 1}; g.InputDilation != one || g.KernelDilation != one {
		panic("kernels.ConvGeneral.Pack: dilations")
	}
	for _, x := range [][]float32{scale, shift} {
		if x != nil {
			need("ConvGeneral.Pack", "scale or shift", len(x), g.Out)
		}
	}
	c := g.plain().filled()
	n := c.KernelH * c.KernelW * c.In
	dense := make([]float32, n*c.Out)
	for q, at := range c.terms() {
		row := dense[q*c.Out:][:c.Out]
		for o := range row {
			if row[o] = w[at+o*c.KernelStrides[3]]; scale != nil {
				row[o] *= scale[o]
			}
		}
	}
	c.KernelStrides = Conv{KernelW: c.KernelW, In: c.In, Out: c.Out}.filled().KernelStrides
	k := &PackedConv{general: g, conv: c, level: Path(), kernel: dense}
	if n*c.Out == 0 {
		k.level = Off
	}
	if shift != nil {
		k.bias = slices.Clone(shift[:c.Out])
	}
	if k.level == Off {
		return k
	}
	s := tileShape(k.level)
	k.kernel = make([]float32, s.packedSize(n, c.Out))
	s.pack(k.kernel, dense, c.terms(), c.Out, 1)
	if k.bias != nil {
		k.bias = append(k.bias, make([]float32, s.roundUp(c.Out)-c.Out)...)
	}
	return k
}

// Bytes is how much memory it takes.
func (k *PackedConv) Bytes() int { return 4 * (len(k.kernel) + len(k.bias)) }

// Run computes y = act(scale·(x * w) + shift + residual); residual, which lies as y does, may be nil or y itself.
func (k *PackedConv) Run(p *Pool, y, x, residual []float32, act Activation) {
	g, c := k.general, k.conv
	h, v := c.Output()
	need("PackedConv.Run", "x", len(x), c.Batch*c.Height*c.Width*c.In)
	need("PackedConv.Run", "y", len(y), c.Batch*h*v*c.Out)
	if residual != nil {
		need("PackedConv.Run", "residual", len(residual), c.Batch*h*v*c.Out)
	}
	if c.Batch*h*v*c.Out == 0 {
		return
	}
	a := arrange(p, x, [4]int{g.Batch, g.Height, g.Width, g.In}, g.X, NHWC)
	defer a.done()
	if k.level != Off {
		c.forward(p, tileShape(k.level), y, a.data, k.kernel, k.bias, residual, act)
		return
	}
	k.plain(p, y, a.data, residual, act)
}

// plain is Run in plain Go.
func (k *PackedConv) plain(p *Pool, y, x, residual []float32, act Activation) {
	out := y
	if residual != nil {
		buf := scratch(len(y))
		defer buf.release()
		out = buf.data
	}
	k.conv.plainForward(p, out, x, k.kernel, k.bias, NoActivation)
	for i := range y {
		v := out[i]
		if residual != nil {
			v += residual[i]
		}
		y[i] = v
	}
	e := Epilogue{Activation: act}
	plainEpilogue(y, y, nil, e)
}
