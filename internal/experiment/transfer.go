package experiment

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"slices"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// blank fills an empty place of a sheet.
var blank = func() image.Image {
	im := image.NewGray(image.Rect(0, 0, 1, 1))
	im.SetGray(0, 0, color.Gray{255})
	return im
}()

// mostOfPhoto is the number of a photo's groups that are drawn, those with most pixels.
const mostOfPhoto = 9

// transfer is the figure of zero-shot transfer: the groups of one photo, the words
// nearest to each, and the mask they make.
func (b *session) transfer(ctx context.Context) (*Report, error) {
	e, words, err := b.openFigure(ctx)
	if err != nil {
		return nil, err
	}
	defer e.close()
	g := b.gallery()
	photo, _, name, err := g.load(b.telling(g))
	if err != nil {
		return nil, err
	}
	l, err := e.look(ctx, photo)
	if err != nil {
		return nil, b.stopped(ctx, err)
	}
	panels := []render.Panel{{Title: "photo", Image: photo.RGBA()}}
	var last *mask.Map
	for s, n := range stageGroups(e.weights.Config) {
		if last, err = assign.GroupMap(ctx, l.view, s); err != nil {
			return nil, err
		}
		picture, err := render.Regions(photo, last, nil)
		if err != nil {
			return nil, err
		}
		panels = append(panels, render.Panel{Title: fmt.Sprintf("stage %d: %d of %d groups", s+1, used(last), n), Image: picture})
	}
	r := b.report(fmt.Sprintf("%s; photo %s.", b.figureSetting(), name))
	named, groups := b.nameGroups(l, last, words, r, len(stageGroups(e.weights.Config)))
	for _, k := range groups[:min(len(groups), mostOfPhoto)] {
		panels = append(panels, render.Panel{Title: r.titleOf(k), Image: spotlight(photo, last, uint16(k))})
	}
	masks, err := b.masks(ctx, photo, named)
	if err != nil {
		return nil, b.stopped(ctx, err)
	}
	sheet, err := render.Sheet(append(panels, masks...), &render.SheetOptions{Title: "Zero-shot transfer: groups, words, mask", Cell: 220})
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, sheet); err != nil {
		return nil, err
	}
	r.Pictures = []Picture{{File: "transfer.png", Title: "Groups of " + name + ", the words nearest to each, and the mask"}}
	return r, writeFile(filepath.Join(b.folder, r.Pictures[0].File), buffer.Bytes())
}

// telling is the photo to show: the first that was named, else that of the first
// fifty of the set with the most classes.
func (b *session) telling(g gallery) int {
	best, most := 0, 0
	if g.set == nil {
		return best
	}
	for i := range min(g.count, 50) {
		truth, err := g.set.Truth(i)
		if err != nil {
			continue
		}
		seen := map[uint8]bool{}
		for _, l := range truth.Labels {
			seen[l] = true
		}
		if len(seen) > most {
			best, most = i, len(seen)
		}
	}
	return best
}

func used(m *mask.Map) (n int) {
	for _, s := range m.Stats(int(m.Max())) {
		if s.Pixels > 0 {
			n++
		}
	}
	return n
}

// nameGroups gives each group that has pixels its nearest word: named is the map of
// words, counted from 1, order the groups by their pixels.
func (b *session) nameGroups(l *look, m *mask.Map, words [][]float32, r *Report, stage int) (named *mask.Map, order []int) {
	width, names := len(words[0]), b.names()
	of := map[int]uint16{}
	stats := m.Stats(int(m.Max()))
	for _, s := range stats {
		if s.Pixels == 0 || s.Label == 0 {
			continue
		}
		k := int(s.Label)
		g := Group{Stage: stage, Number: k, Share: float64(s.Pixels) / float64(len(m.Labels)), Photos: 1}
		for w, word := range words {
			g.Words = append(g.Words, Weighed{names[w], float64(dot(l.window().Groups[(k-1)*width:k*width], word))})
		}
		slices.SortStableFunc(g.Words, func(a, b Weighed) int { return cmp.Compare(b.Value, a.Value) })
		g.Words = g.Words[:min(3, len(g.Words))]
		of[k] = uint16(slices.Index(names, g.Words[0].Word) + 1)
		r.Groups = append(r.Groups, g)
	}
	slices.SortStableFunc(r.Groups, func(a, b Group) int { return cmp.Compare(b.Share, a.Share) })
	for _, g := range r.Groups {
		order = append(order, g.Number)
	}
	named = &mask.Map{Width: m.Width, Height: m.Height, Labels: make([]uint16, len(m.Labels))}
	for i, k := range m.Labels {
		named.Labels[i] = of[int(k)]
	}
	return named, order
}

func (r *Report) titleOf(group int) string {
	for _, g := range r.Groups {
		if g.Number == group {
			title := fmt.Sprintf("group %d: ", group)
			for i, w := range g.Words[:min(2, len(g.Words))] {
				if i > 0 {
					title += ", "
				}
				title += fmt.Sprintf("%s %.2f", w.Word, w.Value)
			}
			return title
		}
	}
	return ""
}

// masks are the last panels: each group's word, and what the model's own protocol
// makes of the photo.
func (b *session) masks(ctx context.Context, photo *imaging.Image, named *mask.Map) ([]render.Panel, error) {
	name, err := b.figureModel(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Quality: groupvit.Fast}}
	if b.set != nil && b.set.Background < 0 && len(b.Labels) == 0 {
		o.Background = groupvit.NoBackground()
	}
	segmented, err := m.Segment(ctx, photo, b.names(), &o)
	if err != nil {
		return nil, err
	}
	var panels []render.Panel
	for _, p := range []struct {
		title string
		m     *mask.Map
	}{{"mask: each group its word", named}, {"segment: the model's own protocol", segmented.Map}} {
		large, m := enlarge(photo, p.m)
		picture, err := render.Overlay(large, m, b.names(), nil)
		if err != nil {
			return nil, err
		}
		panels = append(panels, render.Panel{Title: p.title, Image: picture})
	}
	return panels, nil
}

// enlarge repeats the pixels of a photo that is too small for a legend beside it.
func enlarge(photo *imaging.Image, m *mask.Map) (*imaging.Image, *mask.Map) {
	const enough = 320
	times := (enough + min(m.Width, m.Height) - 1) / min(m.Width, m.Height)
	if times < 2 {
		return photo, m
	}
	large := imaging.New(photo.Width*times, photo.Height*times)
	labels := &mask.Map{Width: large.Width, Height: large.Height, Labels: make([]uint16, large.Width*large.Height)}
	for y := range large.Height {
		for x := range large.Width {
			from := y/times*photo.Width + x/times
			copy(large.Pix[3*(y*large.Width+x):][:3], photo.Pix[3*from:])
			labels.Labels[y*large.Width+x] = m.Labels[from]
		}
	}
	return large, labels
}
