package kernels

// PackedConv is a convolution with its kernel in the order in which the microkernels read it: pack a weight once, use
// it in many calls, from any goroutine. What a network does to each channel of the result, as BatchNorm in inference,
// is folded into the kernel and the bias.
type PackedConv struct {
	general ConvGeneral
	conv    Conv
	level   Level     // at which it was packed: that of the microkernels
	kernel  []float32 // in panels; in plain Go dense [i, j, c, o]
	bias    []float32 // padded to the microkernels' columns, or nil
}

// Pack packs the kernel w of a convolution without dilations whose result lies [n, oy, ox, o] (g.Y is not looked at),
// for y = scale·(x * w) + shift; scale and shift [Out] may be nil. The result does not refer to the slices.
func (g ConvGeneral) Pack(w, scale, shift []float32) *PackedConv {
	k, kernel, bias := g.layOut(shift != nil)
	k.kernel = make([]float32, kernel)
	if bias > 0 {
		k.bias = make([]float32, bias)
	}
	k.fill(nil, w, scale, shift)
	return k
}

// Forward computes y = act(scale·(x * w) + shift + residual) as Pack and Run do, with the kernel packed for this call alone.
func (g ConvGeneral) Forward(p *Pool, y, x, w, scale, shift, residual []float32, act Activation) {
	k, kernel, bias := g.layOut(shift != nil)
	buf := scratch(kernel + bias)
	defer buf.release()
	k.kernel = buf.data[:kernel]
	if bias > 0 {
		k.bias = buf.data[kernel:]
	}
	k.fill(p, w, scale, shift)
	k.Run(p, y, x, residual, act)
}

// layOut gives the convolution without its numbers, and how many floats its kernel and bias take.
func (g ConvGeneral) layOut(biased bool) (k *PackedConv, kernel, bias int) {
	g = g.filled()
	if one := [2]int{1, 1}; g.InputDilation != one || g.KernelDilation != one {
		panic("kernels.ConvGeneral.Pack: dilations")
	}
	c := g.plain().filled()
	k = &PackedConv{general: g, conv: c, level: Path()}
	n := c.KernelH * c.KernelW * c.In
	switch {
	case n*c.Out == 0:
		k.level = Off
	case c.rounds():
		k.level = bf16Tiles
	}
	if biased {
		bias = c.Out
	}
	if k.level == Off {
		return k, n * c.Out, bias
	}
	s := tileShape(k.level)
	if biased {
		bias = s.roundUp(c.Out)
	}
	return k, s.packedSize(c.KernelH*c.KernelW*s.words(c.In), c.Out), bias
}

// fill brings the kernel and the bias into their places.
func (k *PackedConv) fill(p *Pool, w, scale, shift []float32) {
	c := &k.conv
	for _, x := range [][]float32{scale, shift} {
		if x != nil {
			checkLen("ConvGeneral.Pack", "scale or shift", len(x), c.Out)
		}
	}
	dense, buf := c.denseKernel(p, w, false)
	defer buf.release()
	c.KernelStrides = Conv{KernelW: c.KernelW, In: c.In, Out: c.Out}.filled().KernelStrides
	if scale != nil {
		for i := 0; i < len(dense); i += c.Out {
			binaryRow(Mul, dense[i:][:c.Out], dense[i:][:c.Out], scale[:c.Out], 0, 0)
		}
	}
	switch s := tileShape(k.level); k.level {
	case Off:
		copy(k.kernel, dense)
	case bf16Tiles:
		packTaps(k.kernel, dense, c.allTaps(), c.In, c.Out)
	default:
		s.pack(k.kernel, dense, c.terms(), c.Out, 1)
	}
	clear(k.bias[copy(k.bias, shift):])
}

// Bytes is how much memory it takes.
func (k *PackedConv) Bytes() int { return 4 * (len(k.kernel) + len(k.bias)) }

// Run computes y = act(scale·(x * w) + shift + residual); residual, which lies as y does, may be nil or y itself.
func (k *PackedConv) Run(p *Pool, y, x, residual []float32, act Activation) {
	g, c := k.general, k.conv
	h, v := c.Output()
	checkLen("PackedConv.Run", "x", len(x), c.Batch*c.Height*c.Width*c.In)
	checkLen("PackedConv.Run", "y", len(y), c.Batch*h*v*c.Out)
	if residual != nil {
		checkLen("PackedConv.Run", "residual", len(residual), c.Batch*h*v*c.Out)
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
