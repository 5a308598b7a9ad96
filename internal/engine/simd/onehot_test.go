package simd_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// choice is a random computation that chooses by classes, as losses and hard assignments do: integer classes,
// compared with every class, choose between numbers, which are summed and multiplied, and chosen from again.
type choice struct {
	r       *rand.Rand
	depth   int     // number of classes
	numbers []*Node // float32, [items, depth]
	exact   []*Node // those of them that have the same bits on both engines, so that they may be compared
	flags   []*Node // bool, [items, depth]
}

func pickOne[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// hot compares classes [items] with all of them: as numbers, as whole numbers or by the comparison itself.
func (c *choice) hot(classes *Node) {
	switch c.r.IntN(4) {
	case 0:
		x := OneHot(classes, c.depth, dtypes.Float32)
		c.numbers, c.exact = append(c.numbers, x), append(c.exact, x)
	case 1:
		whole := OneHot(classes, c.depth, pickOne(c.r, []dtypes.DType{dtypes.Int32, dtypes.Int64}))
		c.flags = append(c.flags, Equal(whole, OnesLike(whole)))
	case 2:
		x := OneHot(classes, c.depth, dtypes.Float32)
		c.numbers = append(c.numbers, x)
		c.flags = append(c.flags, GreaterThan(x, ScalarZero(x.Graph(), dtypes.Float32)))
	default:
		c.flags = append(c.flags, OneHot(classes, c.depth, dtypes.Bool))
	}
}

// step adds one operation.
func (c *choice) step() {
	x, y := pickOne(c.r, c.numbers), pickOne(c.r, c.numbers)
	items := x.Shape().Dim(0)
	if len(c.flags) == 0 || c.r.IntN(8) == 0 {
		c.flags = append(c.flags, GreaterThan(pickOne(c.r, c.exact), pickOne(c.r, c.exact)))
		return
	}
	flag := pickOne(c.r, c.flags)
	add := func(n *Node) { c.numbers = append(c.numbers, n) }
	switch c.r.IntN(9) {
	case 0, 1:
		add(Where(flag, x, y))
	case 2:
		add(Where(flag, x, Scalar(x.Graph(), dtypes.Float32, c.r.NormFloat64())))
	case 3: // a sum over some axes, and back
		axes := pickOne(c.r, [][]int{{0}, {1}, {0, 1}})
		reduce := pickOne(c.r, []func(*Node, ...int) *Node{ReduceSum, ReduceMax, ReduceMin, ReduceMean})
		add(Add(Tanh(ReduceAndKeep(x, reduce, axes...)), y))
	case 4: // an exchange between items
		add(Tanh(MatMul(MulScalar(MatMul(x, Transpose(y, 0, 1)), 1/float64(c.depth*items)), x)))
	case 5:
		c.flags = append(c.flags, pickOne(c.r, []func(a, b *Node) *Node{LogicalAnd, LogicalOr, LogicalXor})(flag, pickOne(c.r, c.flags)))
	case 6:
		c.flags = append(c.flags, LogicalNot(flag))
	case 7: // whole numbers chosen and summed
		whole := ConvertDType(flag, dtypes.Int32)
		chosen := Where(flag, Iota(x.Graph(), whole.Shape(), 1), whole)
		add(Add(MulScalar(ConvertDType(ReduceAndKeep(chosen, ReduceSum, 1), dtypes.Float32), 0.01), x))
	default:
		add(Mul(pickOne(c.r, []func(*Node) *Node{Tanh, Sigmoid, Square})(x), y))
	}
}

// build draws the computation; the inputs are numbers, then classes in int32 and in int64. It gives all that nothing
// else came of, some of the rest, and the gradients, as one vector.
func (c *choice) build(in []*Node) *Node {
	c.numbers, c.exact = []*Node{in[0], in[1]}, []*Node{in[0], in[1]}
	for _, classes := range in[2:] {
		c.hot(classes)
	}
	for range 4 + c.r.IntN(40) {
		c.step()
	}
	last := c.numbers[len(c.numbers)-1]
	all := []*Node{last}
	for _, x := range c.numbers {
		if c.r.IntN(3) == 0 {
			all = append(all, ReduceAndKeep(x, ReduceSum, 0), x)
		}
	}
	for _, x := range c.flags {
		if c.r.IntN(3) == 0 {
			all = append(all, ConvertDType(x, dtypes.Float32))
		}
	}
	if c.r.IntN(2) == 0 {
		all = append(all, Gradient(ReduceAllMean(Square(last)), in[0], in[1])...)
	}
	for i, x := range all {
		all[i] = Reshape(x, -1)
	}
	return Concatenate(all, 0)
}

// Choices by classes give what the plain Go backend gives, whatever is computed at once with what.
func TestRandomChoices(t *testing.T) {
	plain, ours := reference(t), newBackend(t, 2)
	n := 400
	if testing.Short() {
		n = 60
	}
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 11))
		items, depth := 1+r.IntN(20), 1+r.IntN(20)
		classes := integers(r, depth+2, items) // some are none of them
		wide := make([]int64, items)
		for i := range wide {
			wide[i] = int64(r.IntN(depth+2)) - 1
		}
		in := []*tensors.Tensor{floats(r, items, depth), floats(r, items, depth), classes, tensors.FromFlatDataAndDimensions(wide, items)}
		var results [2][]float32
		for i, b := range []compute.Backend{plain, ours} {
			c := &choice{r: rand.New(rand.NewPCG(seed, 12)), depth: depth}
			results[i] = call(t, b, c.build, in)
		}
		if err := near(results[0], results[1], 1e-4); err != nil {
			t.Fatal(fmt.Errorf("seed %d: %w", seed, err))
		}
	}
}
