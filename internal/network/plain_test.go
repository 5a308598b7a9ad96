package network_test

import (
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/network"
)

// plain is the network in float64, by loops over the definition: an independent
// reading of the paper and of the options beyond it. Nothing of it is shared with
// the graph. Noise and drop path are left out.
type plain struct {
	config   network.Config
	params   map[string]array
	training bool                 // batch statistics instead of running ones
	updates  map[string][]float64 // new running statistics
	areas    rows                 // if set, the groups' areas: constants to the losses
}

// rows are tokens (or pixels) of equal width.
type rows [][]float64

// grid is a picture of h·w rows.
type grid struct {
	h, w int
	rows rows
}

func zeros(n, width int) rows {
	out := make(rows, n)
	for i := range out {
		out[i] = make([]float64, width)
	}
	return out
}

func (x rows) each(f func(float64) float64) rows {
	out := zeros(len(x), len(x[0]))
	for i := range x {
		for j, v := range x[i] {
			out[i][j] = f(v)
		}
	}
	return out
}

func plus(a, b rows) rows {
	out := zeros(len(a), len(a[0]))
	for i := range a {
		for j := range a[i] {
			out[i][j] = a[i][j] + b[i][j]
		}
	}
	return out
}

func turned(x rows) rows {
	out := zeros(len(x[0]), len(x))
	for i := range x {
		for j, v := range x[i] {
			out[j][i] = v
		}
	}
	return out
}

func gelu(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }
func relu(x float64) float64 { return max(x, 0) }

func softmax(x []float64) []float64 {
	out, log := make([]float64, len(x)), logSumExp(x)
	for i, v := range x {
		out[i] = math.Exp(v - log)
	}
	return out
}

func mean(x []float64) float64 { return sum(x, identity) / float64(len(x)) }

func (p *plain) linear(name string, x rows) rows {
	w, b := p.params[name+".weight"], p.params[name+".bias"].f
	out, in := zeros(len(x), w.shape[0]), w.shape[1]
	for i := range x {
		for o := range out[i] {
			out[i][o] = b[o] + inner(w.f[o*in:][:in], x[i])
		}
	}
	return out
}

func (p *plain) mlp(name string, x rows) rows {
	return p.linear(name+".fc2", p.linear(name+".fc1", x).each(gelu))
}

func (p *plain) norm(name string, x rows) rows {
	w, b := p.params[name+".weight"].f, p.params[name+".bias"].f
	out := zeros(len(x), len(w))
	for i, row := range x {
		m := mean(row)
		variance := sum(row, func(v float64) float64 { return (v - m) * (v - m) }) / float64(len(row))
		for j, v := range row {
			out[i][j] = (v-m)/math.Sqrt(variance+1e-5)*w[j] + b[j]
		}
	}
	return out
}

// batchNorm normalises each column of the whole batch's rows.
func (p *plain) batchNorm(name string, x rows) rows {
	w, b := p.params[name+".weight"].f, p.params[name+".bias"].f
	runningMean, runningVariance := p.params[name+".running_mean"].f, p.params[name+".running_var"].f
	out, n := zeros(len(x), len(w)), float64(len(x))
	var newMean, newVariance []float64
	for j, column := range turned(x) {
		m, variance := runningMean[j], runningVariance[j]
		if p.training {
			m = mean(column)
			squares := sum(column, func(v float64) float64 { return (v - m) * (v - m) })
			variance = squares / n
			newMean = append(newMean, 0.9*runningMean[j]+0.1*m)
			newVariance = append(newVariance, 0.9*runningVariance[j]+0.1*squares/(n-1))
		}
		for i, v := range column {
			out[i][j] = (v-m)/math.Sqrt(variance+1e-5)*w[j] + b[j]
		}
	}
	if _, done := p.updates[name+".running_mean"]; p.training && !done {
		p.updates[name+".running_mean"], p.updates[name+".running_var"] = newMean, newVariance
	}
	return out
}

// attend is multi-head attention; sees tells which keys a query sees.
func (p *plain) attend(name string, heads int, query, key rows, sees func(i, j int) bool) rows {
	q, k, v := p.linear(name+".q_proj", query), p.linear(name+".k_proj", key), p.linear(name+".v_proj", key)
	out, size := zeros(len(q), len(q[0])), len(q[0])/heads
	for h := range heads {
		part := func(row []float64) []float64 { return row[h*size:][:size] }
		for i := range q {
			scores := make([]float64, len(k))
			for j := range k {
				scores[j] = inner(part(q[i]), part(k[j])) / math.Sqrt(float64(size))
				if sees != nil && !sees(i, j) {
					scores[j] = math.Inf(-1)
				}
			}
			for j, weight := range softmax(scores) {
				for c, value := range part(v[j]) {
					out[i][h*size+c] += weight * value
				}
			}
		}
	}
	return p.linear(name+".out_proj", out)
}

func (p *plain) block(name string, heads int, x rows) rows {
	y := p.norm(name+".layer_norm1", x)
	x = plus(x, p.attend(name+".self_attn", heads, y, y, nil))
	return plus(x, p.mlp(name+".mlp", p.norm(name+".layer_norm2", x)))
}

// project is a head over the rows of the whole batch.
func (p *plain) project(name string, x rows) rows {
	h := p.linear(name+".0", x)
	if p.config.Variant.PlainProjection {
		h = h.each(gelu)
	} else {
		h = p.batchNorm(name+".1", h).each(relu)
	}
	return p.linear(name+".3", h)
}

// plainStage is a grouping block's assignment, [G][L].
type plainStage struct{ soft, hard rows }

// group is the grouping block: values nil pools the tokens themselves.
func (p *plain) group(name string, heads int, x, g, values rows) (rows, plainStage) {
	v := p.config.Variant
	g, x = p.norm(name+".norm_tokens", g), p.norm(name+".norm_x", x)
	if !v.NoTokenMixer {
		g = turned(p.mlp(name+".mlp_inter", turned(g)))
	}
	g = p.norm(name+".norm_post_tokens", g)
	g = plus(g, p.attend(name+".pre_assign_attn.attn", heads, g, x, nil))
	g = plus(g, p.mlp(name+".pre_assign_attn.mlp", p.norm(name+".pre_assign_attn.norm2", g)))
	g = p.norm(name+".pre_assign_attn.norm_post", g)
	stage := p.assign(name+".assign", g, x)
	if values == nil {
		values = x
	}
	projected := p.linear(name+".assign.v_proj", values)
	pooled, direct := zeros(len(g), len(g[0])), zeros(len(g), len(g[0]))
	for i, row := range stage.hard {
		total := sum(row, identity) + p.config.AssignEpsilon
		for n, a := range row {
			for c := range pooled[i] {
				pooled[i][c] += a / total * projected[n][c]
				direct[i][c] += a / total * values[n][c]
			}
		}
	}
	residual := g
	if v.NoGroupResidual {
		residual = direct
	}
	out := plus(p.linear(name+".assign.proj", pooled), residual)
	return plus(out, p.mlp(name+".mlp_channels", p.norm(name+".norm_new_x", out))), stage
}

func (p *plain) assign(name string, g, x rows) plainStage {
	v := p.config.Variant
	q, k := p.linear(name+".q_proj", g), p.linear(name+".k_proj", x)
	logits := zeros(len(q), len(k))
	for i := range q {
		for n := range k {
			logits[i][n] = inner(q[i], k[n]) / math.Sqrt(float64(p.config.Width))
		}
	}
	if v.AssignScale > 0 {
		logits = centredScaled(logits, v.AssignScale, v.AssignGuard)
	}
	stage := plainStage{hard: zeros(len(q), len(k))}
	soft := turned(logits) // by token
	for n, row := range soft {
		soft[n] = softmax(row)
		stage.hard[slices.Index(row, slices.Max(row))][n] = 1
	}
	stage.soft = turned(soft)
	if v.SoftAssign {
		stage.hard = stage.soft
	}
	return stage
}

// centredScaled: minus the mean over tokens, minus the mean over groups, times
// scale over the root mean square plus guard.
func centredScaled(l rows, scale, guard float64) rows {
	for i := range l {
		m := mean(l[i])
		for n := range l[i] {
			l[i][n] -= m
		}
	}
	squares := 0.0
	for n := range l[0] {
		m := 0.0
		for i := range l {
			m += l[i][n] / float64(len(l))
		}
		for i := range l {
			l[i][n] -= m
			squares += l[i][n] * l[i][n]
		}
	}
	rms := math.Sqrt(squares / float64(len(l)*len(l[0])))
	return l.each(func(v float64) float64 { return scale * v / (rms + guard) })
}
