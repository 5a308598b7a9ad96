package experiment

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/mask"
)

// gallery is the photos that a figure shows: those that were named, or those of the
// segmentation set, with their masks.
type gallery struct {
	files []string
	set   *bench.Dataset
	count int
}

func (b *session) gallery() gallery {
	g := gallery{files: b.Photos, count: len(b.Photos)}
	if g.count == 0 {
		g.set, g.count = b.set, len(b.set.Samples)
	}
	if b.scale.Page > 0 {
		g.count = min(g.count, b.scale.Page)
	}
	return g
}

// load reads photo i; truth is nil where there is none.
func (g gallery) load(i int) (photo *imaging.Image, truth *bench.Truth, name string, err error) {
	if g.set == nil {
		name = filepath.Base(g.files[i])
		f, err := os.Open(g.files[i])
		if err != nil {
			return nil, nil, name, err
		}
		defer f.Close()
		photo, err = imaging.Decode(f, imaging.Options{Name: g.files[i]})
		return photo, nil, name, err
	}
	name = g.set.Samples[i].ID
	picture, truth, err := g.set.Load(i)
	if err != nil {
		return nil, nil, name, err
	}
	photo, err = imaging.FromImage(picture)
	return photo, truth, name, err
}

// names are the words asked for.
func (b *session) names() []string {
	if len(b.Labels) > 0 {
		return b.Labels
	}
	var names []string
	for i, n := range b.set.Names() {
		if i != b.set.Background {
			names = append(names, n)
		}
	}
	return names
}

// figureModel is the model a figure is of: the one that was named, or the
// variation's, trained where it is not yet.
func (b *session) figureModel(ctx context.Context) (string, error) {
	if b.Model != "" {
		return b.Model, nil
	}
	r, err := b.plan(&b.recipe.Variations[0], b.scale.Seeds[0])
	if err != nil {
		return "", err
	}
	return r.model(), b.trainAll(ctx, []*trained{r})
}

// openFigure opens a figure's model, which must have groups, and its words' vectors.
func (b *session) openFigure(ctx context.Context) (e *encoder, words [][]float32, err error) {
	name, err := b.figureModel(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := b.open(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	if !m.HasGroups() {
		return nil, nil, fmt.Errorf("%w: model %s has no grouping stages: name one with groups", ErrRequest, name)
	}
	if words, _, err = m.ClassVectors(ctx, b.names(), ""); err != nil {
		return nil, nil, err
	}
	side := b.scale.ShortSide
	if b.Model != "" { // of another size than the scale's
		side = 0
	}
	e, err = openEncoder(name, b.Engine, b.Threads*b.Parallel, side)
	return e, words, err
}

// spotlight is the photo with all pale but one region of a map.
func spotlight(photo *imaging.Image, m *mask.Map, label uint16) image.Image {
	out := photo.RGBA()
	for i, l := range m.Labels {
		if l != label {
			at := image.Pt(i%m.Width, i/m.Width)
			c := out.RGBAAt(at.X, at.Y)
			pale := func(v uint8) uint8 { return uint8(208 + int(v)*40/255) }
			out.SetRGBA(at.X, at.Y, color.RGBA{pale(c.R), pale(c.G), pale(c.B), 255})
		}
	}
	return out
}
