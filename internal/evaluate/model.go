package evaluate

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// publishedSize is the picture size of the published models, in pixels.
const publishedSize = 224

// ModelPredictor segments with a model: each photo is looked at once, whatever
// the number of thresholds.
type ModelPredictor struct {
	model   *groupvit.Model
	options groupvit.SegmentOptions
	threads int
	labels  []string
	// classes gives, by label of the model's map (0 is background), the class
	// of the dataset.
	classes    []uint8
	background bool

	once   sync.Once
	report groupvit.Report // of the first photo
}

// NewModelPredictor asks a model for the classes of a dataset. Where the dataset
// has no class "background", every pixel gets a named class. threads is what
// the model's engine was given, for the report.
//
// Errors wrap [groupvit.ErrOption]: a threshold where there is no background.
func NewModelPredictor(m *groupvit.Model, d *bench.Dataset, o groupvit.SegmentOptions, threads int) (*ModelPredictor, error) {
	if o.Protocol == "" {
		o.Protocol = m.DefaultProtocol()
	}
	o.Benchmark = d.Benchmark
	p := &ModelPredictor{model: m, options: o, threads: threads, classes: []uint8{0}, background: d.Background >= 0}
	asksThreshold := o.Background != (groupvit.Background{}) && o.Background != groupvit.NoBackground()
	switch {
	case asksThreshold && !p.background:
		return nil, fmt.Errorf("%w: background %s: the classes measured on %s have no background, every pixel gets one of them", groupvit.ErrOption, o.Background, d.Name)
	case asksThreshold && !o.Protocol.HasBackground():
		return nil, fmt.Errorf("%w: background %s: protocol %s has no background: use paper, tcl, sclip or best", groupvit.ErrOption, o.Background, o.Protocol)
	case p.background:
		p.classes[0] = uint8(d.Background)
	default:
		p.options.Background = groupvit.NoBackground()
	}
	for i, c := range d.Classes {
		if i != d.Background {
			p.labels, p.classes = append(p.labels, c.Label(vocab.Naming(o.Protocol.Naming()))), append(p.classes, uint8(i))
		}
	}
	if len(p.labels) == 0 {
		return nil, fmt.Errorf("%w: background is the only class: name something to look for", groupvit.ErrOption)
	}
	return p, nil
}

// Predict makes one map for each threshold; NaN is the rule of the options.
func (p *ModelPredictor) Predict(ctx context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	return p.predict(ctx, photo, thresholds, p.labels, p.classes)
}

// PredictAmong is Predict with some of the dataset's classes alone.
func (p *ModelPredictor) PredictAmong(ctx context.Context, photo image.Image, among []int, thresholds []float64) ([][]uint8, error) {
	labels, classes := []string{}, []uint8{p.classes[0]}
	for i, label := range p.labels {
		if c := p.classes[i+1]; slices.Contains(among, int(c)) {
			labels, classes = append(labels, label), append(classes, c)
		}
	}
	if len(labels) > 0 {
		return p.predict(ctx, photo, thresholds, labels, classes)
	}
	// Nothing is named in this photo: all of it is background, or does not count.
	nothing := make([]uint8, photo.Bounds().Dx()*photo.Bounds().Dy())
	for i := range nothing {
		nothing[i] = p.classes[0]
	}
	maps := make([][]uint8, len(thresholds))
	for t := range maps {
		maps[t] = nothing
	}
	return maps, nil
}

// predict asks for labels; classes gives the class of each label of the map, from 0.
func (p *ModelPredictor) predict(ctx context.Context, photo image.Image, thresholds []float64, labels []string, classes []uint8) ([][]uint8, error) {
	e, err := p.model.Encode(ctx, photo, &p.options.EncodeOptions)
	if err != nil {
		return nil, err
	}
	maps := make([][]uint8, len(thresholds))
	var numbers []float64
	var places []int
	for i, t := range thresholds {
		if !math.IsNaN(t) {
			numbers, places = append(numbers, t), append(places, i)
			continue
		}
		s, err := e.Segment(ctx, labels, &p.options.QueryOptions)
		if err != nil {
			return nil, err
		}
		p.once.Do(func() { p.report = s.Report })
		maps[i] = toClasses(s.Map, classes)
	}
	if len(numbers) == 0 {
		return maps, nil
	}
	swept, report, err := e.Sweep(ctx, labels, &p.options.QueryOptions, numbers)
	if err != nil {
		return nil, err
	}
	p.once.Do(func() { p.report = report })
	for i, m := range swept {
		maps[places[i]] = toClasses(m, classes)
	}
	return maps, nil
}

// Regions are the last stage's groups of the photo, seen in one pass; of a model
// without groups, the connected regions of what it predicts.
func (p *ModelPredictor) Regions(ctx context.Context, photo image.Image) ([]uint16, error) {
	if p.model.HasGroups() {
		stages, err := p.model.Groups(ctx, photo)
		if err != nil {
			return nil, err
		}
		return stages[len(stages)-1].Labels, nil
	}
	maps, err := p.Predict(ctx, photo, []float64{math.NaN()})
	if err != nil {
		return nil, err
	}
	return connected(maps[0], photo.Bounds().Dx()), nil
}

func toClasses(m *mask.Map, classes []uint8) []uint8 {
	out := make([]uint8, len(m.Labels))
	for i, l := range m.Labels {
		out[i] = classes[l]
	}
	return out
}

// About describes the model and how it was asked, once it has predicted.
func (p *ModelPredictor) About() About {
	info := p.model.Info()
	return About{
		Protocol: string(p.options.Protocol), Background: p.report.Background, Templates: p.report.Templates, Techniques: p.report.Techniques,
		Model: Model{Name: info.Name, SHA256: info.SHA256}, Engine: p.model.Engine(), Threads: p.threads, Note: p.note(),
	}
}

// note says in which way the measurement is not the published one.
func (p *ModelPredictor) note() string {
	var notes []string
	r, size := p.report.Rule, p.model.ImageSize()
	switch {
	case r.ShortSide == 0: // no word was asked
	case r.Squash:
		notes = append(notes, fmt.Sprintf("photos were squashed to %d×%d pixels", r.ShortSide, r.ShortSide))
	case size != publishedSize:
		window := "in one pass"
		if r.Window > 0 {
			window = fmt.Sprintf("in windows of %d, stride %d", r.Window, r.Stride)
		}
		notes = append(notes, fmt.Sprintf("the model was trained at %d pixels: photos were looked at with a short side of %d %s", size, r.ShortSide, window))
		if p.options.Protocol.Published() && p.options.ShortSide == 0 {
			notes = append(notes, fmt.Sprintf("the proportions of protocol %s, whose published numbers are of models trained at %d pixels", p.options.Protocol, publishedSize))
		}
	}
	if !p.options.Protocol.HasBackground() && p.background {
		notes = append(notes, fmt.Sprintf("protocol %s gives no pixel to background", p.options.Protocol))
	}
	return strings.Join(notes, "; ")
}

// Question says what of model and options decides the numbers.
func (p *ModelPredictor) Question() []string {
	o := p.options
	return []string{
		"protocol " + string(o.Protocol), "background " + o.Background.String(), "templates " + o.Templates, fmt.Sprintf("short side %d", o.ShortSide),
		"model " + p.model.Info().SHA256, fmt.Sprintf("settings %.16s", hashOf(string(p.model.Settings()))), "engine " + p.model.Engine(),
	}
}
