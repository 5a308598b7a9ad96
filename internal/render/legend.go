package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"github.com/groupvit/groupvit/mask"
)

var (
	paper = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{28, 32, 38, 255}
	faint = color.RGBA{134, 141, 150, 255}
)

// Overlay draws the photo, grey and dimmed, with its regions in the colours of their labels, their
// names on them where there is room, and, beneath, a legend: colour, name and
// share of the photo for each label that was found, in the order of the labels,
// and the names that were not. Shares are those of the map as it is, before specks
// and steps are taken out of the picture.
// names[i] is the name of label i+1. The picture is as wide as the photo
// (at least 160 pixels) and higher by the legend.
// An error wraps [mask.ErrSize] if the map has another size than the photo.
func Overlay(photo image.Image, m *mask.Map, names []string, options *Options) (*image.RGBA, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if options == nil || options.Color == nil {
		o.Color = byName(names)
	}
	if o.NoLegend {
		return Regions(photo, m, &o)
	}
	if err := m.Fits(photo.Bounds().Dx(), photo.Bounds().Dy()); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	const narrowest = 160
	width := max(m.Width, narrowest)
	l, err := newLegend(m, names, o, width)
	if err != nil {
		return nil, err
	}
	defer l.close()
	out := image.NewRGBA(image.Rect(0, 0, width, m.Height+l.height))
	left := (width - m.Width) / 2
	place := image.Rect(left, 0, left+m.Width, m.Height)
	for _, margin := range []image.Rectangle{{Max: image.Pt(left, m.Height)}, image.Rect(place.Max.X, 0, width, m.Height), image.Rect(0, m.Height, width, out.Rect.Max.Y)} {
		draw.Draw(out, margin, image.NewUniform(paper), image.Point{}, draw.Src)
	}
	paint(out.SubImage(place).(*image.RGBA), photo, m, o)
	l.draw(out, m.Height)
	if o.NoNames {
		return out, nil
	}
	return out, drawNames(out, left, 0, m, l)
}

// An entry of a legend; found entries have a swatch and a share.
type entry struct {
	label       int
	name, share string
	found       bool
	at          image.Point // upper left corner, from the legend's
}

type legend struct {
	o              Options
	size           float64 // of the font, in pixels
	regular, bold  *pen
	entries        []entry
	height, margin int
	line, swatch   int // heights, in pixels
	gap            int // between swatch, name and share
	title          string
}

// newLegend chooses the entries and lays them out in lines from left to right.
func newLegend(m *mask.Map, names []string, o Options, width int) (*legend, error) {
	// A tall picture is looked at from further away than a wide one.
	size := min(max(float64(width)/34, min(float64(m.Height)/60, float64(width)/16), 12.5), 112)
	l := &legend{o: o, size: size}
	var err error
	if l.regular, err = newPen(size, false); err != nil {
		return nil, err
	}
	if l.bold, err = newPen(size, true); err != nil {
		return nil, err
	}
	l.margin, l.line, l.swatch, l.gap = int(size*1.0), int(size*1.75), int(size*0.95), int(size*0.5)
	l.choose(m, names)
	l.layOut(width)
	return l, nil
}

// mostAbsent is how many labels without a pixel are named.
const mostAbsent = 12

func (l *legend) choose(m *mask.Map, names []string) {
	labels := max(len(names), int(m.Max()))
	var absent []entry
	for i, s := range m.Stats(labels)[1:] {
		otherwise := fmt.Sprintf("label %d", i+1)
		name := otherwise
		if i < len(names) {
			name = l.regular.legible(names[i], otherwise)
		}
		if s.Pixels > 0 {
			l.entries = append(l.entries, entry{label: i + 1, name: name, share: percent(s.Area), found: true})
		} else {
			absent = append(absent, entry{label: i + 1, name: name})
		}
	}
	if len(absent) > mostAbsent {
		more := fmt.Sprintf("and %d more", len(absent)-mostAbsent)
		absent = append(absent[:mostAbsent], entry{name: more})
	}
	if len(absent) > 0 {
		absent[0].name = "not found: " + absent[0].name
		for i := range absent[:len(absent)-1] {
			absent[i].name += ","
		}
	}
	l.entries = append(l.entries, absent...)
}

// percent writes a share of the photo with two digits that mean something.
func percent(share float64) string {
	switch p := 100 * share; {
	case p < 0.1:
		return "<0.1%"
	case p < 9.95:
		return fmt.Sprintf("%.1f%%", p)
	default:
		return fmt.Sprintf("%.0f%%", p)
	}
}

func (l *legend) layOut(width int) {
	room := width - 2*l.margin
	x, y := 0, 0
	if l.o.Title != "" {
		l.title = l.bold.fit(l.bold.legible(l.o.Title, ""), room)
		y += l.line
	}
	wasFound, column := true, l.column(room)
	for i := range l.entries {
		e := &l.entries[i]
		e.name = l.pen(e).fit(e.name, room-l.fixed(e))
		need := l.fixed(e) + l.pen(e).width(e.name)
		if x > 0 && (x+need > room || e.found != wasFound) {
			x, y = 0, y+l.line
		}
		wasFound = e.found
		e.at = image.Pt(l.margin+x, y)
		switch x += need; {
		case !e.found:
			x += l.regular.width(" ")
		case column > 0:
			x = (x + 3*l.gap + column - 1) / column * column
		default:
			x += 3 * l.gap
		}
	}
	if len(l.entries) > 0 {
		y += l.line
	}
	l.height = y + 2*(l.margin-(l.line-l.swatch)/2) // the first and last line bring space of their own
}

// fixed is the width of a found entry without its name.
func (l *legend) fixed(e *entry) int {
	if !e.found {
		return 0
	}
	return l.swatch + l.gap + l.gap + l.regular.width(e.share)
}

// column is the width of columns for entries that need more than one line, 0
// where a line or no columns serve better.
func (l *legend) column(room int) int {
	widest, all := 0, 0
	for i := range l.entries {
		if e := &l.entries[i]; e.found {
			need := l.fixed(e) + l.pen(e).width(e.name) + 3*l.gap
			widest, all = max(widest, need), all+need
		}
	}
	columns := (room + 3*l.gap) / max(widest, 1)
	if all-3*l.gap <= room || columns < 2 {
		return 0
	}
	return (room + 3*l.gap) / columns
}

func (l *legend) pen(e *entry) *pen {
	if e.found {
		return l.bold
	}
	return l.regular
}

func (l *legend) draw(to *image.RGBA, top int) {
	top += l.margin - (l.line-l.swatch)/2
	baseline := func(y int) int { return top + y + (l.line+l.bold.ascent)/2 }
	if l.title != "" {
		l.bold.draw(to, l.margin, baseline(0), l.title, ink)
	}
	for i := range l.entries {
		e := &l.entries[i]
		x, y := e.at.X, baseline(e.at.Y)
		if !e.found {
			l.regular.draw(to, x, y, e.name, faint)
			continue
		}
		middle := top + e.at.Y + l.line/2
		square := image.Rect(x, middle-l.swatch/2, x+l.swatch, middle-l.swatch/2+l.swatch)
		roundedRect(to, square, float64(l.swatch)/4, l.o.Color(e.label))
		x += l.swatch + l.gap
		l.bold.draw(to, x, y, e.name, ink)
		x += l.bold.width(e.name) + l.gap
		l.regular.draw(to, x, y, e.share, faint)
	}
}

// close gives back the fonts.
func (l *legend) close() {
	l.regular.close()
	l.bold.close()
}

// roundedRect fills a rectangle with rounded corners, smoothed by 4×4 samples a
// pixel.
func roundedRect(to *image.RGBA, r image.Rectangle, radius float64, c color.RGBA) {
	const n = 4
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if !image.Pt(x, y).In(to.Rect) {
				continue
			}
			hits := 0
			for k := range n * n {
				px := float64(x-r.Min.X) + (float64(k%n)+0.5)/n
				py := float64(y-r.Min.Y) + (float64(k/n)+0.5)/n
				dx := max(radius-px, px-float64(r.Dx())+radius, 0)
				dy := max(radius-py, py-float64(r.Dy())+radius, 0)
				if dx*dx+dy*dy <= radius*radius {
					hits++
				}
			}
			mix(to.Pix[to.PixOffset(x, y):], c, float64(hits)/(n*n))
		}
	}
}
