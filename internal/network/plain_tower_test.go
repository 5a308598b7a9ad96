package network_test

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/network"
)

// plainImage is what the tower returns, a picture an entry.
type plainImage struct {
	stages                           [][]plainStage
	groups                           []rows
	pooled, embedding                rows
	areas, global, globalEmbedding   rows
	groupEmbeddings, patchEmbeddings []rows
}

// image runs pictures of the training size.
func (p *plain) image(pixels array) plainImage {
	v, count, h, w := p.config.Variant, pixels.shape[0], pixels.shape[2], pixels.shape[3]
	batch := make([]grid, count)
	for b := range batch {
		batch[b] = grid{h, w, zeros(h*w, 3)}
		for i := range h * w {
			for c := range 3 {
				batch[b].rows[i][c] = pixels.f[(b*3+c)*h*w+i]
			}
		}
	}
	if len(v.Stem.Channels) > 0 {
		batch = p.stem(batch)
	} else {
		for b := range batch {
			batch[b] = p.patches(batch[b])
		}
	}
	var out plainImage
	var context, finals, locals []rows
	if len(v.Context.Channels) > 0 {
		context, out.global = p.context(batch)
		if slices.Contains(v.NounsAgainst, network.AgainstGlobal) {
			out.globalEmbedding = p.linear("local_model.context.naming", out.global)
		}
	}
	for b, picture := range batch {
		e := p.norm("vision_model.embeddings.layernorm", picture.rows)
		local := e
		if v.LocalMLP > 0 {
			local = plus(e, p.mlp("local_model.mlp", p.norm("local_model.mlp.layer_norm", e)))
		}
		if context != nil {
			before := local
			local = plus(local, context[b])
			if v.Context.MLP > 0 {
				local = plus(local, p.mlp("local_model.context.mlp", p.norm("local_model.context.mlp.layer_norm", local)))
			}
			e = plus(e, plus(local, before.each(func(x float64) float64 { return -x })))
		}
		if position, ok := p.params["vision_model.embeddings.position_embeddings"]; ok {
			at := zeros(len(e), p.config.Width)
			for n := range at {
				at[n] = position.f[n*p.config.Width:][:p.config.Width]
			}
			e = plus(e, at)
		}
		x, stages := p.stages(e, local)
		out.stages = append(out.stages, stages)
		finals = append(finals, p.norm("vision_model.layernorm", x))
		locals = append(locals, p.norm("vision_model.layernorm", local))
	}
	p.finish(&out, finals, locals)
	return out
}

func (p *plain) stages(x, local rows) (rows, []plainStage) {
	c := p.config
	var stages []plainStage
	var g rows
	for i, depth := range c.Depths {
		name, length := fmt.Sprintf("vision_model.encoder.stages.%d", i), len(x)
		if s := c.GroupTokens[i]; s > 0 {
			learned := zeros(s, c.Width)
			for n := range learned {
				learned[n] = p.params[name+".group_token"].f[n*c.Width:][:c.Width]
			}
			if i > 0 {
				previous := p.norm(name+".group_projector.0", g)
				learned = plus(learned, turned(p.mlp(name+".group_projector.1", turned(previous))))
			}
			g = learned
		}
		z := x
		if c.GroupTokens[i] > 0 {
			z = append(slices.Clone(x), g...)
		}
		for b := range depth {
			z = p.block(fmt.Sprintf("%s.layers.%d", name, b), c.Heads[i], z)
		}
		if c.GroupTokens[i] == 0 {
			x = z
			continue
		}
		var values rows
		if c.Variant.LocalValues && len(stages) == 0 {
			values = p.norm("local_model.value_norm", local)
		}
		x, g = z[:length], z[length:]
		var stage plainStage
		x, stage = p.group(name+".downsample", c.Heads[i], x, g, values)
		stages = append(stages, stage)
	}
	return x, stages
}

// projectAll projects the rows of all pictures together.
func (p *plain) projectAll(name string, batch []rows) []rows {
	var all rows
	for _, x := range batch {
		all = append(all, x...)
	}
	all = p.project(name, all)
	out := make([]rows, len(batch))
	for i, x := range batch {
		out[i], all = all[:len(x)], all[len(x):]
	}
	return out
}

func averaged(x rows, weights []float64) []float64 {
	out, total := make([]float64, len(x[0])), 0.0
	for i, row := range x {
		weight := 1.0
		if weights != nil {
			weight = weights[i]
		}
		total += weight
		for j, v := range row {
			out[j] += weight * v
		}
	}
	for j := range out {
		out[j] /= total
	}
	return out
}

func (p *plain) finish(out *plainImage, finals, locals []rows) {
	const head = "visual_projection"
	v := p.config.Variant
	out.groups = finals
	for b, x := range finals {
		out.pooled = append(out.pooled, averaged(x, nil))
		switch {
		case len(out.stages[b]) == 0:
		case p.areas != nil:
			out.areas = append(out.areas, p.areas[b])
		default:
			out.areas = append(out.areas, plainAreas(out.stages[b]))
		}
	}
	switch v.PatchEmbeddings {
	case network.PatchesLocal:
		out.patchEmbeddings = p.projectAll(head, locals)
	case network.PatchesTrunk:
		out.patchEmbeddings = p.projectAll(head, finals)
	}
	if !v.PatchPooled && !v.AreaWeighted {
		out.embedding = p.project(head, out.pooled)
	}
	if p.config.HasGroups() {
		out.groupEmbeddings = p.projectAll(head, finals)
	}
	for b := range finals {
		if v.PatchPooled {
			out.embedding = append(out.embedding, averaged(out.patchEmbeddings[b], nil))
		} else if v.AreaWeighted {
			out.embedding = append(out.embedding, averaged(out.groupEmbeddings[b], out.areas[b]))
		}
	}
}

// plainAreas follows the soft assignments of all stages down to the tokens and
// takes min(1, G · share).
func plainAreas(stages []plainStage) []float64 {
	m := stages[0].soft
	for _, s := range stages[1:] {
		next := zeros(len(s.soft), len(m[0]))
		for g := range next {
			for k, weight := range s.soft[g] {
				for n := range next[g] {
					next[g][n] += weight * m[k][n]
				}
			}
		}
		m = next
	}
	areas := make([]float64, len(m))
	for g := range m {
		areas[g] = min(1, float64(len(m))*mean(m[g]))
	}
	return areas
}

// text returns the pooled feature of each row of ids, and its projection.
func (p *plain) text(ids array) (pooled, embedding rows) {
	t, length := p.config.Text, ids.shape[1]
	averages := p.config.Variant.TextPooling == network.PoolMean
	for b := range ids.shape[0] {
		row := ids.i[b*length:][:length]
		end := slices.Index(row, slices.Max(row))
		x := zeros(length, t.Width)
		for n, id := range row {
			for c := range t.Width {
				x[n][c] = p.params["text_model.embeddings.token_embedding.weight"].f[int(id)*t.Width+c] +
					p.params["text_model.embeddings.position_embedding.weight"].f[n*t.Width+c]
			}
		}
		sees := func(i, j int) bool { return j <= i }
		if averages {
			sees = func(_, j int) bool { return j <= end }
		}
		for n := range t.Depth {
			name := fmt.Sprintf("text_model.encoder.layers.%d", n)
			y := p.norm(name+".layer_norm1", x)
			x = plus(x, p.attend(name+".self_attn", t.Heads, y, y, sees))
			y = p.linear(name+".mlp.fc1", p.norm(name+".layer_norm2", x))
			y = y.each(func(v float64) float64 { return v / (1 + math.Exp(-1.702*v)) })
			x = plus(x, p.linear(name+".mlp.fc2", y))
		}
		feature := x[end]
		if averages && end > 1 { // the words alone
			feature = averaged(x[1:end], nil)
		}
		pooled = append(pooled, p.norm("text_model.final_layer_norm", rows{feature})[0])
	}
	return pooled, p.project("text_projection", pooled)
}

// drawnWeights fills any configuration with numbers of the formula: norms near
// 1, everything else large enough to matter.
func drawnWeights(c network.Config) map[string]array {
	out := map[string]array{}
	for k, param := range c.Params() {
		a := array{shape: param.Shape, f: make([]float64, param.Size())}
		for j := range a.f {
			r := hashed(uint32(50_000+k), uint32(j))
			switch {
			case len(param.Shape) == 0:
				a.f[j] = 2 + r
			case strings.HasSuffix(param.Name, "running_var"):
				a.f[j] = 1 + r
			case len(param.Shape) == 1 && strings.HasSuffix(param.Name, "weight"):
				a.f[j] = 1 + 0.4*r
			case len(param.Shape) == 1:
				a.f[j] = 0.4 * r
			default:
				a.f[j] = 1.2 * r
			}
		}
		out[param.Name] = a
	}
	return out
}
