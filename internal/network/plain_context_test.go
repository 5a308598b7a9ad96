package network_test

import "fmt"

// context returns what the context branch adds to the local features, and the mean of
// its coarsest map.
func (p *plain) context(batch []grid) (added []rows, global rows) {
	const name = "local_model.context"
	branch, stem := p.config.Variant.Context, batch
	var maps [][]grid
	for i := range branch.Channels {
		down := fmt.Sprintf("%s.down.%d", name, i)
		batch = p.convolveAll(down+".conv", down+".norm", batch, 2)
		activate(batch, relu)
		if i < len(branch.Blocks) {
			for j := range branch.Blocks[i] {
				batch = p.residual(fmt.Sprintf("%s.blocks.%d", down, j), batch)
			}
		}
		maps = append(maps, batch)
	}
	y := make([]grid, len(batch))
	for b, x := range batch {
		global = append(global, averaged(x.rows, nil))
		whole := p.linear(name+".global", rows{global[b]})[0]
		y[b] = grid{x.h, x.w, nil}
		for _, row := range x.rows {
			y[b].rows = append(y[b].rows, plus(rows{row}, rows{whole})[0])
		}
	}
	for i := len(maps) - 2; i >= 0; i-- {
		up := fmt.Sprintf("%s.up.%d", name, i)
		var all rows
		for b, x := range maps[i] {
			larger := enlarged(y[b], x.h, x.w)
			for n, row := range larger.rows {
				all = append(all, p.product(up+".conv", append(append([]float64(nil), row...), x.rows[n]...)))
			}
		}
		all = p.batchNorm(up+".norm", all)
		for b, x := range maps[i] {
			n := x.h * x.w
			y[b], all = grid{x.h, x.w, all[:n]}, all[n:]
		}
		activate(y, relu)
		y = p.residual(up+".block", y)
	}
	for b := range y {
		out := grid{y[b].h, y[b].w, p.linear(name+".out", y[b].rows)}
		added = append(added, enlarged(out, stem[b].h, stem[b].w).rows)
	}
	return added, global
}

// product is a weight matrix times a row.
func (p *plain) product(name string, x []float64) []float64 {
	w := p.params[name+".weight"]
	out := make([]float64, w.shape[0])
	for o := range out {
		for i, v := range x {
			out[o] += w.f[o*len(x)+i] * v
		}
	}
	return out
}

// residual is a residual block with BatchNorm.
func (p *plain) residual(name string, batch []grid) []grid {
	y := p.convolveAll(name+".conv1", name+".norm1", batch, 1)
	activate(y, relu)
	y = p.convolveAll(name+".conv2", name+".norm2", y, 1)
	for b := range y {
		y[b].rows = plus(y[b].rows, batch[b].rows)
	}
	activate(y, relu)
	return y
}

// enlarged samples a map bilinearly at the centres of h×w places.
func enlarged(x grid, h, w int) grid {
	out := grid{h, w, zeros(h*w, len(x.rows[0]))}
	at := func(i, n, of int) (low, high int, share float64) {
		s := max((float64(i)+0.5)*float64(of)/float64(n)-0.5, 0)
		low = min(int(s), of-1)
		return low, min(low+1, of-1), s - float64(low)
	}
	for i := range h {
		y0, y1, dy := at(i, h, x.h)
		for j := range w {
			x0, x1, dx := at(j, w, x.w)
			for c := range out.rows[0] {
				v := func(y, k int) float64 { return x.rows[y*x.w+k][c] }
				out.rows[i*w+j][c] = (1-dy)*((1-dx)*v(y0, x0)+dx*v(y0, x1)) + dy*((1-dx)*v(y1, x0)+dx*v(y1, x1))
			}
		}
	}
	return out
}
