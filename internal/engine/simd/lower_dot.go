package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

func init() {
	lowerings[compute.OpTypeDotGeneral] = lowerDot
	lowerings[compute.OpTypeFusedDense] = lowerDense
}

// matrix is an operand of a product: batch matrices of rows×cols.
type matrix struct {
	view        view
	batch       int // stride of the batch; 0 shares one matrix
	stride      int // of the rows, or of the columns if transposed
	transposed  bool
	rows, cols  int
	batchLength int
}

func (m matrix) of(f *frame) tile.Matrix {
	return tile.Matrix{Data: f.read(m.view), Stride: m.stride, Transposed: m.transposed}
}

// asMatrix reads a view as matrices, or says false if the elements would have to move. The axes are those of the
// batch, the rows and the columns.
func asMatrix(v view, batch, rows, cols []int) (matrix, bool) {
	m := matrix{view: v, rows: product(pick(v.dims, rows)), cols: product(pick(v.dims, cols)), batchLength: product(pick(v.dims, batch))}
	b, ok1 := joinAxes(pick(v.dims, batch), pick(v.strides, batch))
	r, ok2 := joinAxes(pick(v.dims, rows), pick(v.strides, rows))
	c, ok3 := joinAxes(pick(v.dims, cols), pick(v.strides, cols))
	if !ok1 || !ok2 || !ok3 {
		return m, false
	}
	m.batch = b
	if m.batchLength == 1 {
		m.batch = 0
	}
	switch {
	case m.cols == 1 && m.rows == 1:
		m.stride = 1
	case m.cols == 1: // a column: neighbours r apart
		m.stride = r
		if r == 1 {
			m.transposed, m.stride = true, m.rows
		}
	case m.rows == 1:
		m.stride = m.cols
		if c != 1 {
			m.transposed, m.stride = true, c
		}
	case c == 1:
		m.stride = r
	case r == 1:
		m.transposed, m.stride = true, c
	default:
		return m, false
	}
	return m, m.stride > 0
}

// asMatrix reads a value as matrices, copying it in that order where it must.
func (c *compiler) asMatrix(v *value, batch, rows, cols []int) (matrix, error) {
	r, err := c.view(v)
	if err != nil {
		return matrix{}, err
	}
	if m, ok := asMatrix(r, batch, rows, cols); ok {
		return m, nil
	}
	order := append(append(append([]int{}, batch...), rows...), cols...)
	from := r.transpose(order)
	to := whole(c.slot(v.dtype(), v.size()), from.dims)
	if err := c.copyStep(to, from); err != nil {
		return matrix{}, err
	}
	n := seq(len(order))
	m, _ := asMatrix(to, n[:len(batch)], n[len(batch):len(batch)+len(rows)], n[len(batch)+len(rows):])
	return m, nil
}

// rest gives the axes of rank that are in none of the lists.
func rest(rank int, lists ...[]int) []int {
	used := make([]bool, rank)
	for _, l := range lists {
		for _, a := range l {
			used[a] = true
		}
	}
	var r []int
	for a, u := range used {
		if !u {
			r = append(r, a)
		}
	}
	return r
}

func lowerDot(c *compiler, n *node) (bool, error) {
	a := n.attr.(dotAttr)
	x, y, out := n.inputs[0], n.inputs[1], n.values[0]
	if x.dtype() != dtypes.Float32 || y.dtype() != dtypes.Float32 || out.dtype() != dtypes.Float32 ||
		a.config.AccumulatorDType != dtypes.InvalidDType && a.config.AccumulatorDType != dtypes.Float32 {
		return false, nil
	}
	rows, cols := rest(x.shape.Rank(), a.contract[0], a.batch[0]), rest(y.shape.Rank(), a.contract[1], a.batch[1])
	left, err := c.asMatrix(x, a.batch[0], rows, a.contract[0])
	if err != nil {
		return false, err
	}
	right, err := c.asMatrix(y, a.batch[1], a.contract[1], cols)
	if err != nil {
		return false, err
	}
	return true, c.productStep(left, right, c.define(out), nil, nil, vector.NoActivation)
}

// productStep multiplies batches of matrices; bias and residual may be nil.
func (c *compiler) productStep(left, right matrix, out view, bias, residual *view, act vector.Activation) error {
	batch, m, n, k := left.batchLength, left.rows, right.cols, left.cols
	s := step{name: fmt.Sprintf("product %dx%dx%dx%d", left.batchLength, left.rows, left.cols, right.cols), reads: []*slot{left.view.slot, right.view.slot}, writes: []*slot{out.slot},
		flop: 2 * float64(batch) * float64(m) * float64(n) * float64(k)}
	if bias != nil {
		s.reads = append(s.reads, bias.slot)
	}
	if residual != nil {
		s.reads = append(s.reads, residual.slot)
		if residual.covers() && residual.slot != left.view.slot && residual.slot != right.view.slot {
			s.over = [][2]*slot{{out.slot, residual.slot}}
		}
	}
	epilogue := func(f *frame) gemm.Epilogue {
		e := gemm.Epilogue{Activation: act}
		if bias != nil {
			e.Bias = f.read(*bias)
		}
		if residual != nil {
			e.Residual = f.read(*residual)
		}
		return e
	}
	pool := c.pool
	if batch == 1 && right.view.slot.kind == constant && left.view.slot.kind != constant && k*n > 0 {
		packed := c.pack(right)
		s.packed = packed.Bytes()
		if f := packed.Format(); f != tile.Float32 {
			s.name += " " + f.String()
		}
		s.reads = slices.Delete(s.reads, 1, 2) // the weight itself is not needed any more
		s.run = func(f *frame) error {
			gemm.Product{M: m, A: left.of(f), Packed: packed, C: f.read(out), LDC: max(n, 1), Epilogue: epilogue(f)}.Run(pool)
			return nil
		}
		return c.emit(s)
	}
	if batch == 1 && c.backend.rounded && worthRounding(m, n, k) {
		s.name += " " + tile.BFloat16.String()
		s.run = func(f *frame) error {
			gemm.Product{M: m, N: n, K: k, A: left.of(f), B: right.of(f), C: f.read(out), LDC: max(n, 1), Epilogue: epilogue(f)}.RunRounded(pool)
			return nil
		}
		return c.emit(s)
	}
	s.run = func(f *frame) error {
		if batch == 0 {
			return nil
		}
		gemm.Product{M: m, N: n, K: k, A: left.of(f), B: right.of(f), C: f.read(out), LDC: max(n, 1), Epilogue: epilogue(f),
			Batch: batch, StrideA: left.batch, StrideB: right.batch, StrideC: m * n}.Run(pool)
		return nil
	}
	return c.emit(s)
}

// worthRounding reports whether a product has enough work for each of its numbers to pay for rounding them.
func worthRounding(m, n, k int) bool { return min(m, n, k) >= 32 && m*n*k >= 1<<20 }

// packKey names a constant matrix.
type packKey struct {
	slot               *slot
	offset             int
	rows, cols, stride int
	transposed         bool
}

// pack gives a constant right operand in the order in which the kernel reads it. Each is packed once, and large ones
// once for all executables of the backend.
func (c *compiler) pack(m matrix) *gemm.PackedB {
	key := packKey{m.view.slot, m.view.offset, m.rows, m.cols, m.stride, m.transposed}
	p, ok := c.packed[key]
	if ok {
		return p
	}
	pack := func() *gemm.PackedB { return gemm.Pack(c.pool, c.backend.weights, m.rows, m.cols, m.of(c.now)) }
	if content := m.view.slot.content; content != (fingerprint{}) {
		general := key
		general.slot = nil
		p = c.backend.shared.pack(sharedPack{content, level.Current(), general}, pack)
	} else {
		p = pack()
	}
	c.packed[key] = p
	return p
}

// activations that a product's epilogue knows.
var activations = map[compute.ActivationType]vector.Activation{
	compute.ActivationNone: vector.NoActivation,
	compute.ActivationGelu: vector.GELU,
	compute.ActivationRelu: vector.ReLU,
}

func lowerDense(c *compiler, n *node) (bool, error) {
	a := n.attr.(denseAttr)
	x, w, b := n.inputs[0], n.inputs[1], n.inputs[2]
	act, ok := activations[a.Activation]
	if !ok || x.dtype() != dtypes.Float32 {
		return false, nil
	}
	if a.act != vector.NoActivation {
		act = a.act
	}
	last := x.shape.Rank() - 1
	left, err := c.asMatrix(x, nil, seq(last), []int{last})
	if err != nil {
		return false, err
	}
	axes := seq(w.shape.Rank())
	in, outs := axes[:1], axes[1:]
	if a.WeightLayout == compute.DenseLayoutOutputsInput {
		outs, in = axes[:len(axes)-1], axes[len(axes)-1:]
	}
	right, err := c.asMatrix(w, nil, in, outs)
	if err != nil {
		return false, err
	}
	var bias *view
	if b != nil {
		v, err := c.dense(b)
		if err != nil {
			return false, err
		}
		bias = &v
	}
	var residual *view
	if len(n.inputs) > 3 {
		v, err := c.dense(n.inputs[3])
		if err != nil {
			return false, err
		}
		residual = &v
	}
	return true, c.productStep(left, right, c.define(n.values[0]), bias, residual, act)
}
