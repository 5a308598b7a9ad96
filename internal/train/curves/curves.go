// Package curves draws the course of a training run as one picture.
package curves

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Point is a value at a step.
type Point struct {
	Step  int
	Value float64
}

// Line is a named course.
type Line struct {
	Name   string
	Points []Point
	// Rough lines are drawn pale, with their running mean over them.
	Rough bool
}

// Panel is one diagram over the steps.
type Panel struct {
	Title string
	Lines []Line
	// From0 lets the axis begin at 0.
	From0 bool
}

// Size of a panel in pixels, at 96 a vg.Inch.
const panelWidth, panelHeight, dpi = 560, 340, 96

// colours are those of Okabe and Ito, which colour-blind people tell apart.
var colours = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{86, 180, 233, 255}, {230, 159, 0, 255}, {90, 90, 90, 255},
}

// Draw writes the panels that have points, two beside each other, as a PNG.
func Draw(w io.Writer, title string, panels []Panel) error {
	var plots []*plot.Plot
	for _, p := range panels {
		drawn, err := p.plot()
		if err != nil {
			return err
		}
		if drawn != nil {
			plots = append(plots, drawn)
		}
	}
	if len(plots) == 0 {
		return fmt.Errorf("curves: nothing to draw")
	}
	columns := min(2, len(plots))
	rows := (len(plots) + columns - 1) / columns
	const heading = 40
	pixels := func(n int) vg.Length { return vg.Length(n) * vg.Inch / dpi }
	width, height := pixels(columns*panelWidth), pixels(rows*panelHeight+heading)
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	canvas := draw.New(c)
	style := plots[0].Title.TextStyle
	style.Font.Size = font.Length(14)
	style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
	canvas.FillText(style, vg.Point{X: pixels(16), Y: height - pixels(heading) + pixels(10)}, title)
	for i, p := range plots {
		x, y := i%columns, i/columns
		low := vg.Point{X: pixels(x*panelWidth + 10), Y: height - pixels(heading+(y+1)*panelHeight-10)}
		high := vg.Point{X: pixels((x+1)*panelWidth - 20), Y: height - pixels(heading+y*panelHeight)}
		p.Draw(draw.Canvas{Canvas: c, Rectangle: vg.Rectangle{Min: low, Max: high}})
	}
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// plot is the panel as a plot, nil where it has no points.
func (p Panel) plot() (*plot.Plot, error) {
	out := plot.New()
	out.Title.Text = p.Title
	out.X.Label.Text = "step"
	out.Legend.Top, out.Legend.Padding = true, vg.Points(3)
	for _, style := range []*draw.TextStyle{
		&out.Title.TextStyle, &out.X.Label.TextStyle, &out.X.Tick.Label, &out.Y.Tick.Label, &out.Legend.TextStyle,
	} {
		style.Font.Variant, style.Font.Size = "Sans", font.Length(10)
	}
	out.Title.TextStyle.Font.Size = font.Length(12)
	out.Add(plotter.NewGrid())
	n := 0
	for _, l := range p.Lines {
		points := finite(l.Points)
		if len(points) == 0 {
			continue
		}
		c := colours[n%len(colours)]
		n++
		top := points
		if l.Rough && len(points) > 8 {
			top = smooth(points)
			pale := c
			pale.R, pale.G, pale.B = lighter(c.R), lighter(c.G), lighter(c.B)
			if err := add(out, points, pale, 0.7); err != nil {
				return nil, err
			}
		}
		line, err := plotter.NewLine(top)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = c, vg.Points(1.4)
		out.Add(line)
		if len(points) <= 30 {
			dots, err := plotter.NewScatter(points)
			if err != nil {
				return nil, err
			}
			dots.Color, dots.Radius, dots.Shape = c, vg.Points(2), draw.CircleGlyph{}
			out.Add(dots)
		}
		out.Legend.Add(l.Name, line)
	}
	if n == 0 {
		return nil, nil
	}
	if p.From0 {
		out.Y.Min = min(0, out.Y.Min)
	}
	room(&out.X)
	room(&out.Y)
	// The legend gets a strip of its own above the lines.
	out.Y.Max += (out.Y.Max - out.Y.Min) * 0.09 * float64(n)
	return out, nil
}

func add(p *plot.Plot, points plotter.XYs, c color.Color, width float64) error {
	line, err := plotter.NewLine(points)
	if err == nil {
		line.Color, line.Width = c, vg.Points(width)
		p.Add(line)
	}
	return err
}

func lighter(v uint8) uint8 { return uint8(255 - (255-int(v))*2/5) }

// room widens an axis that would have no length.
func room(a *plot.Axis) {
	if a.Max-a.Min < 1e-9*max(1, math.Abs(a.Max)) {
		a.Min, a.Max = a.Min-0.5, a.Max+0.5
	}
}

func finite(points []Point) plotter.XYs {
	var out plotter.XYs
	for _, p := range points {
		if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
			out = append(out, plotter.XY{X: float64(p.Step), Y: p.Value})
		}
	}
	return out
}

// smooth is the mean of each point's neighbourhood, a twentieth of the course to
// each side, less at the ends.
func smooth(points plotter.XYs) plotter.XYs {
	reach := max(1, len(points)/20)
	sums := make([]float64, len(points)+1)
	for i, p := range points {
		sums[i+1] = sums[i] + p.Y
	}
	out := make(plotter.XYs, len(points))
	for i, p := range points {
		r := min(reach, i, len(points)-1-i)
		out[i] = plotter.XY{X: p.X, Y: (sums[i+r+1] - sums[i-r]) / float64(2*r+1)}
	}
	return out
}
