package groupvit

import (
	"context"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
)

// Encoded is a photo that the model has looked at. It answers any number of
// questions without looking again, and is safe for concurrent use.
type Encoded struct {
	model    *Model
	protocol Protocol
	// benchmark is that of the options, or "".
	benchmark string
	rule      assign.Rule
	// view is the rule's own look, views all looks of protocol best.
	view  *assign.View
	views []*assign.View
	// techniques are those it was looked at with, canvas what they need of the
	// photo; protocol best.
	techniques Techniques
	canvas     *canvas
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
	e := &Encoded{model: m, protocol: settings.Protocol, benchmark: settings.Benchmark, rule: rule}
	if settings.Protocol == Best {
		if err := e.look(ctx, im, &settings); err != nil {
			return nil, err
		}
		return e, nil
	}
	e.view, err = m.look(ctx, im, rule, settings.Protocol.reading())
	if err != nil {
		return nil, err
	}
	return e, nil
}

// look looks as protocol best does.
func (e *Encoded) look(ctx context.Context, im *imaging.Image, o *SegmentOptions) error {
	var err error
	if e.techniques, err = e.model.techniquesOf(o); err != nil {
		return err
	}
	if e.views, err = e.model.looks(ctx, im, e.rule, e.techniques, Best); err != nil {
		return err
	}
	e.view = e.views[0]
	if e.techniques.refines() {
		p := float64(e.model.config.PatchSize)
		patches := float64(e.view.SeenWidth) / p * float64(e.view.SeenHeight) / p
		e.canvas, err = newCanvas(im, patches)
	}
	return err
}

// Bytes is about how much memory the Encoded needs, what a question adds for good
// included; for caches that are bounded by bytes.
func (e *Encoded) Bytes() int64 {
	n := e.canvas.bytes()
	views := e.views
	if views == nil {
		views = []*assign.View{e.view}
	}
	for _, v := range views {
		n += viewBytes(v)
	}
	return n
}

func viewBytes(v *assign.View) (n int64) {
	for i := range v.Windows {
		w := &v.Windows[i]
		for _, s := range append([][]float32{w.Groups, w.Patches, w.Image}, w.Stages...) {
			n += 4 * int64(len(s))
		}
		if w.Assign != nil { // the hardest groups, 2 bytes a pixel
			n += 2 * int64(w.Width) * int64(w.Height)
		}
	}
	return n
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
	if s.Protocol == "" {
		s.Protocol = m.DefaultProtocol()
	}
	if (s.Protocol == Paper || s.Protocol == Port) && !m.config.HasGroups() {
		return s, fmt.Errorf("%w: protocol %s needs groups, which model %s has not: use protocol best", ErrOption, s.Protocol, m.name)
	}
	if err := checkBenchmark(s.Benchmark); err != nil {
		return s, err
	}
	return s, s.Background.fits(s.Protocol)
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
