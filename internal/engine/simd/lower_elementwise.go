package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// unaries, binaries and comparisons are the operations that programs know.
var (
	unaries = map[compute.OpType]vector.UnaryOp{
		compute.OpTypeAbs: vector.Abs, compute.OpTypeErf: vector.Erf, compute.OpTypeExp: vector.Exp,
		compute.OpTypeFusedGelu: vector.Gelu, compute.OpTypeLog: vector.Log, compute.OpTypeLogistic: vector.Sigmoid,
		compute.OpTypeNeg: vector.Neg, compute.OpTypeRsqrt: vector.Rsqrt, compute.OpTypeSqrt: vector.Sqrt,
		compute.OpTypeTanh: vector.Tanh,
	}
	binaries = map[compute.OpType]vector.BinaryOp{
		compute.OpTypeAdd: vector.Add, compute.OpTypeDiv: vector.Div, compute.OpTypeMax: vector.Max,
		compute.OpTypeMin: vector.Min, compute.OpTypeMul: vector.Mul, compute.OpTypeSub: vector.Sub,
	}
	comparisons = map[compute.OpType]vector.CompareOp{
		compute.OpTypeEqual: vector.Equal, compute.OpTypeNotEqual: vector.NotEqual,
		compute.OpTypeLessThan: vector.Less, compute.OpTypeLessOrEqual: vector.LessEqual,
		compute.OpTypeGreaterThan: vector.Greater, compute.OpTypeGreaterOrEqual: vector.GreaterEqual,
	}
	logical = map[compute.OpType]vector.Operation{
		compute.OpTypeLogicalAnd: vector.DoAnd, compute.OpTypeLogicalOr: vector.DoOr,
		compute.OpTypeLogicalXor: vector.DoXor, compute.OpTypeLogicalNot: vector.DoNot,
	}
)

// instruction translates an elementwise node; ok is false for what programs do not know.
func instruction(n *node) (i vector.Instruction, ok bool) {
	if len(n.inputs) == 0 || n.inputs[0] == nil {
		return i, false
	}
	if i, ok = fused[n.op]; ok {
		return i, true
	}
	from, to := n.inputs[0].dtype(), n.values[0].dtype()
	const f32, boolean = dtypes.Float32, dtypes.Bool
	if op, known := unaries[n.op]; known && from == f32 {
		exact, gelu := n.attr.(geluAttr)
		return vector.Instruction{Do: vector.DoUnary, Op: uint8(op)}, !gelu || bool(exact)
	}
	if op, known := binaries[n.op]; known && from == f32 {
		return vector.Instruction{Do: vector.DoBinary, Op: uint8(op)}, true
	}
	if op, known := comparisons[n.op]; known && from == f32 {
		return vector.Instruction{Do: vector.DoCompare, Op: uint8(op)}, true
	}
	if do, known := logical[n.op]; known && from == boolean {
		return vector.Instruction{Do: do}, true
	}
	switch {
	case n.op == compute.OpTypeWhere && to == f32:
		return vector.Instruction{Do: vector.DoSelect}, true
	case n.op == compute.OpTypeConvertDType && from == boolean && to == f32:
		return vector.Instruction{Do: vector.DoFromBool}, true
	case n.op == compute.OpTypeSign && from == f32:
		return vector.Instruction{Do: vector.DoSign}, true
	case n.op == compute.OpTypeIsFinite && from == f32:
		return vector.Instruction{Do: vector.DoFinite}, true
	case n.op == compute.OpTypeIsNaN && from == f32:
		return vector.Instruction{Do: vector.DoNaN}, true
	}
	return i, false
}

func elementwise(n *node) bool {
	_, ok := instruction(n)
	return ok
}

// expand gives a view of v as an operand of a result of dims: scalars and axes of one element broadcast.
func expand(v view, dims []int) view {
	r := view{slot: v.slot, offset: v.offset, dims: dims, strides: make([]int, len(dims))}
	if len(v.dims) != len(dims) {
		return r // a scalar
	}
	for i, d := range v.dims {
		if d != 1 {
			r.strides[i] = v.strides[i]
		}
	}
	return r
}

// lowerElementwise makes a program of a unit of elementwise nodes and sums of their results.
func (c *compiler) lowerElementwise(u *unit) (bool, error) {
	var nodes, sums []*node
	for _, n := range u.nodes {
		if elementwise(n) {
			nodes = append(nodes, n)
		} else {
			sums = append(sums, n)
		}
	}
	ok, err := c.lowerProgram(u, nodes, sums)
	if ok || err != nil || len(sums) == 0 {
		return ok, err
	}
	// The program cannot add up what it computes.
	if ok, err = c.lowerProgram(&unit{nodes: nodes}, nodes, nil); !ok || err != nil {
		return ok, err
	}
	for _, n := range sums {
		if ok, err = lowerReduce(c, n, vector.Sum); !ok || err != nil {
			return ok, err
		}
	}
	return true, nil
}

// lowerProgram makes a program of elementwise nodes of a unit, and of sums of their results.
func (c *compiler) lowerProgram(u *unit, nodes, sums []*node) (bool, error) {
	dims := nodes[0].values[0].dims()
	inside := map[*value]int{} // registers
	var outside []*value
	for _, n := range nodes {
		inside[n.values[0]] = -1
	}
	for _, n := range nodes {
		for _, v := range n.inputs {
			if _, ok := inside[v]; !ok {
				inside[v] = len(outside)
				outside = append(outside, v)
			}
		}
	}
	views := make([]view, len(outside))
	inputs := make([]vector.Input, len(outside))
	for i, v := range outside {
		r, err := c.streamed(v, dims)
		if err != nil {
			return false, err
		}
		views[i], inputs[i] = r, vector.Input{Bool: v.dtype() == dtypes.Bool, Strides: r.strides}
	}
	var code []vector.Instruction
	var results []*value
	var registers, summed []int
	for i, n := range nodes {
		q, _ := instruction(n)
		q.Dst = len(outside) + i
		inside[n.values[0]] = q.Dst
		for a, v := range n.inputs {
			q.Args[a] = inside[v]
		}
		code = append(code, q)
		if leaves(n.values[0], u) {
			results, registers = append(results, n.values[0]), append(registers, q.Dst)
		}
	}
	for _, n := range sums {
		summed = append(summed, inside[n.inputs[0]])
	}
	p, ok := vector.NewProgram(dims, inputs, code, registers, summed)
	if !ok {
		return false, nil
	}
	s := step{name: "elementwise"}
	if explainAfter > 0 {
		s.name = fmt.Sprintf("elementwise %v, %d operands, %d operations, %d results, %d sums", dims, len(outside), len(code), len(results), len(sums))
	}
	for _, v := range views {
		s.reads = append(s.reads, v.slot)
	}
	for i, v := range results {
		r := c.define(v)
		s.writes = append(s.writes, r.slot)
		views = append(views, r)
		for j, in := range views[:len(outside)] {
			if in.covers() && alone(views[:len(outside)], j) && p.LastRead(j) <= registers[i]-len(outside) {
				s.over = append(s.over, [2]*slot{r.slot, in.slot})
			}
		}
	}
	at := append(slices.Clone(seq(len(outside))), registers...)
	size := len(outside) + len(nodes)
	for i, n := range sums {
		r := c.define(n.values[0])
		s.writes = append(s.writes, r.slot)
		views, at = append(views, r), append(at, size+i)
	}
	size += len(sums)
	pool := c.pool
	s.run = func(f *frame) error {
		f.operands = slices.Grow(f.operands[:0], size)[:size]
		for i, v := range views {
			f.operands[at[i]] = f.memory(v)
		}
		p.Run(pool, f.operands)
		return nil
	}
	return true, c.emit(s)
}

// alone reports whether no other operand looks at the same memory, in whatever order.
func alone(operands []view, i int) bool {
	for j, v := range operands {
		if j != i && v.slot == operands[i].slot {
			return false
		}
	}
	return true
}

// seq is 0 … n-1.
func seq(n int) []int {
	r := make([]int, n)
	for i := range r {
		r[i] = i
	}
	return r
}

// leaves reports whether a value of a unit is used outside of it.
func leaves(v *value, u *unit) bool {
	if len(v.users) == 0 || v.output {
		return true
	}
	for _, user := range v.users {
		if !slices.Contains(u.nodes, user) {
			return true
		}
	}
	return false
}

// streamed gives a value as an operand over dims whose innermost stride a program can walk.
func (c *compiler) streamed(v *value, dims []int) (view, error) {
	r, err := c.view(v)
	if err != nil {
		return view{}, err
	}
	r = expand(r, dims)
	if walkable(r) {
		return r, nil
	}
	r, err = c.dense(v)
	return expand(r, dims), err
}

// walkable reports whether the innermost axis of more than one element has stride 0 or 1.
func walkable(v view) bool {
	for i := len(v.dims) - 1; i >= 0; i-- {
		if v.dims[i] != 1 {
			return v.strides[i] == 0 || v.strides[i] == 1
		}
	}
	return true
}
