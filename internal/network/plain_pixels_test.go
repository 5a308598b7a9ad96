package network_test

import "fmt"

// convolve is a 3×3 convolution with one pixel of padding.
func (p *plain) convolve(name string, x grid, stride int) grid {
	w := p.params[name+".weight"] // [out, in, 3, 3]
	out := grid{h: (x.h + stride - 1) / stride, w: (x.w + stride - 1) / stride}
	out.rows = zeros(out.h*out.w, w.shape[0])
	for at := range out.rows {
		for o := range w.shape[0] {
			v := 0.0
			if b, ok := p.params[name+".bias"]; ok {
				v = b.f[o]
			}
			for ky := range 3 {
				for kx := range 3 {
					sy, sx := at/out.w*stride+ky-1, at%out.w*stride+kx-1
					if sy < 0 || sy >= x.h || sx < 0 || sx >= x.w {
						continue
					}
					for c, value := range x.rows[sy*x.w+sx] {
						v += value * w.f[((o*w.shape[1]+c)*3+ky)*3+kx]
					}
				}
			}
			out.rows[at][o] = v
		}
	}
	return out
}

// convolveAll convolves a batch and, where the stem has it, normalises it.
func (p *plain) convolveAll(conv, norm string, batch []grid, stride int) []grid {
	out := make([]grid, len(batch))
	var all rows
	for i, x := range batch {
		out[i] = p.convolve(conv, x, stride)
		all = append(all, out[i].rows...)
	}
	if !p.config.Variant.Stem.BatchNorm {
		return out
	}
	all = p.batchNorm(norm, all)
	for i := range out {
		out[i].rows, all = all[:len(out[i].rows)], all[len(out[i].rows):]
	}
	return out
}

func activate(batch []grid, f func(float64) float64) {
	for i := range batch {
		batch[i].rows = batch[i].rows.each(f)
	}
}

func (p *plain) stem(batch []grid) []grid {
	stem := p.config.Variant.Stem
	act := gelu
	if stem.BatchNorm {
		act = relu
	}
	for i := range stem.Channels {
		name, blocks := fmt.Sprintf("local_model.stem.%d", i), 0
		if i < len(stem.Blocks) {
			blocks = stem.Blocks[i]
		}
		batch = p.convolveAll(name+".conv", name+".norm", batch, 2)
		if stem.BatchNorm || i < len(stem.Channels)-1 || blocks > 0 {
			activate(batch, act)
		}
		for j := range blocks {
			block := fmt.Sprintf("%s.blocks.%d", name, j)
			y := p.convolveAll(block+".conv1", block+".norm1", batch, 1)
			activate(y, act)
			y = p.convolveAll(block+".conv2", block+".norm2", y, 1)
			for b := range y {
				y[b].rows = plus(y[b].rows, batch[b].rows)
			}
			activate(y, act)
			batch = y
		}
	}
	return batch
}

// patches unfolds and projects: one row a patch.
func (p *plain) patches(x grid) grid {
	const name = "vision_model.embeddings.patch_embeddings.projection"
	w, b, side := p.params[name+".weight"].f, p.params[name+".bias"].f, p.config.PatchSize
	out := grid{h: x.h / side, w: x.w / side}
	out.rows = zeros(out.h*out.w, p.config.Width)
	for at := range out.rows {
		for o := range out.rows[at] {
			out.rows[at][o] = b[o]
			for c := range 3 {
				for i := range side * side {
					y, x0 := at/out.w*side+i/side, at%out.w*side+i%side
					out.rows[at][o] += w[(o*3+c)*side*side+i] * x.rows[y*x.w+x0][c]
				}
			}
		}
	}
	return out
}
