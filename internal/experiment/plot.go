package experiment

import (
	"bytes"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Colours of Okabe and Ito, which colour-blind people tell apart.
var (
	barColour   = color.RGBA{86, 180, 233, 255}
	seedColour  = color.RGBA{0, 60, 110, 255}
	paperColour = color.RGBA{213, 94, 0, 255}
)

// plot draws rows as lying bars, each seed as a dot, the paper's number as a cross;
// a PNG.
func (r *Report) plot() ([]byte, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.X.Min = r.Title, "mIoU in percent", 0
	rows := slices.Clone(r.Rows)
	slices.Reverse(rows) // the first on top
	var names []string
	var means plotter.Values
	var seeds, paper plotter.XYs
	for i, row := range rows {
		names, means = append(names, row.Name), append(means, row.Mean)
		for _, v := range row.MIoU {
			seeds = append(seeds, plotter.XY{X: v, Y: float64(i)})
		}
		if row.Paper != nil {
			paper = append(paper, plotter.XY{X: *row.Paper, Y: float64(i)})
		}
	}
	bars, err := plotter.NewBarChart(means, vg.Points(14))
	if err != nil {
		return nil, err
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, barColour, 0
	p.Add(bars)
	p.Legend.Add("mean", bars)
	for _, s := range []struct {
		name   string
		points plotter.XYs
		colour color.Color
		shape  draw.GlyphDrawer
	}{{"seed", seeds, seedColour, draw.CircleGlyph{}}, {"paper (another data set)", paper, paperColour, draw.CrossGlyph{}}} {
		if len(s.points) == 0 {
			continue
		}
		dots, err := plotter.NewScatter(s.points)
		if err != nil {
			return nil, err
		}
		dots.Color, dots.Shape, dots.Radius = s.colour, s.shape, vg.Points(3)
		p.Add(dots)
		p.Legend.Add(s.name, dots)
	}
	p.NominalY(names...)
	p.X.Max = max(1, 1.3*p.X.Max) // room for the legend
	p.Legend.Top, p.Legend.XOffs = true, -vg.Millimeter
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	p.Title.Padding = vg.Points(6)
	canvas := vgimg.NewWith(vgimg.UseWH(18*vg.Centimeter, vg.Length(3.2+0.9*float64(len(rows)))*vg.Centimeter), vgimg.UseBackgroundColor(color.White))
	margin := vg.Points(8)
	p.Draw(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin))
	var b bytes.Buffer
	_, err = vgimg.PngCanvas{Canvas: canvas}.WriteTo(&b)
	return b.Bytes(), err
}
