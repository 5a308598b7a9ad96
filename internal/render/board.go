package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"

	"github.com/groupvit/groupvit/mask"
)

// Board is a picture that tells a story in rows.
type Board struct {
	Title, Subtitle string
	Rows            []BoardRow
}

// BoardRow is a heading with panels from left to right; they go on in a further line
// where they are more than [BoardColumns].
type BoardRow struct {
	Title, Subtitle string
	Panels          []BoardPanel
}

// BoardPanel is a picture with a title above and notes below.
type BoardPanel struct {
	Title string
	Image image.Image
	Notes []Note
}

// Note is a line: a swatch of a colour, if that is not transparent, a text, and
// another, fainter, behind it.
type Note struct {
	Color       color.RGBA
	Text, Faint string
}

// BoardColumns is how many panels a line has at most.
const BoardColumns = 4

// The sizes of a board, in pixels.
const (
	boardCell   = 340
	boardTall   = 400 // the most a picture is high
	boardGap    = 28
	boardMargin = 36
	boardFont   = 15.0
	boardLine   = 23
)

// Draw draws the board on white. An error wraps [mask.ErrTooLarge] where it would be
// larger than 100 megapixels.
func (b *Board) Draw() (*image.RGBA, error) {
	pens, err := newBoardPens()
	if err != nil {
		return nil, err
	}
	defer pens.close()
	var lines []boardLineOf
	columns, height := 1, boardMargin
	if b.Title != "" {
		height += 2*boardLine + boardLine/2
	}
	for _, r := range b.Rows {
		for i := 0; i < len(r.Panels); i += BoardColumns {
			l := boardLineOf{panels: r.Panels[i:min(i+BoardColumns, len(r.Panels))], top: height}
			if i == 0 {
				l.title, l.subtitle = r.Title, r.Subtitle
			}
			if err := l.measure(); err != nil {
				return nil, err
			}
			columns = max(columns, len(l.panels))
			height += l.height + boardGap
			lines = append(lines, l)
		}
	}
	width := 2*boardMargin + columns*(boardCell+boardGap) - boardGap
	if height += boardMargin - boardGap; width*height > 100_000_000 {
		return nil, fmt.Errorf("render: a board of %d×%d pixels: %w: give fewer panels", width, height, mask.ErrTooLarge)
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	room := width - 2*boardMargin
	pens.line(out, pens.heading, boardMargin, boardMargin, room, b.Title, ink)
	pens.line(out, pens.regular, boardMargin, boardMargin+boardLine+boardLine/4, room, b.Subtitle, faint)
	for _, l := range lines {
		l.draw(out, pens, room)
	}
	return out, nil
}

// boardLineOf is a line of panels, its places in pixels.
type boardLineOf struct {
	title, subtitle   string
	panels            []BoardPanel
	sizes             []image.Point
	top, head, height int
	picture           int // height of the highest
}

func (l *boardLineOf) measure() error {
	notes := 0
	for i, p := range l.panels {
		if p.Image == nil || p.Image.Bounds().Empty() {
			return fmt.Errorf("render: panel %d (%.40q) of the board has no picture: %w", i+1, p.Title, mask.ErrSize)
		}
		w, h := float64(p.Image.Bounds().Dx()), float64(p.Image.Bounds().Dy())
		f := min(boardCell/w, boardTall/h)
		s := image.Pt(max(1, int(math.Round(w*f))), max(1, int(math.Round(h*f))))
		l.sizes = append(l.sizes, s)
		l.picture, notes = max(l.picture, s.Y), max(notes, len(p.Notes))
	}
	if l.title != "" {
		l.head = boardLine + boardLine*3/4
	}
	l.height = l.head + boardLine + l.picture + boardLine/3 + notes*boardLine
	return nil
}

func (l *boardLineOf) draw(out *image.RGBA, pens *boardPens, room int) {
	if l.title != "" {
		draw.Draw(out, image.Rect(boardMargin, l.top, boardMargin+room, l.top+1), image.NewUniform(color.RGBA{218, 222, 228, 255}), image.Point{}, draw.Src)
		used := pens.line(out, pens.heading, boardMargin, l.top+boardLine/3, room, l.title, ink)
		pens.line(out, pens.regular, boardMargin+used+12, l.top+boardLine/3, room-used-12, l.subtitle, faint)
	}
	for i, p := range l.panels {
		x, y := boardMargin+i*(boardCell+boardGap), l.top+l.head
		pens.line(out, pens.bold, x, y, boardCell, p.Title, ink)
		y += boardLine
		to := image.Rectangle{Max: l.sizes[i]}.Add(image.Pt(x, y))
		xdraw.CatmullRom.Scale(out, to, p.Image, p.Image.Bounds(), draw.Over, nil)
		y += l.picture + boardLine/3
		for _, n := range p.Notes {
			pens.note(out, x, y, n)
			y += boardLine
		}
	}
}

// boardPens are those of a board.
type boardPens struct{ heading, bold, regular *pen }

func newBoardPens() (*boardPens, error) {
	var p boardPens
	for _, n := range []struct {
		pen  **pen
		size float64
		bold bool
	}{{&p.heading, boardFont * 1.25, true}, {&p.bold, boardFont, true}, {&p.regular, boardFont, false}} {
		made, err := newPen(n.size, n.bold)
		if err != nil {
			p.close()
			return nil, err
		}
		*n.pen = made
	}
	return &p, nil
}

func (p *boardPens) close() {
	for _, one := range []*pen{p.heading, p.bold, p.regular} {
		if one != nil {
			one.close()
		}
	}
}

// line writes a text in the middle of a line of [boardLine] pixels from y, and returns
// its width.
func (p *boardPens) line(out *image.RGBA, with *pen, x, y, room int, text string, c color.RGBA) int {
	text = with.fit(with.legible(text, ""), room)
	with.draw(out, x, y+(boardLine+with.ascent)/2, text, c)
	return with.width(text)
}

func (p *boardPens) note(out *image.RGBA, x, y int, n Note) {
	const side, gap = 13, 8
	room := boardCell
	if n.Color.A > 0 {
		top := y + (boardLine-side)/2
		roundedRect(out, image.Rect(x, top, x+side, top+side), 3, n.Color)
		x, room = x+side+gap, room-side-gap
	}
	used := p.line(out, p.regular, x, y, room, n.Text, ink)
	if used > 0 {
		used += gap
	}
	p.line(out, p.regular, x+used, y, room-used, n.Faint, faint)
}
