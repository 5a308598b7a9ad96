package selftrain

import (
	"cmp"
	"context"
	"image"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
)

// photosAtOnce is how many photos a model sees at a time: so many that its products
// run near the machine's limit, and so few that their activations stay in its caches.
const photosAtOnce = 16

// teacher makes logits of photos with one or more models, whose mean counts.
type teacher struct {
	models  []*groupvit.Model
	vectors [][][]float32 // of every model, of every word
	maps    []scaledMaps  // of every model, of every view
}

// scaledMaps are a model's maps at one view and what their cosines count.
type scaledMaps struct {
	*groupvit.WordMaps
	scale float32
}

// openTeacher opens models by name, computing with o. like, if any, is another teacher
// of the same models and words, whose vectors need not be made again.
func openTeacher(ctx context.Context, names []string, o groupvit.Options, s Settings, w *Words, like *teacher) (*teacher, error) {
	t := &teacher{}
	for i, name := range names {
		if err := t.add(ctx, name, o, w, like, i); err != nil {
			t.close()
			return nil, err
		}
		m := t.models[i]
		scale := cmp.Or(s.Temperature, m.Sharpness()) / float64(len(names)*len(s.Views))
		for _, side := range s.Views {
			maps, err := m.NewWordMaps(t.vectors[i], side, photosAtOnce)
			if err != nil {
				t.close()
				return nil, err
			}
			t.maps = append(t.maps, scaledMaps{maps, float32(scale)})
		}
	}
	return t, nil
}

// add opens the i-th model.
func (t *teacher) add(ctx context.Context, name string, o groupvit.Options, w *Words, like *teacher, i int) error {
	m, err := groupvit.Open(ctx, name, &o)
	if err != nil {
		return err
	}
	t.models = append(t.models, m)
	var vectors [][]float32
	if like != nil {
		vectors = like.vectors[i]
	} else if vectors, _, err = m.ClassVectors(ctx, w.names, ""); err != nil {
		return err
	}
	t.vectors = append(t.vectors, vectors)
	return nil
}

func (t *teacher) close() {
	for _, m := range t.maps {
		m.Close()
	}
	for _, m := range t.models {
		_ = m.Close()
	}
}

// info says which models these are.
func (t *teacher) info() []groupvit.Info {
	var list []groupvit.Info
	for _, m := range t.models {
		list = append(list, m.Info())
	}
	return list
}

// sight is what a teacher sees of some photos.
type sight struct {
	maps  []scaledMaps
	grids [][2]int      // by maps: height, width
	seen  [][][]float32 // by maps, by photo: [words][height·width]
}

// look sees at most photosAtOnce photos.
func (t *teacher) look(ctx context.Context, photos []*imaging.Image) (*sight, error) {
	s := &sight{maps: t.maps}
	images := make([]image.Image, len(photos))
	for i, p := range photos {
		images[i] = p
	}
	for _, m := range t.maps {
		seen, err := m.Maps(ctx, images)
		if err != nil {
			return nil, err
		}
		height, width := m.Grid()
		s.grids, s.seen = append(s.grids, [2]int{height, width}), append(s.seen, seen)
	}
	return s, nil
}

// logits are those of one photo on a square grid: temperature times cosine, averaged
// over models and views.
func (s *sight) logits(photo, side int) logitsOf {
	buffer := make([]float32, side*side)
	return func(word int) []float32 {
		out := make([]float32, side*side)
		for k, m := range s.maps {
			h, w := s.grids[k][0], s.grids[k][1]
			imaging.BilinearMapInto(buffer, s.seen[k][photo][word*h*w:(word+1)*h*w], h, w, side, side)
			for i, v := range buffer {
				out[i] += m.scale * v
			}
		}
		return out
	}
}
