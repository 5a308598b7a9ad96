package masks

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// columns is an image of four columns with these values, indexed.
func columns(values ...uint8) image.Image {
	im := image.NewPaletted(image.Rect(0, 0, len(values), 3), nil)
	for i := range 256 {
		im.Palette = append(im.Palette, color.RGBA{uint8(i * 7), uint8(i), 0, 255})
	}
	for i := range im.Pix {
		im.Pix[i] = values[i%len(values)]
	}
	return im
}

// write writes files below a folder: images as PNG, whatever their names end in, and
// texts.
func write(t *testing.T, files map[string]any) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		switch c := content.(type) {
		case image.Image:
			err = png.Encode(f, c)
		case string:
			_, err = f.WriteString(c)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// photo is an image of 4×3 pixels.
var photo = image.NewRGBA(image.Rect(0, 0, 4, 3))

// read opens a folder and returns the samples by key and what was left out.
func read(t *testing.T, o Options) (map[string]*pairs.Sample, []string, *Set) {
	t.Helper()
	var skipped []string
	o.Skip = func(p pairs.Problem) { skipped = append(skipped, p.Key+": "+p.Reason()) }
	set, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	out := map[string]*pairs.Sample{}
	for s, err := range set.Samples(context.Background()) {
		if err != nil {
			o.Skip(pairs.Problem{Key: s.Key, Err: err})
			continue
		}
		out[s.Key] = s
	}
	slices.Sort(skipped)
	return out, skipped, set
}

// row is the first row of a sample's label map in words.
func row(t *testing.T, s *pairs.Sample) []string {
	t.Helper()
	m, err := s.LabelMap()
	if err != nil || m == nil {
		t.Fatalf("%s: label map %v, %v", s.Key, m, err)
	}
	var out []string
	for _, v := range m.Pix[:m.Width] {
		switch v {
		case pairs.LabelBackground:
			out = append(out, "background")
		case pairs.LabelUnknown:
			out = append(out, "?")
		default:
			out = append(out, m.Words[v-1])
		}
	}
	return out
}

const fourClasses = "background\ncow\nox\nvoid\n"

func TestLayouts(t *testing.T) {
	mask := columns(0, 1, 2, 255)
	want := []string{"background", "cow", "ox", "?"}
	coco := `{"images": [{"id": 1, "file_name": "a.png", "width": 4, "height": 3}],
		"categories": [{"id": 7, "name": "cow"}, {"id": 9, "name": "ox"}],
		"annotations": [{"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[1,0, 2,0, 2,3, 1,3]], "bbox": [1,0,1,3]},
			{"id": 2, "image_id": 1, "category_id": 9, "iscrowd": 1, "segmentation": {"size": [3, 4], "counts": [6, 3, 3]}, "bbox": [2,0,1,3]},
			{"id": 3, "image_id": 1, "category_id": 9, "bbox": [3,0,1,3]}]}`
	for _, c := range []struct {
		name, layout string
		files        map[string]any
		path         string
	}{
		{"beside, same name", "beside", map[string]any{"classes.txt": fourClasses, "a.bmp.jpg": "x", "a.jpg": photo, "a.png": mask}, ""},
		{"beside, _mask", "beside", map[string]any{"classes.txt": fourClasses, "a.png": photo, "a_mask.png": mask}, ""},
		{"folder", "folder", map[string]any{"classes.txt": fourClasses, "images/a.png": photo, "masks/a.png": mask}, ""},
		{"voc", "voc", map[string]any{"classes.txt": fourClasses, "JPEGImages/a.jpg": photo, "SegmentationClass/a.png": mask}, ""},
		{"coco", LayoutCOCO, map[string]any{"images/a.png": photo, "instances.json": coco}, "instances.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := write(t, c.files)
			samples, _, set := read(t, Options{Path: filepath.Join(root, c.path)})
			s := samples["a"]
			if set.Layout != c.layout || s == nil {
				t.Fatalf("layout %q, samples %v", set.Layout, samples)
			}
			if diff := cmp.Diff(want, row(t, s)); diff != "" {
				t.Error(diff)
			}
			m, _ := s.LabelMap()
			if diff := cmp.Diff([]string{"background", "cow", "ox"}, m.Classes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"a photo of cow and ox"}, s.Captions); diff != "" || !s.Templated() {
				t.Errorf("%s; taken for tags: %v", diff, s.Templated())
			}
		})
	}
}

// VOC's own classes stand for their mask values where there is no classes.txt, and a
// split takes part of the photos.
func TestVOC(t *testing.T) {
	root := write(t, map[string]any{
		"JPEGImages/a.jpg": photo, "SegmentationClass/a.png": columns(0, 8, 12, 255),
		"JPEGImages/b.jpg": photo, "SegmentationClass/b.png": columns(0, 0, 0, 15),
		"ImageSets/Segmentation/train.txt": "b\n",
	})
	samples, _, _ := read(t, Options{Path: root})
	if diff := cmp.Diff([]string{"background", "cat", "dog", "?"}, row(t, samples["a"])); diff != "" || len(samples) != 2 {
		t.Error(len(samples), diff)
	}
	if samples, _, _ = read(t, Options{Path: root, Split: "train"}); len(samples) != 1 || samples["b"] == nil {
		t.Errorf("split train: %v", samples)
	}
}

// What cannot be used is left out by name, and the rest is read.
func TestBadItems(t *testing.T) {
	root := write(t, map[string]any{
		"classes.txt": fourClasses, "notes.doc": "x",
		"images/good.png": photo, "masks/good.png": columns(0, 1, 1, 3),
		"images/good.txt":  "two cows\nby a fence",
		"masks/orphan.png": columns(0, 1, 1, 1),
		"images/small.png": photo, "masks/small.png": columns(0, 1, 1),
		"images/value.png": photo, "masks/value.png": columns(0, 1, 1, 77),
		"images/broken.png": photo, "masks/broken.png": "no picture",
		"images/colour.png": photo, "masks/colour.png": image.NewRGBA(image.Rect(0, 0, 4, 3)),
		"images/text.jpg": "no picture", "masks/text.png": columns(0, 1, 1, 1),
		"masks/list.csv": "x",
	})
	samples, skipped, set := read(t, Options{Path: root})
	if diff := cmp.Diff([]string{
		"broken: broken label map", "colour: broken label map", "orphan: broken label map", "small: broken label map", "text: broken picture", "value: broken label map",
	}, skipped); diff != "" {
		t.Error(diff)
	}
	if len(samples) != 1 || samples["good"].Captions[0] != "two cows\nby a fence" || len(samples["good"].Tags) > 0 {
		t.Errorf("samples %v", samples)
	}
	if got := row(t, samples["good"]); got[3] != "?" {
		t.Errorf("void is %q", got[3])
	}
	if all := strings.Join(set.Notes, "\n"); !strings.Contains(all, ".csv") || !strings.Contains(all, "ignored: pixels of void") {
		t.Errorf("notes: %s", all)
	}
}

// Classes become the vocabulary's words, and those that share one become one.
func TestVocabulary(t *testing.T) {
	words, err := nouns.List([]nouns.Word{{Name: "cattle", Synonyms: []string{"cow", "ox"}}, {Name: "horse"}})
	if err != nil {
		t.Fatal(err)
	}
	root := write(t, map[string]any{"classes.txt": "cow\nox,bull\nsaddle\npony,horse\n", "a.jpg": photo, "a.png": columns(0, 1, 2, 3)})
	samples, _, set := read(t, Options{Path: root, Words: words})
	if diff := cmp.Diff([]string{"cattle", "cattle", "saddle", "horse"}, row(t, samples["a"])); diff != "" {
		t.Error(diff)
	}
	m, _ := samples["a"].LabelMap()
	if diff := cmp.Diff([]string{"cattle", "saddle", "horse"}, m.Classes); diff != "" {
		t.Error(diff)
	}
	want := []string{`one word in the vocabulary: cow and ox are "cattle"`, "not in the vocabulary, taken as words of their own: saddle"}
	if diff := cmp.Diff(want, set.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestNoMasks(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]any
		want  error
	}{
		"nothing":         {map[string]any{"a.jpg": photo}, ErrSource},
		"no class":        {map[string]any{"classes.txt": "background\nvoid\n", "a.jpg": photo, "a.png": columns(0, 0, 0, 0)}, ErrSource},
		"no mask":         {map[string]any{"classes.txt": fourClasses, "a.jpg": photo}, bench.ErrLayout},
		"too many":        {map[string]any{"classes.txt": strings.Repeat("x", 3) + manyLines(300), "a.jpg": photo, "a.png": columns(0)}, bench.ErrLayout},
		"254 are allowed": {map[string]any{"classes.txt": manyLines(255), "a.jpg": photo, "a.png": columns(0)}, ErrSource},
	} {
		if set, err := Open(context.Background(), Options{Path: write(t, c.files)}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, set, err)
		}
	}
	if _, err := Open(context.Background(), Options{Path: filepath.Join(t.TempDir(), "none")}); !errors.Is(err, ErrSource) {
		t.Error(err)
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("class" + strings.Repeat("a", i/26) + string(rune('a'+i%26)) + "\n")
	}
	return b.String()
}
