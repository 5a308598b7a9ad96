package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/weights"
)

// initReport says what a run takes over from another model.
type initReport struct {
	// Loaded tensors are taken over as they are, Resized ones with the change of
	// their shape; Fresh ones start as without a model; Unused ones are the other
	// model's alone.
	Loaded, Resized, Fresh, Unused []string
	// Values is how many numbers of the new model come from the other, Of how many.
	Values, Of int
}

// startFrom starts a model of configuration c from another one of any
// configuration: tensors of the same name and shape are taken over; position and
// token embeddings are resized; everything else starts from seed.
func startFrom(m *weights.Model, c network.Config, seed uint64) (map[string][]float32, initReport, error) {
	out, r := network.Initialize(c, seed), initReport{}
	theirs := map[string][]int{}
	for _, p := range m.Config.Params() {
		theirs[p.Name] = p.Shape
	}
	for _, p := range c.Params() {
		r.Of += p.Size()
		values, shape := m.Tensors[p.Name], theirs[p.Name]
		switch resized := resizeTensor(p, values, shape, out[p.Name]); {
		case values == nil || len(values) != stepper.Elements(shape):
			r.Fresh = append(r.Fresh, p.Name)
		case slices.Equal(shape, p.Shape):
			out[p.Name] = slices.Clone(values)
			r.Loaded, r.Values = append(r.Loaded, p.Name), r.Values+p.Size()
		case resized != nil:
			out[p.Name] = resized
			r.Resized, r.Values = append(r.Resized, fmt.Sprintf("%s %v → %v", p.Name, shape, p.Shape)), r.Values+p.Size()
		default:
			r.Fresh = append(r.Fresh, fmt.Sprintf("%s %v (there %v)", p.Name, p.Shape, shape))
		}
		delete(theirs, p.Name)
	}
	for name := range theirs {
		r.Unused = append(r.Unused, name)
	}
	slices.Sort(r.Unused)
	if len(r.Loaded) == 0 {
		return nil, r, fmt.Errorf("%w: init: %s has no tensor of the name and shape that the model needs (such as %s %v): "+
			"set the section model to its configuration, or leave init out", settings.ErrSettings, m.Source, c.Params()[0].Name, c.Params()[0].Shape)
	}
	return out, r, nil
}

// resizeTensor makes an embedding fit that is longer or shorter in the other
// model; rows that there are not start as fresh does. Nil: it cannot be resized.
func resizeTensor(p network.Param, values []float32, shape []int, fresh []float32) []float32 {
	if len(shape) != len(p.Shape) || len(shape) < 2 || len(values) != stepper.Elements(shape) || shape[len(shape)-1] != p.Shape[len(shape)-1] {
		return nil
	}
	width, out := shape[len(shape)-1], slices.Clone(fresh)
	from, to := shape[len(shape)-2], p.Shape[len(shape)-2]
	switch {
	case strings.HasSuffix(p.Name, "embeddings.position_embeddings"): // of the image: a square grid
		a, b := int(math.Round(math.Sqrt(float64(from)))), int(math.Round(math.Sqrt(float64(to))))
		if a*a != from || b*b != to {
			return nil
		}
		return network.ResizePositions(values, a, b, width)
	case strings.HasSuffix(p.Name, "position_embedding.weight"): // of the text
		copy(out, values)
		return out
	case strings.HasSuffix(p.Name, "token_embedding.weight"): // start and end are the last ids
		const ends = 2
		if from < ends || to < ends {
			return nil
		}
		copy(out, values[:(min(from, to)-ends)*width])
		copy(out[(to-ends)*width:], values[(from-ends)*width:])
		return out
	}
	return nil
}

// String is the report for a person: how much, then which tensors, a few of each
// kind by name.
func (r initReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d tensors taken over, %d resized, %d new: %.1f %% of the model's %d numbers",
		len(r.Loaded), len(r.Resized), len(r.Fresh), 100*float64(r.Values)/float64(max(r.Of, 1)), r.Of)
	for _, part := range []struct {
		what  string
		names []string
	}{{"resized", r.Resized}, {"new", r.Fresh}, {"not used", r.Unused}} {
		const most = 6
		if n := len(part.names); n > most {
			fmt.Fprintf(&b, "\n  %s: %s and %d more", part.what, strings.Join(part.names[:most], ", "), n-most)
		} else if n > 0 {
			fmt.Fprintf(&b, "\n  %s: %s", part.what, strings.Join(part.names, ", "))
		}
	}
	return b.String()
}
