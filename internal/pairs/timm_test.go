package pairs

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"sort"
	"testing"

	"github.com/groupvit/groupvit/internal/imaging"
)

// timmFixture is testdata/augment.json, which tools/reference/augment.py writes.
type timmFixture struct {
	Width, Height int
	Source        []byte
	Operations    []struct {
		Name        string
		Level, Sign float64
		Pixels      []byte
	}
	Draws struct {
		Operations       int
		Chance           float64
		Level, Deviation float64
		Pictures         int
		Applied          map[string]int
		Levels           []float64
		Negative         float64
	}
	Crops []struct {
		Width, Height int
		boxDeciles
	}
	Erasing struct {
		Side int
		boxDeciles
	}
}

// boxDeciles describe the distribution of random boxes, relative to the picture.
type boxDeciles struct{ Area, Aspect, Left, Top []float64 }

func timm(t *testing.T) timmFixture {
	t.Helper()
	b, err := os.ReadFile("testdata/augment.json")
	if err != nil {
		t.Fatal(err)
	}
	var f timmFixture
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// timmNames are timm's names of our operations.
var timmNames = map[string]string{
	"AutoContrast": "auto contrast", "Equalize": "equalize", "Invert": "invert", "Rotate": "rotate",
	"PosterizeIncreasing": "posterize", "SolarizeIncreasing": "solarize", "SolarizeAdd": "solarize add",
	"ColorIncreasing": "color", "ContrastIncreasing": "contrast", "BrightnessIncreasing": "brightness",
	"SharpnessIncreasing": "sharpness", "ShearX": "shear x", "ShearY": "shear y",
	"TranslateXRel": "translate x", "TranslateYRel": "translate y",
}

// Each operation at several levels is timm's, within one level of rounding.
func TestOperationsAsTimm(t *testing.T) {
	f := timm(t)
	seen := map[string]bool{}
	for _, c := range f.Operations {
		t.Run(fmt.Sprintf("%s %g %+g", c.Name, c.Level, c.Sign), func(t *testing.T) {
			i := slices.IndexFunc(operations, func(o operation) bool { return o.name == timmNames[c.Name] })
			if i < 0 {
				t.Fatal("no such operation")
			}
			seen[c.Name] = true
			im := &Image{Width: f.Width, Height: f.Height, Pix: slices.Clone(f.Source)}
			operations[i].apply(im, c.Level, c.Sign)
			for j, v := range im.Pix {
				if d := abs(int(v) - int(c.Pixels[j])); d > 1 {
					t.Fatalf("byte %d is %d, timm has %d", j, v, c.Pixels[j])
				}
			}
		})
	}
	if len(seen) != len(operations) {
		t.Errorf("%d of %d operations", len(seen), len(operations))
	}
}

// The published setting is timm's "rand-m9-mstd0.5-inc1", and its choices have
// timm's frequencies.
func TestRandAugmentDraws(t *testing.T) {
	want := timm(t).Draws
	r := PaperRandAugment()
	if got := (RandAugment{want.Operations, want.Chance, want.Level, want.Deviation}); r != got {
		t.Errorf("%+v, timm has %+v", r, got)
	}
	const n = 40_000
	applied, negative, total := map[string]int{}, 0, 0
	var levels []float64
	d := newRNG(1, forPicture)
	for range n {
		for _, c := range r.draw(d) {
			total++
			applied[operations[c.operation].name]++
			levels = append(levels, c.level)
			if c.sign < 0 {
				negative++
			}
		}
	}
	// Standard errors: 0.4 % of an operation's 1/15 in ours, 0.8 % in timm's.
	for theirs, ours := range timmNames {
		got, want := float64(applied[ours])/n, float64(want.Applied[theirs])/float64(want.Pictures)
		if math.Abs(got-1./15) > 0.005 || math.Abs(got-want) > 0.012 {
			t.Errorf("%s is applied to %.4f of the pictures, timm %.4f, expected 1/15", ours, got, want)
		}
	}
	if share := float64(negative) / float64(total); math.Abs(share-0.5) > 0.01 || math.Abs(want.Negative-0.5) > 0.06 {
		t.Errorf("%.3f are negative, timm %.3f", share, want.Negative)
	}
	checkDeciles(t, "level", levels, want.Levels, 0.05)
	// Levels are N(9, 0.5), what is above 10 at 10.
	for _, x := range []float64{8, 8.5, 9, 9.5, 9.99} {
		normal := 0.5 * math.Erfc(-(x-9)/0.5/math.Sqrt2)
		if got := below(levels, x); math.Abs(got-normal) > 0.01 {
			t.Errorf("%.4f of the levels are below %g, expected %.4f", got, x, normal)
		}
	}
	if slices.Max(levels) != 10 {
		t.Errorf("highest level %g", slices.Max(levels))
	}
}

// below is the share of values below x.
func below(values []float64, x float64) float64 {
	n := 0
	for _, v := range values {
		if v < x {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

// checkDeciles compares samples with deciles of the same distribution: each value
// must divide them as it does the others, within a bound; equal values may lie on
// either side.
func checkDeciles(t *testing.T, name string, got, deciles []float64, bound float64) {
	t.Helper()
	got = slices.Sorted(slices.Values(got))
	if len(deciles) != 9 {
		t.Fatalf("%s: %d deciles", name, len(deciles))
	}
	for i, x := range deciles {
		share := float64(i+1) / 10
		low := float64(sort.SearchFloat64s(got, x-1e-6)) / float64(len(got))
		high := float64(sort.SearchFloat64s(got, x+1e-6)) / float64(len(got))
		if low > share+bound || high < share-bound {
			t.Errorf("%s: %.3f to %.3f are below %.4g, timm has %.1f", name, low, high, x, share)
		}
	}
}

// boxes collects random boxes.
type boxes struct{ area, aspect, left, top []float64 }

func (b *boxes) add(r rectangle, width, height int) {
	b.area = append(b.area, float64(r.width*r.height)/float64(width*height))
	b.aspect = append(b.aspect, math.Log(float64(r.width)/float64(r.height)))
	b.left, b.top = append(b.left, float64(r.x)/float64(width)), append(b.top, float64(r.y)/float64(height))
}

func (b *boxes) check(t *testing.T, want boxDeciles, bound float64) {
	t.Helper()
	checkDeciles(t, "area", b.area, want.Area, bound)
	checkDeciles(t, "aspect", b.aspect, want.Aspect, bound)
	checkDeciles(t, "left", b.left, want.Left, bound)
	checkDeciles(t, "top", b.top, want.Top, bound)
}

// Crops have the distribution of RandomResizedCrop, also where pictures are so
// long that most tries fail.
func TestCropsAsTimm(t *testing.T) {
	for _, c := range timm(t).Crops {
		t.Run(fmt.Sprintf("%dx%d", c.Width, c.Height), func(t *testing.T) {
			a := PaperAugment()
			a.Area, a.Aspect = [2]float64{0.08, 1}, [2]float64{3. / 4, 4. / 3}
			var got boxes
			d := newRNG(2, forPicture)
			for range 20_000 {
				got.add(a.resizedCrop(d, c.Width, c.Height), c.Width, c.Height)
			}
			got.check(t, c.boxDeciles, 0.02)
		})
	}
}

// The aspect of crops may be jittered further, for photos that had been squashed.
func TestAspectJitter(t *testing.T) {
	a := PaperAugment()
	a.Area, a.Aspect = [2]float64{0.3, 1}, [2]float64{0.6, 1.67}
	var got boxes
	d := newRNG(3, forPicture)
	for range 5000 {
		got.add(a.resizedCrop(d, 144, 144), 144, 144)
	}
	low, high := slices.Min(got.aspect), slices.Max(got.aspect)
	if low < math.Log(0.58) || low > math.Log(0.63) || high > math.Log(1.72) || high < math.Log(1.6) {
		t.Errorf("aspects from %.3f to %.3f", math.Exp(low), math.Exp(high))
	}
	if wide := 1 - below(got.aspect, math.Log(4./3)); wide < 0.1 {
		t.Errorf("%.3f of the crops are wider than the paper's", wide)
	}
}

// Erased boxes have the distribution of RandomErasing.
func TestErasingAsTimm(t *testing.T) {
	f := timm(t).Erasing
	var got boxes
	d := newRNG(4, forPicture)
	for range 20_000 {
		if box, ok := erasedBox(d, f.Side, 1); ok {
			got.add(box, f.Side, f.Side)
		}
	}
	got.check(t, f.boxDeciles, 0.03)
}

// The resizing is Pillow's, in the interpolation that is asked for.
func TestInterpolation(t *testing.T) {
	f := timm(t)
	im := &Image{Width: f.Width, Height: f.Height, Pix: f.Source}
	for name, filter := range map[string]imaging.Filter{Bilinear: imaging.Bilinear, Bicubic: imaging.Bicubic} {
		want, err := imaging.ResizePIL(im, 9, 9, filter)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Augment{Crop: CropNone, Interpolation: name}.reshape(newRNG(1, forPicture), im, rectangle{0, 0, im.Width, im.Height}, 9)
		if err != nil || !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: another picture (%v)", name, err)
		}
	}
}

// Each filling and number of boxes is what its name says.
func TestEraseModes(t *testing.T) {
	const size = 32
	for mode, check := range map[string]func(values []float32) bool{
		ErasePixel: func(v []float32) bool { return v[0] != v[1] && v[0] != 0 },
		EraseRand:  func(v []float32) bool { return v[0] == v[1] && v[0] != 0 && v[0] != 5 },
		EraseConst: func(v []float32) bool { return v[0] == 0 && v[1] == 0 },
	} {
		t.Run(mode, func(t *testing.T) {
			pixels := make([]float32, 3*size*size)
			box := rectangle{3, 4, 10, 5}
			for i := range pixels {
				pixels[i] = 5
			}
			Augment{EraseMode: mode}.fill(newRNG(1, forPicture), pixels, size, box)
			changed := 0
			for _, v := range pixels {
				if v != 5 {
					changed++
				}
			}
			if changed != 3*box.width*box.height || !check(pixels[4*size+3:][:2]) {
				t.Errorf("%d values changed, the first are %v", changed, pixels[4*size+3:][:2])
			}
		})
	}
	// Several boxes have as much area together as one.
	share := map[int]float64{}
	for _, count := range []int{1, 4} {
		d := newRNG(5, forPicture)
		for range 400 {
			pixels := make([]float32, 3*size*size)
			Augment{EraseMode: ErasePixel, EraseCount: count}.erase(d, pixels, size)
			for _, v := range pixels {
				if v != 0 {
					share[count] += 1. / 400 / float64(len(pixels))
				}
			}
		}
	}
	if share[4] < 0.6*share[1] || share[4] > share[1] { // they overlap
		t.Errorf("shares %v", share)
	}
}
