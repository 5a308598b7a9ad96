package stepper

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/network"
)

// fillRandom writes a step's random numbers, uniform in [0, 1), of pictures from
// on: each picture has a row of count numbers of its own, which depend on seed,
// step and the picture's place in the batch alone. So neither the engine nor the
// parts in which a batch is computed change them. They are the upper 24 bits of
// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func fillRandom(out []float32, count int, seed uint64, step, from int) {
	for i := 0; i*count < len(out); i++ {
		x := seed
		for _, place := range []int{step, from + i} {
			x = mix(x+golden) ^ uint64(place)
		}
		for j := range out[i*count : (i+1)*count] {
			x += golden
			out[i*count+j] = float32(mix(x)>>40) * (1.0 / (1 << 24))
		}
	}
}

const golden = 0x9e3779b97f4a7c15 // 2⁶⁴ over the golden ratio

// mix is SplitMix64's output function.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// randomOf hands out the columns of random numbers [B, R] in the order in which
// the network asks for them. What it asks for must be [B, …].
func randomOf(all *Node) func(shapes.Shape) *Node {
	batch, width, at := all.Shape().Dimensions[0], all.Shape().Dimensions[1], 0
	return func(shape shapes.Shape) *Node {
		n := shape.Size() / batch
		if shape.Dimensions[0] != batch || at+n > width {
			exceptions.Panicf("the network asks for random numbers %v: of a batch of %d, %d of %d a picture are used", shape, batch, at, width)
		}
		part := SliceAxis(all, 1, AxisRange(at, at+n))
		at += n
		return ConvertDType(Reshape(part, shape.Dimensions...), shape.DType)
	}
}

// countRandom returns the number of random numbers that the image tower asks for
// a picture: it builds the tower without running it.
func countRandom(backend compute.Backend, c network.Config) (count int, err error) {
	err = exceptions.TryCatch[error](func() {
		g := NewGraph(backend, "random numbers of a picture")
		defer g.Finalize()
		shapesOf := map[string]network.Param{}
		for _, p := range c.Params() {
			shapesOf[p.Name] = p
		}
		used := map[string]*Node{}
		weights := func(name string) *Node {
			if used[name] == nil {
				used[name] = Parameter(g, name, shapes.Make(dtypes.Float32, shapesOf[name].Shape...))
			}
			return used[name]
		}
		random := func(shape shapes.Shape) *Node { count += shape.Size(); return Zeros(g, shape) }
		pixels := Parameter(g, "pixels", shapes.Make(dtypes.Float32, 1, 3, c.ImageSize, c.ImageSize))
		network.ImageTower(weights, c, pixels, network.Mode{Training: true, Random: random})
	})
	return count, err
}
