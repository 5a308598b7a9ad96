package evaluate

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit/internal/bench"
)

// nothing predicts background everywhere.
type nothing struct{}

func (nothing) Predict(_ context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	maps := make([][]uint8, len(thresholds))
	for i := range maps {
		maps[i] = make([]uint8, photo.Bounds().Dx()*photo.Bounds().Dy())
	}
	return maps, nil
}

func (nothing) About() About { return About{} }

// Background everywhere, on 240 photos of VOC with six classes: 10.5, as an
// independent program found. On CamVid, road everywhere is 26.8 % of the pixels
// and 2.4 mIoU.
func TestBaselinesOfPhotos(t *testing.T) {
	root := os.Getenv("GROUPVIT_DATA")
	if root == "" {
		t.Skip("GROUPVIT_DATA names no folder with VOCdevkit and camvid")
	}
	d, err := bench.Open("voc12", filepath.Join(root, "VOCdevkit", "VOC2012"), bench.Options{Classes: []string{"background", "cat", "cow", "dog", "horse", "person", "sheep"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Segmentation(t.Context(), d, nothing{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if *r.MIoU != 10.53 || *r.Baseline.MIoU != *r.MIoU || *r.Baseline.PixelAccuracy != *r.PixelAccuracy || r.Images != 240 {
		t.Errorf("%d photos: mIoU %v, baseline %v", r.Images, *r.MIoU, *r.Baseline.MIoU)
	}
	if d, err = bench.Open("camvid", filepath.Join(root, "camvid"), bench.Options{}); err != nil {
		t.Fatal(err)
	}
	if r, err = Segmentation(t.Context(), d, nothing{}, Options{}); err != nil {
		t.Fatal(err)
	}
	if b := r.Baseline; b.Class != "road" || *b.MIoU != 2.44 || *b.PixelAccuracy != 26.81 {
		t.Errorf("CamVid: %s, mIoU %v, accuracy %v", b.Class, *b.MIoU, *b.PixelAccuracy)
	}
}
