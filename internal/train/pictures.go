package train

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// pictureCell is the longer side of a photo on the sheet, in pixels.
const pictureCell = 256

// drawPictures draws some photos with their groups and labels on one sheet,
// always the same photos: of the segmentation set, else of the validation pairs,
// else of the training data.
func (r *run) drawPictures(ctx context.Context, m *groupvit.Model, step int) error {
	n := r.settings.Measure.Pictures
	if n == 0 || !r.settings.Model.HasGroups() && r.measuring.dataset == nil {
		return nil
	}
	var panels []render.Panel
	columns := 0
	for i := range n {
		photo, name, err := r.photo(i, n)
		if err != nil {
			return err
		}
		if photo == nil {
			break
		}
		row, err := r.panels(ctx, m, photo, name)
		if err != nil {
			return err
		}
		panels, columns = append(panels, row...), len(row)
	}
	if len(panels) == 0 {
		return nil
	}
	sheet, err := render.Sheet(panels, &render.SheetOptions{Title: fmt.Sprintf("step %d", step), Columns: columns, Cell: pictureCell})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, sheet); err != nil {
		return err
	}
	folder := filepath.Join(r.options.Output, picturesDir)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(folder, fmt.Sprintf("step-%07d.png", step)), b.Bytes()); err != nil {
		return err
	}
	return r.log.board.Picture(step, "pictures", sheet.Rect.Size(), b.Bytes())
}

// photo returns picture i of n with its title, nil beyond the last.
func (r *run) photo(i, n int) (image.Image, string, error) {
	if d := r.measuring.dataset; d != nil {
		if i >= len(d.Samples) {
			return nil, "", nil
		}
		at := i * len(d.Samples) / min(n, len(d.Samples))
		photo, _, err := d.Load(at)
		return photo, d.Samples[at].ID, err
	}
	index := r.measuring.pairs
	if index == nil {
		index = r.loader.Index()
	}
	if i >= index.Len() {
		return nil, "", nil
	}
	sample, err := index.Sample(i * index.Len() / min(n, index.Len()))
	if err != nil {
		return nil, "", err
	}
	photo, err := sample.Decode()
	if err != nil {
		return nil, "", err
	}
	return photo, sample.Captions[0], nil
}

// panels are a photo, its groups of the last stage, and its labels.
func (r *run) panels(ctx context.Context, m *groupvit.Model, photo image.Image, name string) ([]render.Panel, error) {
	panels := []render.Panel{{Title: name, Image: photo}}
	if r.settings.Model.HasGroups() {
		maps, err := m.Groups(ctx, photo)
		if err != nil {
			return nil, err
		}
		last := maps[len(maps)-1]
		used := 0
		for _, s := range last.Stats(int(last.Max())) {
			if s.Pixels > 0 {
				used++
			}
		}
		picture, err := render.Regions(photo, last, nil)
		if err != nil {
			return nil, err
		}
		panels = append(panels, render.Panel{Title: fmt.Sprintf("groups (%d used)", used), Image: picture})
	}
	d := r.measuring.dataset
	if d == nil {
		return panels, nil
	}
	var labels, names []string
	for _, c := range d.Classes {
		if c.Name != vocab.Background {
			labels, names = append(labels, strings.Join(c.Names(), "|")), append(names, c.Name)
		}
	}
	o := r.measuring.options
	if d.Background < 0 {
		o.Background = groupvit.NoBackground()
	}
	s, err := m.Segment(ctx, photo, labels, &o)
	if err != nil {
		return nil, err
	}
	picture, err := render.Regions(photo, s.Map, nil)
	if err != nil {
		return nil, err
	}
	return append(panels, render.Panel{Title: largest(s.Map, names), Image: picture}), nil
}

// largest names the labels that take most of a map, the largest first.
func largest(m *mask.Map, names []string) string {
	type share struct {
		name   string
		pixels int
	}
	var found []share
	for label, s := range m.Stats(int(m.Max())) {
		if label > 0 && s.Pixels > 0 {
			found = append(found, share{names[label-1], int(s.Pixels)})
		}
	}
	slices.SortStableFunc(found, func(a, b share) int { return b.pixels - a.pixels })
	var parts []string
	for _, f := range found[:min(len(found), 4)] {
		parts = append(parts, fmt.Sprintf("%s %.0f %%", f.name, 100*float64(f.pixels)/float64(len(m.Labels))))
	}
	if len(parts) == 0 {
		return "no label"
	}
	return strings.Join(parts, ", ")
}
