package groupvit

import (
	"context"
	"fmt"
	"image"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
)

// Encoded is a photo that the model has looked at. It answers any number of
// questions without looking again, and is safe for concurrent use.
type Encoded struct {
	model    *Model
	protocol Protocol
	rule     assign.Rule
	view     *assign.View
}

// Encode looks at a photo at the size that the protocol of o says; other
// options do not matter here.
//
// Errors wrap [ErrOption], [ErrTooLarge], [ErrModel] or ctx's error.
func (m *Model) Encode(ctx context.Context, photo image.Image, o *SegmentOptions) (*Encoded, error) {
	settings, err := m.settings(o)
	if err != nil {
		return nil, err
	}
	im, err := toImage(photo)
	if err != nil {
		return nil, err
	}
	rule, err := m.rule(&settings)
	if err != nil {
		return nil, err
	}
	e := &Encoded{model: m, protocol: settings.Protocol, rule: rule}
	e.view, err = m.look(ctx, im, rule, settings.Protocol)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// settings fills in an option's defaults and checks them.
func (m *Model) settings(o *SegmentOptions) (SegmentOptions, error) {
	var s SegmentOptions
	if o != nil {
		s = *o
	}
	if _, err := ParseProtocol(string(s.Protocol)); err != nil {
		return s, err
	}
	if err := s.Background.check(); err != nil {
		return s, err
	}
	if s.Protocol == "" {
		s.Protocol = m.DefaultProtocol()
	}
	if s.Protocol != Best && !m.config.HasGroups() {
		return s, fmt.Errorf("%w: protocol %s needs groups, which model %s has not: use protocol best", ErrOption, s.Protocol, m.name)
	}
	return s, nil
}

func toImage(photo image.Image) (*imaging.Image, error) {
	if im, ok := photo.(*imaging.Image); ok {
		return im, nil
	}
	if photo == nil {
		return nil, fmt.Errorf("%w: no photo", ErrOption)
	}
	return imaging.FromImage(photo)
}

// look resizes a photo by a rule and runs the image tower on its windows.
func (m *Model) look(ctx context.Context, im *imaging.Image, rule assign.Rule, p Protocol) (*assign.View, error) {
	width, height := rule.Size(im.Width, im.Height)
	// A strip thinner than a patch is widened to one.
	width, height = max(width, m.config.PatchSize), max(height, m.config.PatchSize)
	var seen *imaging.Image
	var err error
	switch p {
	case Port: // the port's processor is Pillow's bicubic
		seen, err = imaging.ResizePIL(im, width, height, imaging.Bicubic)
	case Paper: // the paper's code reads and resizes with OpenCV
		seen, err = imaging.ResizeOpenCV(im, width, height)
	default:
		seen, err = imaging.ResizePIL(im, width, height, imaging.Bilinear)
	}
	if err != nil {
		return nil, err
	}
	view := &assign.View{Width: im.Width, Height: im.Height, SeenWidth: width, SeenHeight: height}
	for _, r := range rule.Windows(width, height) {
		part := seen
		if r.Width != width || r.Height != height {
			if part, err = imaging.Crop(seen, r.X, r.Y, r.Width, r.Height); err != nil {
				return nil, err
			}
		}
		w, err := m.window(ctx, part)
		if err != nil {
			return nil, err
		}
		w.Rect = r
		view.Windows = append(view.Windows, *w)
	}
	return view, nil
}

// window runs the image tower on one picture.
func (m *Model) window(ctx context.Context, im *imaging.Image) (*assign.Window, error) {
	pixels := imaging.Normalize(im, m.weights.Mean, m.weights.Std)
	if err := m.take(ctx); err != nil {
		return nil, err
	}
	defer m.give()
	shape := []int{1, 3, im.Height, im.Width}
	out, err := m.image.run(tensors.FromFlatDataAndDimensions(pixels, shape...), shape...)
	if err != nil {
		return nil, fmt.Errorf("%w %s: image tower on %d×%d pixels: %w", ErrModel, m.name, im.Width, im.Height, err)
	}
	c := m.image.compiled[len(m.image.compiled)-1]
	w := &assign.Window{GridH: c.gridH, GridW: c.gridW, Image: out[0]}
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

// EmbedImage returns the photo's unit vector in the space shared with texts.
// The photo's short side is resized to the training size (bilinear) and the
// middle square taken, as in the paper's classification.
func (m *Model) EmbedImage(ctx context.Context, photo image.Image) ([]float32, error) {
	im, err := toImage(photo)
	if err != nil {
		return nil, err
	}
	side := m.config.ImageSize
	width, height := imaging.ShortSide(im.Width, im.Height, side)
	if im, err = imaging.ResizePIL(im, width, height, imaging.Bilinear); err != nil {
		return nil, err
	}
	if im, err = imaging.CenterCrop(im, side, side); err != nil {
		return nil, err
	}
	w, err := m.window(ctx, im)
	if err != nil {
		return nil, err
	}
	return w.Image, nil
}
