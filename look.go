package groupvit

import (
	"context"
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/weights"
)

// look resizes a photo by a rule and runs the image tower on its windows.
func (m *Model) look(ctx context.Context, im *imaging.Image, rule assign.Rule, protocol Protocol) (*assign.View, error) {
	width, height := rule.Size(im.Width, im.Height)
	// A strip thinner than a patch is widened to one.
	width, height = max(width, m.config.PatchSize), max(height, m.config.PatchSize)
	if err := limits.Check("number of windows", "photo", int64(rule.Count(width, height)), limits.Windows, "look at it smaller, or in larger strides"); err != nil {
		return nil, err
	}
	windows, p := rule.Windows(width, height), m.config.PatchSize
	tokens := (windows[0].Width / p) * (windows[0].Height / p)
	if err := limits.Check("number of patches in one window", "photo", int64(tokens), limits.WindowPatches, "look at it smaller (short side)"); err != nil {
		return nil, err
	}
	seen, mean, std, err := m.prepare(im, width, height, protocol)
	if err != nil {
		return nil, err
	}
	view := &assign.View{Width: im.Width, Height: im.Height, SeenWidth: width, SeenHeight: height}
	for _, r := range windows {
		part := seen
		if r.Width != width || r.Height != height {
			if part, err = imaging.Crop(seen, r.X, r.Y, r.Width, r.Height); err != nil {
				return nil, err
			}
		}
		w, err := m.window(ctx, imaging.Normalize(part, mean, std), part.Width, part.Height)
		if err != nil {
			return nil, err
		}
		w.Rect = r
		view.Windows = append(view.Windows, *w)
	}
	return view, nil
}

// checkFinite refuses what a model with damaged weights makes: no later step
// could make sense of it.
func (m *Model) checkFinite(outputs ...[]float32) error {
	for _, out := range outputs {
		for _, v := range out {
			if !finite(float64(v)) {
				return fmt.Errorf("%w %s: its weights give %g", ErrModel, m.name, v)
			}
		}
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// prepare resizes a photo as a protocol's code does, and says with which mean
// and deviation its pixels are normalised.
func (m *Model) prepare(im *imaging.Image, width, height int, p Protocol) (seen *imaging.Image, mean, std [3]float32, err error) {
	mean, std = m.weights.Mean, m.weights.Std
	switch p {
	case Port: // the port's processor is Pillow's bicubic
		seen, err = imaging.ResizePIL(im, width, height, imaging.Bicubic)
	case Paper: // the paper's code reads and resizes with OpenCV
		if m.converted() {
			mean, std = weights.ImageNetMean, weights.ImageNetStd
		}
		seen, err = imaging.ResizeOpenCV(im, width, height)
	default:
		seen, err = imaging.ResizePIL(im, width, height, imaging.Bilinear)
	}
	return seen, mean, std, err
}

// CLIP's mean and deviation.
var (
	clipMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	clipStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// converted says whether the model looks like one of the paper's checkpoints,
// converted for the Hugging Face port: the conversion stored CLIP's mean beside
// them, but they were trained, and measured by the paper's code, with ImageNet's.
// A model trained here has an eval.json.
func (m *Model) converted() bool {
	_, ours := m.weights.Extra[evalName]
	return !ours && m.config.IsPaper() && m.weights.Mean == clipMean && m.weights.Std == clipStd
}

// window runs the image tower on normalised pixels [3, height, width].
func (m *Model) window(ctx context.Context, pixels []float32, width, height int) (*assign.Window, error) {
	out, grid, err := m.runImage(ctx, pixels, height, width)
	if err != nil {
		return nil, err
	}
	w := &assign.Window{GridH: grid[0], GridW: grid[1], Image: out[0]}
	p := m.config.EmbedWidth
	assign.Normalize(w.Image, p)
	out = out[1:]
	if groups := m.stageGroups(); len(groups) > 0 {
		for i := range groups {
			w.Stages = append(w.Stages, assign.Chain(out[:i+1], groups[:i+1]))
		}
		w.Assign = w.Stages[len(groups)-1]
		w.Groups = out[len(groups)]
		assign.Normalize(w.Groups, p)
		out = out[len(groups)+1:]
	}
	if len(out) > 0 {
		w.Patches = out[0]
		assign.Normalize(w.Patches, p)
	}
	return w, nil
}
