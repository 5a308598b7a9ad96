package selftrain

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// Sheet draws so many photos of labelled shards, spread evenly over them, with their
// masks: the photo beside itself under the colours of its labels, and their names.
// What is ignored is black, background without a word stays as it is.
func Sheet(ctx context.Context, shards []string, count int) (image.Image, error) {
	x, err := pairs.OpenIndex(ctx, strings.Join(shards, "::"))
	if err != nil {
		return nil, err
	}
	var panels []render.Panel
	for n := range min(count, x.Len()) {
		// The next one that has a mask.
		from, to := n*x.Len()/min(count, x.Len()), (n+1)*x.Len()/min(count, x.Len())
		for i := from; i < to; i++ {
			p, err := panelOf(x, i)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", x.Source(i), x.Key(i), err)
			}
			if p != nil {
				panels = append(panels, *p)
				break
			}
		}
	}
	if len(panels) == 0 {
		return nil, errors.New("no photo has a mask to draw")
	}
	return render.Sheet(panels, &render.SheetOptions{Cell: 2 * sheetCell})
}

// sheetCell is the width of a photo on a sheet, in pixels.
const sheetCell = 180

// panelOf draws a sample; nil where it has no mask.
func panelOf(x *pairs.Index, i int) (*render.Panel, error) {
	s, err := x.Sample(i)
	if err != nil {
		return nil, err
	}
	m, err := s.LabelMap()
	if err != nil || m == nil {
		return nil, err
	}
	photo, err := s.Decode()
	if err != nil {
		return nil, err
	}
	return drawPanel(photo, m)
}

// drawPanel draws the photo twice, the second time under its mask.
func drawPanel(photo *imaging.Image, labels *pairs.LabelMap) (*render.Panel, error) {
	height := max(1, min(sheetCell*photo.Height/photo.Width, 4*sheetCell))
	small, err := imaging.ResizePIL(photo, sheetCell, height, imaging.Bilinear)
	if err != nil {
		return nil, err
	}
	m, err := mask.New(sheetCell, height)
	if err != nil {
		return nil, err
	}
	var shown []string
	for y := range height {
		for x := range sheetCell {
			v := labels.Pix[y*labels.Height/height*labels.Width+x*labels.Width/sheetCell]
			m.Labels[y*sheetCell+x] = uint16(v)
			if v == pairs.LabelBackground || v == pairs.LabelUnknown {
				continue
			}
			if word := labels.Words[v-1]; !slices.Contains(shown, word) {
				shown = append(shown, word)
			}
		}
	}
	painted, err := render.Regions(small, m, &render.Options{Opacity: 0.6, NoOutline: true, Exact: true, Color: sheetColor})
	if err != nil {
		return nil, err
	}
	out := image.NewRGBA(image.Rect(0, 0, 2*sheetCell, height))
	for y := range height {
		for x := range sheetCell {
			out.Set(x, y, small.At(x, y))
			out.Set(sheetCell+x, y, painted.At(x, y))
		}
	}
	return &render.Panel{Title: strings.Join(shown, ", "), Image: out}, nil
}

func sheetColor(label int) color.RGBA {
	if label == pairs.LabelUnknown {
		return color.RGBA{A: 255}
	}
	return render.Color(label)
}
