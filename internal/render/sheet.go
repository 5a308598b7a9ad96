package render

import (
	"fmt"
	"image"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"

	"github.com/groupvit/groupvit/mask"
)

// Panel is one picture of a sheet with its title.
type Panel struct {
	Title string
	Image image.Image
}

// SheetOptions of [Sheet]. nil and the zero value are the defaults.
type SheetOptions struct {
	// Title stands above all panels; empty for none.
	Title string
	// Columns of the grid; 0 chooses a number that makes the sheet about
	// 3:2.
	Columns int
	// Cell is the width and height, in pixels, that a panel's picture is
	// scaled to fit, 32 to 4096; 0 means the largest picture's own, 240 to
	// 800.
	Cell int
}

// maxPanels of one sheet.
const maxPanels = 1024

// Sheet puts panels into a grid on one white picture, each with its title
// above, scaled to one size with its proportions kept.
func Sheet(panels []Panel, options *SheetOptions) (*image.RGBA, error) {
	var o SheetOptions
	if options != nil {
		o = *options
	}
	if len(panels) == 0 || len(panels) > maxPanels {
		return nil, fmt.Errorf("render: a sheet of %d panels: give 1 to %d", len(panels), maxPanels)
	}
	if o.Cell != 0 && (o.Cell < 32 || o.Cell > 4096) || o.Columns < 0 || o.Columns > maxPanels {
		return nil, fmt.Errorf("render: a sheet of %d columns with cells of %d pixels: give 0 to %d and 32 to 4096", o.Columns, o.Cell, maxPanels)
	}
	sizes, cell, err := panelSizes(panels, o.Cell)
	if err != nil {
		return nil, err
	}
	g, err := newGrid(cell, panels, o)
	if err != nil {
		return nil, err
	}
	defer g.pen.close()
	defer g.heading.close()
	out := image.NewRGBA(image.Rect(0, 0, g.width, g.height))
	draw.Draw(out, out.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	if o.Title != "" {
		g.heading.draw(out, g.margin, g.margin+g.heading.ascent, g.heading.fit(g.heading.legible(o.Title, ""), g.width-2*g.margin), ink)
	}
	for i, p := range panels {
		at := g.at(i)
		title := g.pen.fit(g.pen.legible(p.Title, ""), g.cell.X)
		g.pen.draw(out, at.X, at.Y+g.pen.ascent, title, ink)
		to := image.Rectangle{Max: sizes[i]}.Add(at.Add(image.Pt(0, g.caption)))
		if to.Size() == p.Image.Bounds().Size() {
			draw.Draw(out, to, p.Image, p.Image.Bounds().Min, draw.Over)
		} else {
			xdraw.CatmullRom.Scale(out, to, p.Image, p.Image.Bounds(), draw.Over, nil)
		}
	}
	return out, nil
}

// panelSizes returns the sizes of the scaled pictures and their largest sides.
func panelSizes(panels []Panel, cell int) (sizes []image.Point, largest image.Point, err error) {
	const least, most = 240, 800
	if cell == 0 {
		for _, p := range panels {
			if p.Image != nil {
				cell = max(cell, p.Image.Bounds().Dx(), p.Image.Bounds().Dy())
			}
		}
		cell = min(max(cell, least), most)
	}
	for i, p := range panels {
		if p.Image == nil || p.Image.Bounds().Empty() {
			return nil, largest, fmt.Errorf("render: panel %d of the sheet has no picture: %w", i+1, mask.ErrSize)
		}
		b := p.Image.Bounds()
		f := float64(cell) / float64(max(b.Dx(), b.Dy()))
		s := image.Pt(max(1, int(math.Round(float64(b.Dx())*f))), max(1, int(math.Round(float64(b.Dy())*f))))
		sizes = append(sizes, s)
		largest = image.Pt(max(largest.X, s.X), max(largest.Y, s.Y))
	}
	return sizes, largest, nil
}

// A grid knows where panels go. All lengths are pixels.
type grid struct {
	pen, heading         *pen
	columns              int
	cell                 image.Point
	margin, gap, caption int
	top, width, height   int
}

func newGrid(cell image.Point, panels []Panel, o SheetOptions) (*grid, error) {
	g, n := &grid{columns: o.Columns}, len(panels)
	size := min(max(float64(cell.X)/22, 12), 30)
	var err error
	if g.pen, err = newPen(size, true); err != nil {
		return nil, err
	}
	if g.heading, err = newPen(size*1.4, true); err != nil {
		return nil, err
	}
	for _, p := range panels { // pictures may be narrower than their titles
		cell.X = max(cell.X, min(g.pen.width(g.pen.legible(p.Title, "")), int(20*size)))
	}
	g.cell = cell
	g.margin, g.gap, g.caption = int(size*1.4), int(size*1.2), int(size*1.4)
	if g.columns == 0 {
		g.columns = bestColumns(n, float64(cell.X+g.gap)/float64(cell.Y+g.caption+g.gap))
	}
	g.columns = min(max(g.columns, 1), n)
	rows := (n + g.columns - 1) / g.columns
	g.top = g.margin
	if o.Title != "" {
		g.top += int(size * 2.4)
	}
	g.width = 2*g.margin + g.columns*(cell.X+g.gap) - g.gap
	g.height = g.top + rows*(g.caption+cell.Y+g.gap) - g.gap + g.margin
	const most = 100_000_000 // pixels, 400 MB
	if int64(g.width)*int64(g.height) > most {
		return nil, fmt.Errorf("render: a sheet of %d×%d pixels: %w: give smaller cells", g.width, g.height, mask.ErrTooLarge)
	}
	return g, nil
}

// bestColumns weighs the sheet's proportions, best at 3:2, against empty cells;
// shape is the width of a cell over its height.
func bestColumns(n int, shape float64) int {
	best, least := 1, math.Inf(1)
	for columns := 1; columns <= n; columns++ {
		rows := (n + columns - 1) / columns
		proportions := math.Abs(math.Log(float64(columns) * shape / float64(rows) / 1.5))
		empty := 1 - float64(n)/float64(rows*columns)
		if cost := proportions + 4*empty; cost < least {
			best, least = columns, cost
		}
	}
	return best
}

func (g *grid) at(i int) image.Point {
	return image.Pt(g.margin+i%g.columns*(g.cell.X+g.gap), g.top+i/g.columns*(g.caption+g.cell.Y+g.gap))
}
