package groupvit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/weights"
)

// TestNoDefault: a build without an embedded model says so.
func TestNoDefault(t *testing.T) {
	if hasDefault() {
		t.Skip("this build has an embedded model")
	}
	for _, name := range []string{"", groupvit.DefaultModel} {
		if _, err := groupvit.Open(t.Context(), name, nil); err == nil || !strings.Contains(err.Error(), "no embedded model") {
			t.Errorf("Open(%q): %v", name, err)
		}
	}
}

// TestDefault: the embedded model is small, has a card, opens on every engine,
// and does everything there is.
func TestDefault(t *testing.T) {
	if !hasDefault() {
		t.Skip("no models/default")
	}
	const dir, most = "models/default", 12 << 20
	var size int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil || size > most {
		t.Errorf("%s has %d bytes, at most %d are embedded (%v)", dir, size, most, err)
	}
	card, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(card), "mIoU") {
		t.Errorf("the model's card, README.md with its mIoU: %v", err)
	}
	stored, err := os.ReadFile(filepath.Join(dir, weights.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(stored)
	cat := example(t, "cat.jpg")
	var first *groupvit.Segmentation
	for _, kind := range engine.Available() {
		t.Run(kind, func(t *testing.T) {
			m, err := groupvit.Open(t.Context(), "", &groupvit.Options{Engine: kind})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if info := m.Info(); info.Name != groupvit.DefaultModel || info.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("it is %+v", info)
			}
			s, err := m.Segment(t.Context(), cat, []string{"cat|kitten", "dog", "car"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range s.Segments {
				t.Logf("%s: %.1f %%", found.Label, 100*found.Area)
			}
			if s.Map.Width != cat.Bounds().Dx() || s.Map.Height != cat.Bounds().Dy() {
				t.Errorf("a map of %d×%d", s.Map.Width, s.Map.Height)
			}
			if _, err := m.Classify(t.Context(), cat, []string{"cat", "dog"}); err != nil {
				t.Error(err)
			}
			if first == nil {
				first = s
				return
			}
			different := 0
			for i, l := range s.Map.Labels {
				if l != first.Map.Labels[i] {
					different++
				}
			}
			if different > len(s.Map.Labels)/100 {
				t.Errorf("%d of %d pixels have another label than on %s", different, len(s.Map.Labels), engine.Available()[0])
			}
		})
	}
}

// example is one of the example photos.
func example(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join("examples", "photos", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	photo, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return photo
}

// TestOneWord: a label with no other beside it takes what it names, and next to nothing
// of photos that it is not in.
func TestOneWord(t *testing.T) {
	if !hasDefault() {
		t.Skip("no models/default")
	}
	m, err := groupvit.Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, c := range []struct {
		photo       string
		least, most float64 // share of the photo
	}{
		{"cat.jpg", 0.8, 1},     // its face fills nearly all of it
		{"coffee.jpg", 0, 0.05}, // a part of the saucer, at the edge of the threshold
		{"rocket.jpg", 0, 0},
	} {
		s, err := m.Segment(t.Context(), example(t, c.photo), []string{"cat"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var area float64
		for _, found := range s.Segments {
			area += found.Area
		}
		if area < c.least || area > c.most {
			t.Errorf("%s: a cat covers %.1f %%, not %g to %g", c.photo, 100*area, 100*c.least, 100*c.most)
		}
	}
}
