package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/conv"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

func init() { lowerings[compute.OpTypeConvGeneral] = lowerConv }

// lowerConv takes ungrouped two-dimensional convolutions of float32, and the forms that gradients take.
func lowerConv(c *compiler, n *node) (bool, error) {
	a := n.attr.(convAttr)
	x, w, out := n.inputs[0], n.inputs[1], n.values[0]
	if len(a.axes.InputSpatial) != 2 || a.channelGroups > 1 || a.batchGroups > 1 || x.dtype() != dtypes.Float32 || out.size() == 0 {
		return false, nil
	}
	g := a.general(x, w)
	one := [2]int{1, 1}
	if min(g.PadBefore[0], g.PadBefore[1], g.PadAfter[0], g.PadAfter[1]) < 0 && g.InputDilation != one ||
		g.Strides != one && (g.KernelDilation != one || g.InputDilation != one) || g.InputDilation != one && g.KernelDilation != one {
		return false, nil
	}
	if g.InputDilation != one && min(g.KernelH-1-g.PadBefore[0], g.KernelW-1-g.PadBefore[1]) < 0 {
		return false, nil
	}
	vx, err := c.packedView(x)
	if err != nil {
		return false, err
	}
	vw, err := c.packedView(w)
	if err != nil {
		return false, err
	}
	if vw.slot.kind == constant && vx.slot.kind != constant && foldable(n) {
		n.attr = foldedConv{convAttr: a} // packed once
		return lowerFolded(c, n)
	}
	vy := c.define(out)
	copy(g.X[:], pick(vx.strides, a.axesX()))
	copy(g.W[:], pick(vw.strides, a.axesW()))
	copy(g.Y[:], pick(vy.strides, []int{a.axes.OutputBatch, a.axes.OutputSpatial[0], a.axes.OutputSpatial[1], a.axes.OutputChannels}))
	g.Rounded = c.backend.rounded
	pool, name := c.pool, convolutionName(g)
	return true, c.emit(step{name: name, flop: g.FLOP(), reads: []*slot{vx.slot, vw.slot}, writes: []*slot{vy.slot}, run: func(f *frame) error {
		if !g.Run(pool, f.read(vy), f.read(vx), f.read(vw)) {
			return fmt.Errorf("convolution: the kernels do not know the form %+v", g)
		}
		return nil
	}})
}

// convolutionName says which convolution it is, and in what it computes.
func convolutionName(g conv.General) string {
	name := fmt.Sprintf("convolution %d×%d×%d×%d, kernel %d×%d, %d out", g.Batch, g.Height, g.Width, g.In, g.KernelH, g.KernelW, g.Out)
	if g.Rounds() {
		name += " " + tile.BFloat16.String()
	}
	return name
}

// axesX and axesW are the axes of the operands in the order of the kernels: n, y, x, c and i, j, c, o.
func (a convAttr) axesX() []int {
	return []int{a.axes.InputBatch, a.axes.InputSpatial[0], a.axes.InputSpatial[1], a.axes.InputChannels}
}

func (a convAttr) axesW() []int {
	return []int{a.axes.KernelSpatial[0], a.axes.KernelSpatial[1], a.axes.KernelInputChannels, a.axes.KernelOutputChannels}
}

// general gives sizes, strides, paddings and dilations of a convolution of two axes as the kernels want them.
func (a convAttr) general(x, w *value) (g conv.General) {
	pair := func(to *[2]int, from []int) {
		*to = [2]int{1, 1}
		copy(to[:], from)
	}
	pair(&g.Strides, a.strides)
	pair(&g.InputDilation, a.inputDilations)
	pair(&g.KernelDilation, a.kernDilations)
	for i, p := range a.paddings {
		g.PadBefore[i], g.PadAfter[i] = p[0], p[1]
	}
	d := pick(x.dims(), a.axesX())
	g.Batch, g.Height, g.Width, g.In = d[0], d[1], d[2], d[3]
	d = pick(w.dims(), a.axesW())
	g.KernelH, g.KernelW, g.Out = d[0], d[1], d[3]
	return g
}

// packedView gives a view whose elements lie without gaps in some order of the axes.
func (c *compiler) packedView(v *value) (view, error) {
	r, err := c.view(v)
	if err != nil || gapless(r) {
		return r, err
	}
	return c.dense(v)
}

// gapless reports whether the elements of a view lie without gaps in some order of its axes.
func gapless(v view) bool {
	n := 1
	used := make([]bool, len(v.dims))
	for range v.dims {
		next := -1
		for i, d := range v.dims {
			if !used[i] && (d == 1 || v.strides[i] == n) {
				next = i
				break
			}
		}
		if next < 0 {
			return false
		}
		used[next] = true
		n *= v.dims[next]
	}
	return true
}
