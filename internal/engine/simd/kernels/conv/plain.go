package conv

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// strides gives the distances of neighbours along batch, row, column and channel.
func (l Layout) strides(height, width, channels int) (b, y, x, c int) {
	if l == NCHW {
		return channels * height * width, width, 1, height * width
	}
	return height * width * channels, width * channels, channels, 1
}

// taps calls f for each kernel position that an output pixel reads inside the image.
func (c Conv) taps(oy, ox int, f func(i, j, y, x int)) {
	for i := range c.KernelH {
		y := oy*c.StrideH - c.PadTop + i
		if y < 0 || y >= c.Height {
			continue
		}
		for j := range c.KernelW {
			if x := ox*c.StrideW - c.PadLeft + j; x >= 0 && x < c.Width {
				f(i, j, y, x)
			}
		}
	}
}

func (c Conv) plainForward(p *work.Pool, y, x, w, bias []float32, act vector.Activation) {
	h, v := c.Output()
	xb, xy, xx, xc := c.Layout.strides(c.Height, c.Width, c.In)
	yb, yy, yx, yc := c.Layout.strides(h, v, c.Out)
	s := c.KernelStrides
	p.For(c.Batch*h, 1, func(lo, hi int) {
		acc, out := make([]float32, c.Out), make([]float32, c.Out)
		for r := lo; r < hi; r++ {
			n, oy := r/h, r%h
			for ox := range v {
				clear(acc)
				c.taps(oy, ox, func(i, j, py, px int) {
					for ci := range c.In {
						a := x[n*xb+py*xy+px*xx+ci*xc]
						k := w[c.position(i, j)+ci*s[2]:]
						for o := range acc {
							acc[o] += a * k[o*s[3]]
						}
					}
				})
				gemm.PlainEpilogue(acc, out, nil, gemm.Epilogue{Bias: bias, Activation: act})
				for o, q := range out {
					y[n*yb+oy*yy+ox*yx+o*yc] = q
				}
			}
		}
	})
}

func (c Conv) plainGradInput(p *work.Pool, dx, w, dy []float32) {
	h, v := c.Output()
	xb, xy, xx, xc := c.Layout.strides(c.Height, c.Width, c.In)
	yb, yy, yx, yc := c.Layout.strides(h, v, c.Out)
	s := c.KernelStrides
	p.For(c.Batch, 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			clear(dx[n*xb:][:xb])
			for oy := range h {
				for ox := range v {
					c.taps(oy, ox, func(i, j, py, px int) {
						for ci := range c.In {
							var sum float32
							k := w[c.position(i, j)+ci*s[2]:]
							for o := range c.Out {
								sum += dy[n*yb+oy*yy+ox*yx+o*yc] * k[o*s[3]]
							}
							dx[n*xb+py*xy+px*xx+ci*xc] += sum
						}
					})
				}
			}
		}
	})
}

func (c Conv) plainGradKernel(p *work.Pool, dw, x, dy []float32) {
	h, v := c.Output()
	xb, xy, xx, xc := c.Layout.strides(c.Height, c.Width, c.In)
	yb, yy, yx, yc := c.Layout.strides(h, v, c.Out)
	s := c.KernelStrides
	p.For(c.KernelH*c.KernelW*c.In, 1, func(lo, hi int) {
		acc := make([]float32, c.Out)
		for t := lo; t < hi; t++ {
			i, j, ci := t/(c.KernelW*c.In), t/c.In%c.KernelW, t%c.In
			clear(acc)
			for n := range c.Batch {
				for oy := range h {
					py := oy*c.StrideH - c.PadTop + i
					if py < 0 || py >= c.Height {
						continue
					}
					for ox := range v {
						px := ox*c.StrideW - c.PadLeft + j
						if px < 0 || px >= c.Width {
							continue
						}
						a := x[n*xb+py*xy+px*xx+ci*xc]
						for o := range acc {
							acc[o] += a * dy[n*yb+oy*yy+ox*yx+o*yc]
						}
					}
				}
			}
			for o, q := range acc {
				dw[c.position(i, j)+ci*s[2]+o*s[3]] = q
			}
		}
	})
}
