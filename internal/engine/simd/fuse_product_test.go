package simd_test

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
)

// Activations and residuals that Compile makes a part of a product, and those that it must not, against the plain
// Go backend.
func TestProductsAbsorb(t *testing.T) {
	const rows, width = 37, 24
	matrix := func(seed, rows, cols int) [][]float32 {
		m := make([][]float32, rows)
		for i := range m {
			m[i] = make([]float32, cols)
			for j := range m[i] {
				m[i][j] = float32((i*31+j*17+seed*7)%23-11) * 0.09
			}
		}
		return m
	}
	w, bias := matrix(1, width, width), matrix(2, 1, width)[0]
	quick := func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Sigmoid(graph.MulScalar(x, 1.702))) }
	for _, c := range []struct {
		name string
		f    func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node
	}{
		{"gelu", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node { return activation.Gelu(dense(x)) }},
		{"quick gelu", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node { return quick(dense(x)) }},
		{"residual", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node { return graph.Add(x, dense(x)) }},
		{"residual on the other side", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			return graph.Add(dense(graph.Sin(x)), graph.Cos(x))
		}},
		{"a block of a transformer", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			return graph.Add(x, dense(activation.Gelu(dense(x))))
		}},
		{"with reshapes between", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			y := activation.Gelu(graph.Reshape(dense(x), 1, rows, width))
			return graph.Reshape(graph.Add(graph.Reshape(x, 1, rows, width), graph.Reshape(dense(graph.Reshape(y, rows, width)), 1, rows, width)), rows, width)
		}},
		{"activation, then residual", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			return graph.Add(activation.Gelu(dense(x)), x)
		}},
		{"residual that is computed later", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			y := dense(x)
			return graph.Add(y, activation.Gelu(graph.Sin(graph.MulScalar(x, 3))))
		}},
		{"residual that needs the product", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			y := dense(x)
			return graph.Add(y, graph.Sin(y))
		}},
		{"two products added", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			return graph.Add(dense(x), dense(graph.Sin(x)))
		}},
		{"twice itself", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			y := dense(x)
			return graph.Add(y, y)
		}},
		{"a row added", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			return graph.Add(dense(x), graph.BroadcastToShape(graph.SliceAxis(x, 0, graph.AxisRange(2, 3)), x.Shape()))
		}},
		{"the activation's operand is used too", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			y := dense(x)
			return graph.Concatenate([]*graph.Node{activation.Gelu(y), y}, 0)
		}},
		{"gradient", func(x *graph.Node, dense func(*graph.Node) *graph.Node) *graph.Node {
			y := graph.Add(x, dense(activation.Gelu(dense(x))))
			return graph.Gradient(graph.ReduceAllSum(graph.Mul(y, graph.Sin(x))), x)[0]
		}},
	} {
		for _, constant := range []bool{true, false} {
			for _, biased := range []bool{true, false} {
				name := c.name
				if constant {
					name += ", packed"
				}
				if biased {
					name += ", bias"
				}
				t.Run(name, func(t *testing.T) {
					f := func(x, weight, b *graph.Node) *graph.Node {
						if constant {
							weight, b = graph.Const(x.Graph(), w), graph.Const(x.Graph(), bias)
						}
						if !biased {
							b = nil
						}
						return c.f(x, func(x *graph.Node) *graph.Node { return nn.Dense(x, weight, b, compute.DenseLayoutInputOutputs) })
					}
					x := matrix(3, rows, width)
					want, err := graph.CallOnce(reference(t), f, x, w, bias)
					if err != nil {
						t.Fatal(err)
					}
					got, err := graph.CallOnce(newBackend(t, 2), f, x, w, bias)
					if err != nil {
						t.Fatal(err)
					}
					if err := near(flat(want.Value().([][]float32)), flat(got.Value().([][]float32)), 1e-5); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}
