package selftrain

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// Sheet draws so many photos of labelled shards, spread evenly over them, with their
// masks: the photo beside itself under the colours of its labels, and their names.
// Ignored places are black, background without a word stays as it is.
func Sheet(shards []string, count int) (image.Image, error) {
	all, err := labelled(shards)
	if err != nil {
		return nil, err
	}
	var panels []render.Panel
	for i := range min(count, len(all)) {
		p, err := all[i*len(all)/min(count, len(all))].panel()
		if err != nil {
			return nil, err
		}
		panels = append(panels, p)
	}
	if len(panels) == 0 {
		return nil, errors.New("no photo has a mask to draw")
	}
	return render.Sheet(panels, &render.SheetOptions{Cell: 2 * sheetCell})
}

// sheetCell is the width of a photo on a sheet, in pixels.
const sheetCell = 180

// place is where a labelled sample's files lie.
type place struct {
	shard                 string
	picture, text, labels span
}

type span struct{ offset, size int64 }

// labelled lists the samples of shards that have a mask.
func labelled(shards []string) ([]place, error) {
	var all []place
	for _, shard := range shards {
		f, err := os.Open(shard)
		if err != nil {
			return nil, err
		}
		list, err := labelledIn(f, shard)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shard, err)
		}
		all = append(all, list...)
	}
	return all, nil
}

func labelledIn(f *os.File, shard string) ([]place, error) {
	var list []place
	var last place
	key := ""
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		stem, ending, _ := strings.Cut(h.Name, ".")
		if stem != key {
			key, last = stem, place{shard: shard}
		}
		at := span{offset, h.Size}
		switch ending {
		case "json":
			last.text = at
		case "labels.png":
			last.labels = at
			list = append(list, last)
		default:
			last.picture = at
		}
	}
}

func (p place) read(f *os.File, s span) ([]byte, error) {
	b := make([]byte, s.size)
	_, err := f.ReadAt(b, s.offset)
	return b, err
}

func (p place) panel() (render.Panel, error) {
	fail := func(err error) (render.Panel, error) {
		return render.Panel{}, fmt.Errorf("%s: %w", p.shard, err)
	}
	f, err := os.Open(p.shard)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	var files [3][]byte
	for i, s := range []span{p.picture, p.text, p.labels} {
		if files[i], err = p.read(f, s); err != nil {
			return fail(err)
		}
	}
	photo, err := imaging.DecodeBytes(files[0], imaging.Options{Name: "photo"})
	if err != nil {
		return fail(err)
	}
	var text struct {
		Labels []string `json:"labels"`
	}
	if err := json.Unmarshal(files[1], &text); err != nil {
		return fail(err)
	}
	decoded, err := png.Decode(bytes.NewReader(files[2]))
	if err != nil {
		return fail(err)
	}
	gray, ok := decoded.(*image.Gray)
	if !ok {
		return fail(errors.New("its mask is not grey"))
	}
	return drawPanel(photo, gray, text.Labels)
}

// drawPanel draws the photo twice, the second time under its mask.
func drawPanel(photo *imaging.Image, values *image.Gray, labels []string) (render.Panel, error) {
	height := max(1, sheetCell*photo.Height/photo.Width)
	small, err := imaging.ResizePIL(photo, sheetCell, height, imaging.Bilinear)
	if err != nil {
		return render.Panel{}, err
	}
	m, err := mask.New(sheetCell, height)
	if err != nil {
		return render.Panel{}, err
	}
	size := values.Rect.Size()
	var shown []string
	for y := range height {
		for x := range sheetCell {
			v := values.Pix[y*size.Y/height*values.Stride+x*size.X/sheetCell]
			m.Labels[y*sheetCell+x] = uint16(v)
			if i := int(v) - 1; i >= 0 && i < len(labels) && !slices.Contains(shown, labels[i]) {
				shown = append(shown, labels[i])
			}
		}
	}
	painted, err := render.Regions(small, m, &render.Options{Opacity: 0.6, NoOutline: true, Color: sheetColor})
	if err != nil {
		return render.Panel{}, err
	}
	out := image.NewRGBA(image.Rect(0, 0, 2*sheetCell, height))
	for y := range height {
		for x := range sheetCell {
			out.Set(x, y, small.At(x, y))
			out.Set(sheetCell+x, y, painted.At(x, y))
		}
	}
	return render.Panel{Title: strings.Join(shown, ", "), Image: out}, nil
}

func sheetColor(label int) color.RGBA {
	if label == Ignored {
		return color.RGBA{A: 255}
	}
	return render.Color(label)
}
