package groupvit

import (
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// TestWordMaps: the maps are the cosines of what one look at the squashed photo sees,
// from groups and from patches, in any company.
func TestWordMaps(t *testing.T) {
	tiny := weightstest.Tiny(t)
	for _, name := range []string{tiny, DefaultModel} {
		m, err := Open(t.Context(), name, &Options{Threads: 1, Precision: "float32"})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		vectors, _, err := m.ClassVectors(t.Context(), []string{"dog", "grass", "sky"}, "")
		if err != nil {
			t.Fatal(err)
		}
		const side = 48
		maps, err := m.NewWordMaps(vectors, side, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer maps.Close()
		r := rand.New(rand.NewPCG(1, 1))
		var photos []image.Image
		for i := range 3 {
			im := imaging.New(50+10*i, 64)
			for k := range im.Pix {
				im.Pix[k] = uint8(r.UintN(256))
			}
			photos = append(photos, im)
		}
		for count := 3; count >= 1; count -= 2 {
			got, err := maps.Maps(t.Context(), photos[:count])
			if err != nil {
				t.Fatal(err)
			}
			for i, photo := range photos[:count] {
				seen, err := imaging.ResizePIL(photo.(*imaging.Image), side, side, imaging.Bilinear)
				if err != nil {
					t.Fatal(err)
				}
				window, err := m.window(t.Context(), imaging.Normalize(seen, m.weights.Mean, m.weights.Std), side, side)
				if err != nil {
					t.Fatal(err)
				}
				want := plainWordMaps(&window, vectors, m.config.Map())
				if h, w := maps.Grid(); h != window.GridH || w != window.GridW || len(got[i]) != len(want) {
					t.Fatalf("%s: grid %d×%d, %d values, want %d", name, h, w, len(got[i]), len(want))
				}
				for k, v := range want {
					if math.Abs(float64(got[i][k])-v) > 2e-5 {
						t.Fatalf("%s: photo %d of %d: value %d is %g, want %g", name, i, count, k, got[i][k], v)
					}
				}
			}
		}
		if _, err := maps.Maps(t.Context(), append(photos, photos[0])); !errors.Is(err, ErrOption) {
			t.Errorf("four photos of three: %v", err)
		}
		if _, err := maps.Maps(t.Context(), nil); !errors.Is(err, ErrOption) {
			t.Errorf("no photo: %v", err)
		}
	}
}

func plainWordMaps(w *assign.Window, vectors [][]float32, from network.MapSource) []float64 {
	dot := func(a, b []float32) (s float64) {
		for i := range a {
			s += float64(a[i]) * float64(b[i])
		}
		return s
	}
	var out []float64
	for _, v := range vectors {
		for n := range w.GridH * w.GridW {
			p := len(v)
			var patches, groups float64
			if from != network.MapGroups {
				patches = dot(w.Patches[n*p:(n+1)*p], v)
			}
			if from != network.MapPatches {
				count := len(w.Groups) / p
				for g := range count {
					groups += float64(w.Assign[n*count+g]) * dot(w.Groups[g*p:(g+1)*p], v)
				}
			}
			if from == network.MapBoth {
				patches, groups = patches/2, groups/2
			}
			out = append(out, patches+groups)
		}
	}
	return out
}

// TestWordMapsRefuses: what cannot be computed is an error, not a panic.
func TestWordMapsRefuses(t *testing.T) {
	m, err := Open(t.Context(), weightstest.Tiny(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	right := make([]float32, m.config.EmbedWidth)
	for name, ask := range map[string]struct {
		vectors     [][]float32
		side, batch int
	}{
		"no words": {nil, 32, 4}, "width": {[][]float32{right[1:]}, 32, 4}, "side": {[][]float32{right}, 4, 4},
		"large": {[][]float32{right}, 1 << 20, 4}, "batch": {[][]float32{right}, 32, 0},
	} {
		if _, err := m.NewWordMaps(ask.vectors, ask.side, ask.batch); !errors.Is(err, ErrOption) {
			t.Errorf("%s: %v", name, err)
		}
	}
	maps, err := m.NewWordMaps([][]float32{right}, 32, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if _, err := maps.Maps(t.Context(), []image.Image{imaging.New(8, 8)}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
