package plot

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/groupvit/groupvit/internal/evaluate"
)

func TestSweep(t *testing.T) {
	value := func(v float64) *float64 { return &v }
	r := &evaluate.Report{Dataset: "voc12", MIoU: value(30), Sweep: []evaluate.GridPoint{
		{Threshold: 0, MIoU: value(10), PixelAccuracy: value(40)}, {Threshold: 0.5, MIoU: value(35), PixelAccuracy: value(60)}, {Threshold: 0.9},
	}}
	drawn, err := Sweep(r)
	if err != nil {
		t.Fatal(err)
	}
	im, err := png.Decode(bytes.NewReader(drawn))
	if err != nil || im.Bounds().Dx() < 400 {
		t.Fatalf("%v, %v", im.Bounds(), err)
	}
	colors := map[[3]uint32]bool{}
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			r, g, b, _ := im.At(x, y).RGBA()
			colors[[3]uint32{r >> 8, g >> 8, b >> 8}] = true
		}
	}
	if !colors[[3]uint32{65, 72, 249}] || !colors[[3]uint32{202, 26, 22}] {
		t.Error("the lines are not there")
	}
	if _, err := Sweep(&evaluate.Report{}); err != nil {
		t.Errorf("an empty sweep: %v", err)
	}
}
