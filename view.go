package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/tower"
)

// Encoded is a photo that the model has encoded. It answers any number of queries
// without running the image tower again, and is safe for concurrent use.
type Encoded struct {
	model     *Model
	protocol  Protocol
	method    method
	benchmark string // that of the options, or ""
	rule      assign.Rule
	// views are the photo in each pass; the first is the rule's own.
	views []*assign.View
	// techniques are what protocol best does to the photo and a query's maps, canvas
	// what they need of the photo.
	techniques Techniques
	quality    Quality // that of the options, or ""
	canvas     *canvas
}

// view is the photo in the rule's own pass.
func (e *Encoded) view() *assign.View { return e.views[0] }

// Protocol is the one that the photo was encoded for.
func (e *Encoded) Protocol() Protocol { return e.protocol }

// Encode runs the image tower on a photo, once for any number of queries.
//
// Errors wrap [ErrOption], [ErrTooLarge], [ErrModel] or ctx's error.
func (m *Model) Encode(ctx context.Context, photo image.Image, o *EncodeOptions) (*Encoded, error) {
	e, err := m.newEncoded(o)
	if err != nil {
		return nil, err
	}
	im, err := toImage(photo)
	if err != nil {
		return nil, err
	}
	passes := m.passes(e.rule, e.techniques, im.Width, im.Height)
	if e.views, err = m.encodePasses(ctx, im, passes, e.method); err != nil {
		return nil, err
	}
	if e.techniques.refines() {
		e.canvas, err = newCanvas(im, m.patches(e.view()))
	}
	return e, err
}

// newEncoded resolves and checks the options.
func (m *Model) newEncoded(o *EncodeOptions) (*Encoded, error) {
	if o == nil {
		o = &EncodeOptions{}
	}
	e := &Encoded{model: m, protocol: cmp.Or(o.Protocol, m.DefaultProtocol()), benchmark: o.Benchmark, quality: o.Quality}
	var err error
	if e.method, err = e.protocol.method(); err != nil {
		return nil, err
	}
	if e.protocol.NeedsGroups() && !m.config.HasGroups() {
		return nil, fmt.Errorf("%w: protocol %s needs groups, but model %s has none: use protocol best", ErrOption, e.protocol, m.name)
	}
	if err := checkBenchmark(o.Benchmark); err != nil {
		return nil, err
	}
	if e.techniques, err = e.method.techniques(m, o); err != nil {
		return nil, err
	}
	e.rule, err = e.method.rule(m, o.Benchmark, o.ShortSide)
	return e, err
}

// withShortSide is a rule for another short side, if positive; windowFollows says
// whether windows keep their share of the photo or their size.
func (m *Model) withShortSide(r assign.Rule, side int, windowFollows bool) (assign.Rule, error) {
	if side == 0 {
		return r, nil
	}
	if p := m.config.PatchSize; side < p || side > limits.SeenSide {
		return r, fmt.Errorf("%w: short side %d, allowed are %d to %d pixels", ErrOption, side, p, limits.SeenSide)
	}
	r.LongSide = r.LongSide * side / r.ShortSide
	r.ShortSide = side
	if r.Window > 0 && windowFollows {
		r.Window, r.Stride = side, max(1, side/2)
	}
	return r, nil
}

// pass is one way to encode a photo: at a size, in windows.
type pass struct {
	width, height int
	windows       []assign.Rect
}

// passes are the rule's own, and one for each further size of the techniques; a
// further size whose windows are beyond the cap is left out.
func (m *Model) passes(rule assign.Rule, t Techniques, width, height int) []pass {
	p := m.config.PatchSize
	whole := func(v float64) int { return int(max(math.Round(v/float64(p)), 1)) * p }
	size := 1.0
	if t.Size > 0 { // no larger than the photo itself, unless the rule enlarges it
		size = min(t.Size, max(1, float64(min(width, height))/float64(rule.ShortSide)))
	}
	var list []pass
	for i, scale := range append([]float64{1}, t.Scales...) {
		r := rule
		if scale *= size; scale != 1 {
			r.ShortSide = whole(float64(rule.ShortSide) * scale)
			r.LongSide = rule.LongSide * r.ShortSide / rule.ShortSide
		}
		w, h := r.Size(width, height)
		w, h = max(w, p), max(h, p) // a strip thinner than a patch is widened to one
		if t.Window > 0 {
			side := whole(t.Window * float64(rule.ShortSide))
			r = assign.Rule{Window: side, Stride: max(p, int(cmp.Or(t.Step, 0.5)*float64(side)))}
		}
		next := pass{width: w, height: h}
		if n := r.Count(w, h); n > limits.Windows {
			next.windows = make([]assign.Rect, n) // more than the check of all lets pass
		} else {
			next.windows = r.Windows(w, h)
		}
		if i > 0 && next.patches(p) > limits.WindowPatches {
			continue
		}
		list = append(list, next)
	}
	return list
}

// patches is the number of a window's patches.
func (p pass) patches(patch int) int {
	return (p.windows[0].Width / patch) * (p.windows[0].Height / patch)
}

// patches is how many of the model's patches a view is cut into.
func (m *Model) patches(v *assign.View) float64 {
	p := float64(m.config.PatchSize)
	return float64(v.SeenWidth) / p * float64(v.SeenHeight) / p
}

// encodePasses runs the image tower on the windows of all passes, as many at once as a
// batch has. The photo is read as a protocol's code does.
func (m *Model) encodePasses(ctx context.Context, im *imaging.Image, passes []pass, as method) ([]*assign.View, error) {
	if err := m.checkPasses(passes); err != nil {
		return nil, err
	}
	views := make([]*assign.View, len(passes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tower.MaxBatch)
	source := im
	for i, p := range passes {
		seen, err := as.read(source, p.width, p.height)
		if err != nil {
			return nil, errFirst(group.Wait(), err)
		}
		v := &assign.View{Width: im.Width, Height: im.Height, SeenWidth: p.width, SeenHeight: p.height, Windows: make([]assign.Window, len(p.windows))}
		views[i] = v
		for k, r := range p.windows {
			group.Go(func() (err error) {
				v.Windows[k], err = m.encodeWindow(ctx, seen, r, as)
				return err
			})
		}
		if i == 0 {
			source = shrunk(im, passes)
		}
	}
	return views, group.Wait()
}

func errFirst(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// checkPasses refuses what would take too long.
func (m *Model) checkPasses(passes []pass) error {
	total := 0
	for _, p := range passes {
		total += len(p.windows)
	}
	if err := limits.Check("number of windows", "photo", int64(total), limits.Windows, "use a smaller short side, a larger stride or fewer techniques"); err != nil {
		return err
	}
	for _, p := range passes {
		if err := limits.Check("number of patches in one window", "photo", int64(p.patches(m.config.PatchSize)), limits.WindowPatches, "use a smaller short side"); err != nil {
			return err
		}
	}
	return nil
}

// shrunk is a photo that is twice as large as the largest pass, or the photo itself
// where it is no larger: a photo of many megapixels is read once.
func shrunk(im *imaging.Image, passes []pass) *imaging.Image {
	width, height := 0, 0
	for _, p := range passes {
		width, height = max(width, 2*p.width), max(height, 2*p.height)
	}
	if len(passes) < 2 || width >= im.Width || height >= im.Height {
		return im
	}
	small, err := imaging.ResizePIL(im, width, height, imaging.Bilinear)
	if err != nil {
		return im
	}
	return small
}

// encodeWindow runs the image tower on a part of a photo.
func (m *Model) encodeWindow(ctx context.Context, seen *imaging.Image, r assign.Rect, as method) (assign.Window, error) {
	if r.Width != seen.Width || r.Height != seen.Height {
		var err error
		if seen, err = imaging.Crop(seen, r.X, r.Y, r.Width, r.Height); err != nil {
			return assign.Window{}, err
		}
	}
	mean, std := as.normalization(m)
	w, err := m.window(ctx, imaging.Normalize(seen, mean, std), seen.Width, seen.Height)
	w.Rect = r
	return w, err
}

// window runs the image tower on normalised pixels [3, height, width].
func (m *Model) window(ctx context.Context, pixels []float32, width, height int) (assign.Window, error) {
	out, err := m.towers.Image(ctx, pixels, height, width)
	if err != nil {
		return assign.Window{}, err
	}
	w := assign.Window{GridH: out.GridH, GridW: out.GridW, Image: out.Embedding, Groups: out.Groups, Patches: out.Patches}
	for _, vectors := range [][]float32{w.Image, w.Groups, w.Patches} {
		assign.Normalize(vectors, m.config.EmbedWidth)
	}
	for i := range out.Stages {
		w.Stages = append(w.Stages, assign.Chain(out.Stages[:i+1], m.config.StageGroups()[:i+1]))
		w.Assign = w.Stages[i]
	}
	return w, nil
}

// encodeWhole encodes a photo in one pass.
func (m *Model) encodeWhole(ctx context.Context, photo image.Image) (*assign.View, error) {
	im, err := toImage(photo)
	if err != nil {
		return nil, err
	}
	rule := defaultRule(m.config)
	rule.Window, rule.Stride = 0, 0
	views, err := m.encodePasses(ctx, im, m.passes(rule, Techniques{}, im.Width, im.Height), paper{})
	if err != nil {
		return nil, err
	}
	return views[0], nil
}

// Bytes is about how much memory the Encoded needs, including what a query adds for
// good; for caches that are bounded by bytes.
func (e *Encoded) Bytes() int64 {
	n := e.canvas.bytes()
	for _, v := range e.views {
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

func toImage(photo image.Image) (*imaging.Image, error) {
	if im, ok := photo.(*imaging.Image); ok {
		return im, nil
	}
	if photo == nil {
		return nil, fmt.Errorf("%w: no photo", ErrOption)
	}
	return imaging.FromImage(photo)
}
