package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fonts are parsed once; the data is compiled in, so parsing cannot fail.
var fonts = sync.OnceValues(func() (regular, bold *sfnt.Font) {
	return mustParse(goregular.TTF), mustParse(gobold.TTF)
})

func mustParse(ttf []byte) *sfnt.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("render: the compiled-in font is damaged: " + err.Error())
	}
	return f
}

// A pen writes one line of text in one size. It is not safe for concurrent use.
type pen struct {
	face    font.Face
	font    *sfnt.Font
	buffer  sfnt.Buffer
	ascent  int // height of capitals' tops above the baseline, in pixels
	descent int
}

func newPen(size float64, bold bool) (*pen, error) {
	f, b := fonts()
	if bold {
		f = b
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("render: font of size %g: %w", size, err)
	}
	m := face.Metrics()
	return &pen{face: face, font: f, ascent: m.CapHeight.Round(), descent: m.Descent.Ceil()}, nil
}

func (p *pen) close() { _ = p.face.Close() } // an opentype face's never fails

func (p *pen) width(s string) int { return font.MeasureString(p.face, s).Ceil() }

func (p *pen) draw(to draw.Image, x, baseline int, s string, c color.Color) {
	d := font.Drawer{Dst: to, Src: image.NewUniform(c), Face: p.face, Dot: fixed.P(x, baseline)}
	d.DrawString(s)
}

// maxRunes of a label are ever looked at: what is drawn is far shorter.
const maxRunes = 256

// legible leaves out the runes that the font cannot draw (it has Latin, Greek
// and Cyrillic; no CJK, no emoji) and returns otherwise if none remain.
func (p *pen) legible(s, otherwise string) string {
	var out strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxRunes {
			break
		}
		if unicode.IsSpace(r) {
			r = ' '
		}
		if glyph, err := p.font.GlyphIndex(&p.buffer, r); err != nil || glyph == 0 || !unicode.IsPrint(r) {
			continue
		}
		out.WriteRune(r)
	}
	if text := strings.Join(strings.Fields(out.String()), " "); text != "" {
		return text
	}
	return otherwise
}

// fit shortens s with an ellipsis to at most width pixels.
func (p *pen) fit(s string, width int) string {
	if p.width(s) <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if short := strings.TrimRight(string(runes[:n]), " ") + "…"; p.width(short) <= width {
			return short
		}
	}
	return ""
}
