package render

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"github.com/groupvit/groupvit/mask"
)

// Options of [Overlay] and [Regions]. nil and the zero value are the defaults.
type Options struct {
	// Opacity of the regions' colour over the photo, 0 to 1; 0 means 0.5. For
	// outlines alone, give a value close to zero.
	Opacity float64
	// KeepColors leaves the photo's own colours and brightness beneath the regions.
	// Without it the photo is grey and dimmed, so that colours over it are those of
	// the legend.
	KeepColors bool
	// Exact draws the map's pixels as they are. Without it specks go and borders are
	// smoothed, in the picture alone.
	Exact bool
	// KeepSpecks draws parts of every size. Without it those below 20 pixels and a
	// five-thousandth of the photo go, in the picture alone.
	KeepSpecks bool
	// NoOutline leaves out the lines around regions.
	NoOutline bool
	// NoLegend leaves out the legend, so that the picture has the photo's size,
	// and the names on regions.
	NoLegend bool
	// NoNames leaves out the names on regions.
	NoNames bool
	// Title is a line above the legend's entries; empty for none.
	Title string
	// Color gives another colour to a label; nil means [Color], in an overlay with
	// names [Colors].
	Color func(label int) color.RGBA
}

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Opacity == 0 {
		out.Opacity = 0.5
	}
	if !(out.Opacity >= 0 && out.Opacity <= 1) {
		return out, fmt.Errorf("render: opacity %g: give a number from 0 to 1", out.Opacity)
	}
	if out.Color == nil {
		out.Color = Color
	}
	return out, nil
}

// Regions paints the labels of m over the photo, which must have the same
// size. An error wraps [mask.ErrSize] if the sizes differ.
func Regions(photo image.Image, m *mask.Map, options *Options) (*image.RGBA, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := m.Fits(photo.Bounds().Dx(), photo.Bounds().Dy()); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	out := image.NewRGBA(image.Rect(0, 0, m.Width, m.Height))
	paint(out, photo, m, o)
	return out, nil
}

// paint draws the photo with its regions into a picture of its size.
func paint(out *image.RGBA, photo image.Image, m *mask.Map, o Options) {
	m = o.shown(m)
	colors := make([]color.RGBA, int(m.Max())+1)
	for i := range colors {
		colors[i] = o.Color(i)
	}
	p := painter{o: o, m: m, colors: colors, tables: make([]*[256]uint32, len(colors))}
	p.reach = min(max(2, min(m.Width, m.Height)/180), 8)
	p.near = nearBorders(m, p.reach)
	read := rows(photo)
	for y := range m.Height {
		pix := out.Pix[y*out.Stride:][:4*m.Width]
		read(y, pix)
		if !o.KeepColors {
			dim(pix)
		}
		p.row(pix, y)
	}
}

// painter lays the colours of a map over a photo, row by row.
type painter struct {
	o      Options
	m      *mask.Map
	colors []color.RGBA
	// reach is how far outlines reach into regions, in pixels; near marks the pixels
	// where they may.
	reach int
	near  []bool
	// tables have, for a label, what its colour makes of each grey of a dimmed photo: the
	// pixel as little-endian RGBA. They are made when the label first appears.
	tables []*[256]uint32
}

// table returns that of a label.
func (p *painter) table(label uint16) *[256]uint32 {
	t := p.tables[label]
	if t == nil {
		t = new([256]uint32)
		plain := int(p.o.Opacity*256 + 0.5)
		for v := range t {
			pix := [4]uint8{uint8(v), uint8(v), uint8(v), 255}
			if label != 0 {
				blend(pix[:3], p.colors[label], plain)
			}
			t[v] = binary.LittleEndian.Uint32(pix[:])
		}
		p.tables[label] = t
	}
	return t
}

// row paints a row. Beside another label a pixel has a share of that one's colour, which
// takes the steps out of slanted borders.
func (p *painter) row(pix []uint8, y int) {
	begin := y * p.m.Width
	labels, near := p.m.Labels[begin:begin+p.m.Width], p.near[begin:begin+p.m.Width]
	plain := int(p.o.Opacity*256 + 0.5)
	table := p.table(0)
	before := uint16(0)
	for x, l := range labels {
		if !near[x] {
			switch at := pix[4*x : 4*x+4 : 4*x+4]; {
			case l == 0:
			case p.o.KeepColors:
				blend(at[:3], p.colors[l], plain)
			default:
				if l != before {
					table, before = p.table(l), l
				}
				binary.LittleEndian.PutUint32(at, table[at[0]])
			}
			continue
		}
		share := p.o.Opacity
		if !p.o.NoOutline && l != 0 {
			share += (1 - share) * outline(p.m, x, y, p.reach)
		}
		if p.o.Exact || !besideAnother(p.m, x, y) {
			if l != 0 {
				mix(pix[4*x:], p.colors[l], share)
			}
			continue
		}
		if c, covered := around(p.m, x, y, p.colors); covered > 0 {
			mix(pix[4*x:], c, share*covered)
		}
	}
}

func besideAnother(m *mask.Map, x, y int) bool {
	at := y*m.Width + x
	l := m.Labels[at]
	return x > 0 && m.Labels[at-1] != l || x+1 < m.Width && m.Labels[at+1] != l ||
		y > 0 && m.Labels[at-m.Width] != l || y+1 < m.Height && m.Labels[at+m.Width] != l
}

// around is the mean colour of the labels of a pixel, counted four times, and its eight
// neighbours, and which share of them has a label at all.
func around(m *mask.Map, x, y int, colors []color.RGBA) (c color.RGBA, covered float64) {
	var r, g, b, n, all int
	for v := max(y-1, 0); v <= min(y+1, m.Height-1); v++ {
		for u := max(x-1, 0); u <= min(x+1, m.Width-1); u++ {
			weight := 1
			if u == x && v == y {
				weight = 4
			}
			all += weight
			if l := m.Labels[v*m.Width+u]; l != 0 {
				k := colors[l]
				r, g, b, n = r+weight*int(k.R), g+weight*int(k.G), b+weight*int(k.B), n+weight
			}
		}
	}
	if n == 0 {
		return c, 0
	}
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 255}, float64(n) / float64(all)
}

// rows returns what copies a row of a photo as opaque RGBA.
func rows(photo image.Image) func(y int, to []uint8) {
	own, ok := photo.(interface{ Row(y int) []uint8 }) // RGB, as package imaging has it
	if !ok {
		whole := toRGBA(photo)
		return func(y int, to []uint8) { copy(to, whole.Pix[y*whole.Stride:]) }
	}
	return func(y int, to []uint8) {
		from := own.Row(y)
		for i, o := 0, 0; i+3 <= len(from) && o+4 <= len(to); i, o = i+3, o+4 {
			p, q := from[i:i+3:i+3], to[o:o+4:o+4]
			q[0], q[1], q[2], q[3] = p[0], p[1], p[2], 255
		}
	}
}

// toRGBA copies a photo.
func toRGBA(photo image.Image) *image.RGBA {
	if own, ok := photo.(interface{ RGBA() *image.RGBA }); ok {
		return own.RGBA()
	}
	b := photo.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, photo, b.Min, draw.Src)
	return out
}

// How the photo is dimmed: grey of levels from dark to light, where a colour of either
// brightness still stands out.
const (
	dimDark  = 24
	dimLight = 196
)

// dimmed is what becomes of each grey.
var dimmed = func() (table [256]uint8) {
	for v := range table {
		table[v] = uint8(dimDark + v*(dimLight-dimDark)/255)
	}
	return table
}()

// dim takes the colour out of a row, by the luma of BT.601, and some of its contrast.
func dim(pix []uint8) {
	for i := 0; i+3 < len(pix); i += 4 {
		p := pix[i : i+3 : i+3]
		v := dimmed[uint8((19595*uint32(p[0])+38470*uint32(p[1])+7471*uint32(p[2])+1<<15)>>16)]
		p[0], p[1], p[2] = v, v, v
	}
}

// outline is how much of an outline a pixel shows, 0 to 1: the share of other labels in
// the square within reach, scaled so that it is full at the border and fades inwards. The
// photo's own border is none.
func outline(m *mask.Map, x, y, reach int) float64 {
	own := m.Labels[y*m.Width+x]
	left, right := max(x-reach, 0), min(x+reach, m.Width-1)
	top, bottom := max(y-reach, 0), min(y+reach, m.Height-1)
	others := 0
	for v := top; v <= bottom; v++ {
		for _, l := range m.Labels[v*m.Width+left : v*m.Width+right+1] {
			if l != own {
				others++
			}
		}
	}
	return min(1, 3*float64(others)/float64((bottom-top+1)*(right-left+1)))
}

// mix moves an RGBA pixel towards a colour.
func mix(p []uint8, c color.RGBA, share float64) { blend(p, c, int(share*256+0.5)) }

// blend is mix by 256ths.
func blend(p []uint8, c color.RGBA, s int) {
	p[0] = uint8((int(p[0])*(256-s) + int(c.R)*s) >> 8)
	p[1] = uint8((int(p[1])*(256-s) + int(c.G)*s) >> 8)
	p[2] = uint8((int(p[2])*(256-s) + int(c.B)*s) >> 8)
}
