package onnx

import (
	"errors"
	"fmt"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/weights"
)

// ErrExport is wrapped by every error about a model or options from which no graph
// can be made.
var ErrExport = errors.New("no ONNX graph")

// Options say how a graph is made.
type Options struct {
	// Height and Width fix the size of the pictures, in pixels; both 0 leaves it to
	// each call, and the graph resizes the positions.
	Height, Width int
	// Batch fixes the number of pictures of a call; 0 leaves it free.
	Batch int
	// Normalised says that pixels come as (RGB in 0 … 1 − mean)/std; else the graph
	// does that.
	Normalised bool
	// Half stores weights of two axes and more in half precision. They are widened
	// when the graph is loaded: the file is half as large, not the work.
	Half bool
	// Name, License and Version go into the file: what the model is called, its
	// licence, and the version of this program.
	Name, License, Version string
}

func (o Options) fixed() bool { return o.Height > 0 }

// batch is the first axis of the pictures.
func (o Options) batch() axis {
	if o.Batch > 0 {
		return fixed(o.Batch)
	}
	return axis{name: "batch"}
}

// maxBatch is the largest batch that a graph may be fixed to.
const maxBatch = 4096

func check(m *weights.Model, o Options) error {
	if err := m.Config.Validate(); err != nil {
		return err
	}
	if err := checkVariant(m.Config.Variant); err != nil {
		return err
	}
	for _, p := range m.Config.Params() {
		if n := len(m.Tensors[p.Name]); n != p.Size() && !(n == 0 && p.Optional) {
			return fmt.Errorf("%w: tensor %q has %d values, its shape is %v", ErrExport, p.Name, n, p.Shape)
		}
	}
	if o.Batch < 0 || o.Batch > maxBatch {
		return fmt.Errorf("%w: a batch of %d: allowed are 1 to %d, or 0 for any", ErrExport, o.Batch, maxBatch)
	}
	if o.Height == 0 && o.Width == 0 {
		return nil
	}
	p := m.Config.PatchSize
	for _, side := range []int{o.Height, o.Width} {
		if side < p || side > limits.SeenSide {
			return fmt.Errorf("%w: pictures of %d×%d: a side is %d (one patch) to %d", ErrExport, o.Height, o.Width, p, limits.SeenSide)
		}
	}
	return limits.Check("number of patches", "size of the pictures", int64(o.Height/p)*int64(o.Width/p), limits.WindowPatches, "take a smaller one")
}
