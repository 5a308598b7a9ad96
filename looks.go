package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// glance is one way to look at a photo: at a size, in windows.
type glance struct {
	width, height int
	windows       []assign.Rect
}

// glances are the ways in which techniques look beyond a rule's own, which is the
// first of them. A further size whose windows are beyond the cap is left out.
func (m *Model) glances(rule assign.Rule, t Techniques, width, height int) []glance {
	p := m.config.PatchSize
	patches := func(v float64) int { return int(max(math.Round(v/float64(p)), 1)) * p }
	size := 1.0
	if t.Size > 0 { // no further than the photo's own, unless the rule itself enlarges
		size = min(t.Size, max(1, float64(min(width, height))/float64(rule.ShortSide)))
	}
	var list []glance
	for i, scale := range append([]float64{1}, t.Scales...) {
		r := rule
		if scale *= size; scale != 1 {
			r.ShortSide = patches(float64(rule.ShortSide) * scale)
			r.LongSide = rule.LongSide * r.ShortSide / rule.ShortSide
		}
		w, h := r.Size(width, height)
		w, h = max(w, p), max(h, p)
		cut := r
		if t.Window > 0 {
			side := patches(t.Window * float64(rule.ShortSide))
			step := cmp.Or(t.Step, 0.5)
			cut = assign.Rule{Window: side, Stride: max(p, int(step*float64(side)))}
		}
		g := glance{width: w, height: h}
		if n := cut.Count(w, h); n > limits.Windows {
			g.windows = make([]assign.Rect, n) // more than the check of all lets pass
		} else {
			g.windows = cut.Windows(w, h)
		}
		if i > 0 && tokens(g.windows[0], p) > limits.WindowPatches {
			continue
		}
		list = append(list, g)
	}
	return list
}

// tokens is the number of a window's patches.
func tokens(w assign.Rect, patch int) int { return (w.Width / patch) * (w.Height / patch) }

// looks runs the image tower on all windows of all glances. The first view is the
// rule's own.
func (m *Model) looks(ctx context.Context, im *imaging.Image, rule assign.Rule, t Techniques, protocol Protocol) ([]*assign.View, error) {
	glances := m.glances(rule, t, im.Width, im.Height)
	total := 0
	for _, g := range glances {
		total += len(g.windows)
	}
	if err := limits.Check("number of windows", "photo", int64(total), limits.Windows, "look at it smaller, in larger strides, or with fewer techniques"); err != nil {
		return nil, err
	}
	views := make([]*assign.View, len(glances))
	var jobs []func(context.Context) error
	source := im
	for i, g := range glances {
		if err := limits.Check("number of patches in one window", "photo", int64(tokens(g.windows[0], m.config.PatchSize)), limits.WindowPatches, "look at it smaller (short side)"); err != nil {
			return nil, err
		}
		seen, mean, std, err := m.prepare(source, g.width, g.height, protocol)
		if err != nil {
			return nil, err
		}
		v := &assign.View{Width: im.Width, Height: im.Height, SeenWidth: g.width, SeenHeight: g.height}
		v.Windows = make([]assign.Window, len(g.windows))
		views[i] = v
		for k, r := range g.windows {
			jobs = append(jobs, func(ctx context.Context) error {
				part, err := seen, error(nil)
				if r.Width != g.width || r.Height != g.height {
					if part, err = imaging.Crop(seen, r.X, r.Y, r.Width, r.Height); err != nil {
						return err
					}
				}
				w, err := m.window(ctx, imaging.Normalize(part, mean, std), part.Width, part.Height)
				if err != nil {
					return err
				}
				w.Rect = r
				v.Windows[k] = *w
				return nil
			})
		}
		if i == 0 {
			source = shrunk(im, glances)
		}
	}
	return views, together(ctx, jobs)
}

// shrunk is a photo that is twice as large as the largest glance, or the photo
// itself where it is no larger: a photo of many megapixels is read once.
func shrunk(im *imaging.Image, glances []glance) *imaging.Image {
	width, height := 0, 0
	for _, g := range glances {
		width, height = max(width, 2*g.width), max(height, 2*g.height)
	}
	if len(glances) < 2 || width >= im.Width || height >= im.Height {
		return im
	}
	small, err := imaging.ResizePIL(im, width, height, imaging.Bilinear)
	if err != nil {
		return im
	}
	return small
}

// together runs jobs, as many at once as a batch of windows has; the first error
// ends the others.
func together(ctx context.Context, jobs []func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan func(context.Context) error)
	var group sync.WaitGroup
	for range min(windowBatch, len(jobs)) {
		group.Go(func() {
			for job := range queue {
				if ctx.Err() != nil {
					continue
				}
				if err := job(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, job := range jobs {
		queue <- job
	}
	close(queue)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}
