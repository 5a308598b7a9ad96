// Package plot draws what a measurement found.
package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/groupvit/groupvit/internal/evaluate"
)

// Sweep draws mIoU and pixel accuracy over background thresholds, with the report's
// own rule as a level line, and returns a PNG.
func Sweep(r *evaluate.Report) ([]byte, error) {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s, protocol %s", r.Dataset, r.Protocol)
	p.X.Label.Text, p.Y.Label.Text = "background threshold", "percent"
	p.X.Tick.Marker, p.Y.Tick.Marker = every(0.1), every(10)
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	p.Legend.Top, p.Legend.XOffs, p.Legend.YOffs = true, -vg.Millimeter, -vg.Millimeter
	p.Add(plotter.NewGrid())
	var mIoU, accuracy plotter.XYs
	for _, point := range r.Sweep {
		if point.MIoU != nil {
			mIoU = append(mIoU, plotter.XY{X: point.Threshold, Y: *point.MIoU})
		}
		if point.PixelAccuracy != nil {
			accuracy = append(accuracy, plotter.XY{X: point.Threshold, Y: *point.PixelAccuracy})
		}
	}
	if err := line(p, "pixel accuracy", accuracy, color.RGBA{150, 150, 150, 255}, false); err != nil {
		return nil, err
	}
	if err := line(p, "mIoU", mIoU, color.RGBA{65, 72, 249, 255}, false); err != nil {
		return nil, err
	}
	if r.MIoU != nil && len(mIoU) > 0 {
		own := plotter.XYs{{X: mIoU[0].X, Y: *r.MIoU}, {X: mIoU[len(mIoU)-1].X, Y: *r.MIoU}}
		if err := line(p, "mIoU, background "+r.Background, own, color.RGBA{202, 26, 22, 255}, true); err != nil {
			return nil, err
		}
	}
	p.Y.Min, p.Y.Max = 0, 1.25*p.Y.Max // room for the legend
	picture, err := p.WriterTo(16*vg.Centimeter, 11*vg.Centimeter, "png")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = picture.WriteTo(&b)
	return b.Bytes(), err
}

// every is a ticker with a labelled tick each so much.
type every float64

// Ticks implements plot.Ticker.
func (e every) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for i := math.Ceil(low / float64(e)); i*float64(e) <= high; i++ {
		ticks = append(ticks, plot.Tick{Value: i * float64(e), Label: fmt.Sprintf("%.3g", i*float64(e))})
	}
	return ticks
}

// line adds a line with its name; a level one is dashed and has no points.
func line(p *plot.Plot, name string, points plotter.XYs, c color.Color, level bool) error {
	if len(points) == 0 {
		return nil
	}
	l, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("plot of %s: %w", name, err)
	}
	l.Color, l.Width = c, vg.Points(1.5)
	dots.Color, dots.Radius = c, vg.Points(2)
	if level {
		l.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		p.Add(l)
	} else {
		p.Add(l, dots)
	}
	p.Legend.Add(name, l)
	return nil
}
