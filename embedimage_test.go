package groupvit_test

import (
	"context"
	"encoding/json"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
)

// processorPhoto draws a photo as tools/reference/processor.py states the formula.
func processorPhoto(width, height int) *imaging.Image {
	im := imaging.New(width, height)
	for j := range im.Pix {
		u := uint32(j)*2654435761 + 1
		u ^= u >> 15
		u *= 2246822519
		u ^= u >> 13
		x, y, c := j/3%width, j/3/width, j%3
		im.Pix[j] = uint8(3*x + 5*y + 2*y*c + 60*c + int(u>>26))
	}
	return im
}

// A photo's vector is the one that transformers' image processor and GroupViTModel
// make of it, whatever the directory says of size, crop, filter and normalisation.
func TestEmbedImageAsThePort(t *testing.T) {
	var fixture struct {
		Shapes      [][2]int
		FirstPixels [][3]uint8 `json:"first_pixels"`
		Cases       []struct {
			Name, File string
			Content    json.RawMessage
			Vectors    [][]float64
		}
	}
	b, err := os.ReadFile("testdata/processor/expected.json")
	if err == nil {
		err = json.Unmarshal(b, &fixture)
	}
	if err != nil {
		t.Fatal(err)
	}
	first := processorPhoto(50, 40)
	for i, want := range fixture.FirstPixels {
		if got := [3]uint8(first.Pix[3*i:]); got != want {
			t.Fatalf("the formula's pixel %d is %v, want %v", i, got, want)
		}
	}
	for _, c := range fixture.Cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"config.json", "model.safetensors"} {
				from, err := filepath.Abs(filepath.Join("internal/network/testdata/tiny", name))
				if err == nil {
					err = os.Symlink(from, filepath.Join(dir, name))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, c.File), c.Content, 0o644); err != nil {
				t.Fatal(err)
			}
			m, err := groupvit.Open(context.Background(), dir, &groupvit.Options{Engine: "go", Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for i, shape := range fixture.Shapes {
				got, err := m.EmbedImage(context.Background(), processorPhoto(shape[0], shape[1]))
				if err != nil {
					t.Fatal(err)
				}
				worst := 0.0
				for k, want := range c.Vectors[i] {
					worst = max(worst, math.Abs(float64(got[k])-want))
				}
				if len(got) != len(c.Vectors[i]) || worst > 1e-5 {
					t.Errorf("photo of %v: the vector of %d numbers differs by %.2g from the port's of %d, allowed 1e-5", shape, len(got), worst, len(c.Vectors[i]))
				}
			}
			// Far from any shape that a photo has: no port's vector, but one.
			for _, shape := range []image.Point{{5000, 1}, {1, 5000}} {
				if c.Name == "both edges" || c.Name == "within" || c.Name == "not resized" {
					continue // less than a patch of it is seen, or it fits no port
				}
				if _, err := m.EmbedImage(context.Background(), processorPhoto(shape.X, shape.Y)); err != nil {
					t.Errorf("photo of %v: %v", shape, err)
				}
			}
		})
	}
}
