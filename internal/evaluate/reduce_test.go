package evaluate

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit/internal/bench"
)

// numbered predicts for the photo whose width it knows.
type numbered map[int][]uint8

func (n numbered) Predict(_ context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	maps := make([][]uint8, len(thresholds))
	for i := range maps {
		maps[i] = n[photo.Bounds().Dx()]
	}
	return maps, nil
}

func (numbered) About() About { return About{Protocol: "none"} }

// A dataset whose value 0 is ignored, from its files to the report, as NumPy with
// mmsegmentation's rule: ADE20K's layout in miniature.
func TestZeroIgnoredAsNumPy(t *testing.T) {
	for _, c := range readNumpyCases(t, true) {
		root, predictions := t.TempDir(), numbered{}
		write := func(name string, im image.Image) {
			var b bytes.Buffer
			if err := png.Encode(&b, im); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for p, size := range c.Sizes {
			truth, prediction := c.masks(uint32(p), size[0]*size[1])
			predictions[size[1]] = prediction
			mask := image.NewPaletted(image.Rect(0, 0, size[1], size[0]), make(color.Palette, 256))
			for i := range mask.Palette {
				mask.Palette[i] = color.Gray{uint8(i)}
			}
			copy(mask.Pix, truth)
			write(fmt.Sprintf("annotations/validation/%d.png", p), mask)
			write(fmt.Sprintf("images/validation/%d.png", p), image.NewGray(mask.Rect))
		}
		d, err := bench.Open("ade20k", root, bench.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Segmentation(t.Context(), d, predictions, Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		if r.Pixels != c.Counted || *r.MIoU != math.Round(c.MIoU*1e4)/100 || *r.PixelAccuracy != math.Round(c.PixelAccuracy*1e4)/100 {
			t.Errorf("%d pixels, mIoU %v, accuracy %v, NumPy says %d, %v, %v", r.Pixels, *r.MIoU, *r.PixelAccuracy, c.Counted, c.MIoU, c.PixelAccuracy)
		}
		for i, want := range c.IoU {
			got := r.PerClass[r.Classes[i]]
			if (want == nil) != (got == nil) || want != nil && *got != math.Round(*want*1e4)/100 {
				t.Errorf("%s: %v, NumPy says %v", r.Classes[i], got, want)
			}
		}
	}
}
