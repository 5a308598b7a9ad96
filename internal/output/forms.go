package output

import (
	"context"
	"image"
	"image/jpeg"
	"io"

	"github.com/groupvit/groupvit/internal/png"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/internal/webp"
	"github.com/groupvit/groupvit/mask"
)

func overlayPNG(_ context.Context, w io.Writer, a *Answer) error {
	picture, err := a.overlay()
	if err != nil {
		return err
	}
	return png.Encode(w, picture)
}

// jpegQuality of overlays, 1 to 100: the legend's letters stay clear.
const jpegQuality = 90

func overlayJPEG(_ context.Context, w io.Writer, a *Answer) error {
	picture, err := a.overlay()
	if err != nil {
		return err
	}
	return jpeg.Encode(w, picture, &jpeg.Options{Quality: jpegQuality})
}

func overlayWebP(_ context.Context, w io.Writer, a *Answer) error {
	if !webp.Available { // before anything is drawn
		return webp.ErrBuild
	}
	picture, err := a.overlay()
	if err != nil {
		return err
	}
	return webp.Encode(w, picture)
}

func (a *Answer) overlay() (*image.RGBA, error) {
	return render.Overlay(a.Photo, a.Found.Map, a.Found.Labels, &render.Options{KeepSpecks: a.KeepSpecks})
}

func indexedPNG(_ context.Context, w io.Writer, a *Answer) error {
	return a.Found.Map.EncodePNG(w, mask.VOCPalette())
}

func scores(_ context.Context, w io.Writer, a *Answer) error {
	return mask.WriteNPY(w, a.Found.Scores, len(a.Found.Labels), a.Found.Map.Height, a.Found.Map.Width)
}

// confidence writes what another threshold needs: the likeliest label of every pixel
// before any, its confidence (negative where a word of the background is likelier), and
// the label that comes next.
func confidence(ctx context.Context, w io.Writer, a *Answer) error {
	c, err := a.Found.Confidence(ctx)
	if err != nil {
		return err
	}
	n := len(c.Value)
	values := make([]float32, 3*n)
	copy(values[n:], c.Value)
	for i := range n {
		values[i], values[2*n+i] = float32(c.Likely.Labels[i]), float32(c.RunnerUp.Labels[i])
	}
	return mask.WriteNPY(w, values, 3, c.Likely.Height, c.Likely.Width)
}

func cityscapes(_ context.Context, w io.Writer, a *Answer) error {
	return a.Found.Map.EncodeIDs(w, a.IDs)
}
