package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/mask"
)

// files is a data set in miniature: content by path.
type files map[string][]byte

func (f files) write(t testing.TB, root string) string {
	t.Helper()
	for name, content := range f {
		if err := write(filepath.Join(root, filepath.FromSlash(name)), content); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func grey(width int, values ...uint8) []byte {
	im := image.NewGray(image.Rect(0, 0, width, len(values)/width))
	copy(im.Pix, values)
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func run(t *testing.T, source string, o Options) (*Result, error) {
	t.Helper()
	for _, s := range Sources() {
		if s.Name == source {
			return s.Run(t.Context(), o)
		}
	}
	t.Fatalf("no source %s", source)
	return nil, nil
}

func labels(t *testing.T, path string) []uint16 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mask.DecodePNG(f)
	if err != nil {
		t.Fatal(err)
	}
	return m.Labels
}

// What COCO's raw values become, by the published tables.
func TestCOCOTables(t *testing.T) {
	object, stuff := objectTable(), stuffTable()
	for _, c := range []struct{ raw, object, stuff int }{
		{0, 1, 0}, {10, 11, 10}, {12, 12, 11}, {23, 23, 22}, {24, 24, 23}, {26, 25, 24}, {27, 26, 25}, {30, 27, 26}, {43, 40, 39}, {45, 41, 40},
		{64, 60, 59}, {66, 61, 60}, {69, 62, 61}, {71, 63, 62}, {81, 73, 72}, {83, 74, 73}, {89, 80, 79}, {91, 0, 80}, {181, 0, 170}, {255, 0, 255},
		{11, -1, -1}, {90, -1, -1}, {182, -1, -1}, {254, -1, -1},
	} {
		if object[c.raw] != c.object || stuff[c.raw] != c.stuff {
			t.Errorf("raw %d becomes %d and %d, want %d and %d", c.raw, object[c.raw], stuff[c.raw], c.object, c.stuff)
		}
	}
}

func TestCOCOStuff(t *testing.T) {
	root := files{
		"annotations/val2017/000000000139.png":   grey(2, 0, 91, 255, 89),
		"annotations/train2017/000000000009.png": grey(2, 181, 12, 0, 0),
		"images/val2017/000000000139.png":        grey(2, 0, 0, 0, 0),
		"images/train2017/000000000009.png":      grey(2, 0, 0, 0, 0),
	}.write(t, t.TempDir())
	for source, want := range map[string][]uint8{"coco-object": {1, 0, 0, 80}, "coco-stuff": {0, 80, 255, 79}} {
		r, err := run(t, source, Options{Input: root})
		if err != nil || r.Written != 2 || r.Kept != 0 {
			t.Fatalf("%s: %+v, %v", source, r, err)
		}
		d, err := bench.Open(source, root, bench.Options{})
		if err != nil {
			t.Fatal(err)
		}
		truth, err := d.Truth(0)
		if err != nil || !slices.Equal(truth.Labels, want) {
			t.Errorf("%s: %v, %v, want %v", source, truth, err, want)
		}
		if r, err = run(t, source, Options{Input: root}); err != nil || r.Kept != 2 || r.Written != 0 {
			t.Errorf("%s again: %+v, %v", source, r, err)
		}
	}
	files{"annotations/val2017/x.png": grey(1, 11)}.write(t, root)
	if _, err := run(t, "coco-object", Options{Input: root, Strict: true}); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "value 11 at (0, 0)") {
		t.Errorf("a value that is no class: %v", err)
	}
}

func TestCityscapes(t *testing.T) {
	root := files{
		"gtFine/val/ulm/ulm_1_gtFine_labelIds.png":  grey(3, 7, 8, 0, 33, 29, 31),
		"leftImg8bit/val/ulm/ulm_1_leftImg8bit.png": grey(3, 0, 0, 0, 0, 0, 0),
	}.write(t, t.TempDir())
	if _, err := run(t, "cityscapes", Options{Input: root}); err != nil {
		t.Fatal(err)
	}
	d, err := bench.Open("cityscapes", root, bench.Options{})
	if err != nil {
		t.Fatal(err)
	}
	truth, err := d.Truth(0)
	if want := []uint8{0, 1, 255, 18, 255, 16}; err != nil || !slices.Equal(truth.Labels, want) {
		t.Errorf("%v, %v, want %v", truth, err, want)
	}
}

func matFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("mat5", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPascalContext(t *testing.T) {
	in := files{"trainval/2008_1.mat": matFile(t, "context.mat"), "trainval/2008_2.mat": matFile(t, "big.mat")}.write(t, t.TempDir())
	out := files{
		"ImageSets/Main/train.txt": []byte("2008_2\n2008_9\n"), "ImageSets/Main/val.txt": []byte("2008_1 -1\n"),
		"JPEGImages/2008_1.png": grey(3, 0, 0, 0, 0, 0, 0),
	}.write(t, t.TempDir())
	r, err := run(t, "context", Options{Input: in, Output: out})
	if err != nil || r.Written != 2 || len(r.Lists) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	d, err := bench.Open("context60", out, bench.Options{})
	if err != nil || len(d.Samples) != 1 {
		t.Fatal(d, err)
	}
	// LabelMap [1 2 459; 9 458 0]: aeroplane is 2, bag 9, wood 458.
	truth, err := d.Truth(0)
	if want := []uint8{0, 1, 0, 2, 59, 0}; err != nil || !slices.Equal(truth.Labels, want) {
		t.Errorf("%v, %v, want %v", truth, err, want)
	}
	if d.Classes[59].Name != "wood" || d.Classes[2].Name != "bag" {
		t.Error(d.Names())
	}
}

// Of VOC's lists what has no label map is counted, and so are maps that no list names,
// a second map of one name and files that are no maps.
func TestPascalContextLeftOut(t *testing.T) {
	m := matFile(t, "context.mat")
	in := files{"2008_1.mat": m, "2008_2.mat": m, "again/2008_1.mat": m, "2008_3.MAT": m, "readme.txt": nil}.write(t, t.TempDir())
	out := files{
		"ImageSets/Main/train.txt": []byte("2008_8 -1\n2008_9 1\n"), "ImageSets/Main/val.txt": []byte("2008_1\n"),
	}.write(t, t.TempDir())
	r, err := run(t, "context", Options{Input: in, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	if r.Written != 2 || r.WithoutMap != 2 || r.Unlisted != 1 || r.SameImages != 1 || r.LeftOut.Total() != 2 {
		t.Errorf("%d masks, %d photos without one, %d of no list, %d of one name, %d other files, want 2, 2, 1, 1, 2",
			r.Written, r.WithoutMap, r.Unlisted, r.SameImages, r.LeftOut.Total())
	}
	notes := strings.Join(r.Notes(), "\n")
	for _, want := range []string{"2 listed photos have no label map: not in the new lists (the first: 2008_8)", "1 mask is of a photo that neither list names: written, and in no list (the first: 2008_2)", "2 files left out: 1 .mat, 1 .txt"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q lacks %q", notes, want)
		}
	}
	merged := files{"trainval_merged.json": []byte(strings.NewReplacer(`"phase":"val"`, `"phase":"test"`, `"id":3,"image_id":2008000001`, `"id":3,"image_id":5`).Replace(mergedJSON))}.write(t, t.TempDir())
	r, err = run(t, "context", Options{Input: filepath.Join(merged, "trainval_merged.json"), Output: t.TempDir()})
	if err != nil || r.Unlisted != 1 || r.OfNoImage != 1 {
		t.Errorf("a photo of another phase, a region of no photo: %v, %v", r, err)
	}
}

const mergedJSON = `{"info":{"year":2010},
 "categories":[{"category_id":2,"name":"aeroplane","onlysemantic":0,"parts":[3]},{"category_id":9,"name":"bag"},{"category_id":458,"name":"wood"}],
 "annos_boundary":[{"image_id":2008000001,"boundaries":{"size":[2,3],"counts":"6"}},[],"x"],
 "annos_segmentation":[
  {"id":1,"image_id":2008000001,"category_id":458,"area":6,"iscrowd":1,"bbox":[0,0,3,2],"segmentation":{"size":[2,3],"counts":[0,6]},"parts":[{"part_id":3,"segmentation":{}}]},
  {"id":2,"image_id":2008000001,"category_id":2,"iscrowd":0,"segmentation":{"counts":"114","size":[2,3]}},
  {"id":3,"image_id":2008000001,"category_id":459,"segmentation":{"size":[2,3],"counts":[5,1]}}],
 "images":[{"image_id":2008000001,"file_name":"2008_000001.jpg","phase":"val","width":3,"height":2,"date_captured":"31-May-2015"},
  {"image_id":2008000002,"file_name":"2008_000002.jpg","phase":"train","width":1,"height":1}]}`

// Regions lie over each other in the file's order; rare labels and what no region
// covers are background.
func TestPascalContextMerged(t *testing.T) {
	in := files{"trainval_merged.json": []byte(mergedJSON)}.write(t, t.TempDir())
	out := files{"JPEGImages/2008_000001.png": grey(3, 0, 0, 0, 0, 0, 0), "JPEGImages/2008_000002.png": grey(1, 0)}.write(t, t.TempDir())
	r, err := run(t, "context", Options{Input: filepath.Join(in, "trainval_merged.json"), Output: out})
	if err != nil || r.Written != 2 || len(r.Lists) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	d, err := bench.Open("context60", out, bench.Options{})
	if err != nil || len(d.Samples) != 1 || d.Samples[0].ID != "2008_000001" {
		t.Fatal(d, err)
	}
	// Column by column: wood everywhere; an aeroplane over the second place; then
	// label 459, which is none of the 59, over the last.
	truth, err := d.Truth(0)
	if want := []uint8{59, 59, 59, 1, 59, 0}; err != nil || !slices.Equal(truth.Labels, want) {
		t.Errorf("%v, %v, want %v", truth, err, want)
	}
	if got := labels(t, filepath.Join(out, "SegmentationClassContext", "2008_000002.png")); !slices.Equal(got, []uint16{0}) {
		t.Errorf("a photo without regions: %v", got)
	}
}

func TestVOCAug(t *testing.T) {
	in := files{"dataset/cls/2008_1.mat": matFile(t, "sbd.mat"), "dataset/cls/2008_2.mat": matFile(t, "sbd.mat")}.write(t, t.TempDir())
	out := files{
		"ImageSets/Segmentation/train.txt": []byte("2007_1\n"), "ImageSets/Segmentation/val.txt": []byte("2008_2\n"),
		"JPEGImages/2007_1.png": grey(3, 0, 0, 0, 0, 0, 0), "JPEGImages/2008_1.png": grey(3, 0, 0, 0, 0, 0, 0),
		"SegmentationClass/2007_1.png": grey(3, 0, 0, 0, 0, 0, 1),
	}.write(t, t.TempDir())
	r, err := run(t, "voc-aug", Options{Input: in, Output: out})
	if err != nil || r.Written != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	d, err := bench.Open("voc12", out, bench.Options{Split: "trainaug"})
	if err != nil || len(d.Samples) != 2 || d.Samples[1].ID != "2008_1" {
		t.Fatalf("%+v, %v", d, err)
	}
	truth, err := d.Truth(1)
	if want := []uint8{0, 8, 8, 12, 255, 20}; err != nil || !slices.Equal(truth.Labels, want) {
		t.Errorf("%v, %v, want %v", truth, err, want)
	}
}

const instancesJSON = `{"images":[{"id":7,"file_name":"val2017/a.jpg","width":6,"height":4},{"id":8,"file_name":"b.jpg","width":2,"height":2}],
 "categories":[{"id":18,"name":"dog"},{"id":1,"name":"person, or so"}],
 "annotations":[
  {"image_id":7,"category_id":18,"area":4,"segmentation":[[1,1,3,1,3,3,1,3]]},
  {"image_id":7,"category_id":1,"area":24,"segmentation":[[0,0,6,0,6,4,0,4]]},
  {"image_id":8,"category_id":18,"area":1,"iscrowd":1,"segmentation":{"size":[2,2],"counts":[1,1,2]}}]}`

func TestCOCOJSON(t *testing.T) {
	dir := t.TempDir()
	in := files{"instances.json": []byte(instancesJSON), "photos/val2017/a.png": grey(6, make([]uint8, 24)...), "photos/b.png": grey(2, 0, 0, 0, 0)}.write(t, dir)
	out := filepath.Join(dir, "out")
	r, err := run(t, "coco-json", Options{Input: filepath.Join(in, "instances.json"), Output: out, Photos: filepath.Join(in, "photos")})
	if err != nil || r.Written != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := labels(t, filepath.Join(out, "masks", "val2017", "a.png")); !slices.Equal(got, []uint16{1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1}) {
		t.Errorf("the smaller object is not on top: %v", got)
	}
	if got := labels(t, filepath.Join(out, "masks", "b.png")); !slices.Equal(got, []uint16{0, 0, 2, 0}) {
		t.Errorf("run lengths: %v", got)
	}
	d, err := bench.Open("folder", out, bench.Options{})
	if err != nil || strings.Join(d.Names(), ";") != "background;person or so;dog" || len(d.Samples) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
}

// Objects of which only a box is known are counted, and their boxes ignored: they were
// background before, which no file says.
func TestCOCOBoxesAlone(t *testing.T) {
	const text = `{"images":[{"id":1,"file_name":"a.jpg","width":6,"height":4},{"id":2,"file_name":"b.jpg","width":2,"height":1}],
 "categories":[{"id":1,"name":"cat"},{"id":2,"name":"dog"}],
 "annotations":[
  {"image_id":1,"category_id":1,"area":6,"bbox":[0.5,0,2.5,2]},
  {"image_id":1,"category_id":2,"area":1,"bbox":[5,3,9,9],"segmentation":[]},
  {"image_id":1,"category_id":2,"area":1,"segmentation":null},
  {"image_id":1,"category_id":2,"area":1,"segmentation":""},
  {"image_id":1,"category_id":2,"area":1,"segmentation":[[2,0,4,0,4,1,2,1]]},
  {"image_id":9,"category_id":2,"area":1,"segmentation":[[2,0,4,0,4,1,2,1]]}]}`
	dir := t.TempDir()
	in := filepath.Join(files{"instances.json": []byte(text)}.write(t, dir), "instances.json")
	out := filepath.Join(dir, "out")
	r, err := run(t, "coco-json", Options{Input: in, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := [4]int{r.WithoutMask, r.ImagesWithoutMask, r.OfNoImage, r.Unannotated}, [4]int{4, 1, 1, 1}; got != want {
		t.Errorf("objects without a mask, images with such, objects of no image, images without objects: %v, want %v", got, want)
	}
	want := []uint16{255, 255, 2, 2, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255}
	if got := labels(t, filepath.Join(out, "masks", "a.png")); !slices.Equal(got, want) {
		t.Errorf("mask %v, want %v", got, want)
	}
	notes := strings.Join(r.Notes(), "\n")
	for _, want := range []string{"4 objects have no mask", "1 image:", "1 object is of images", "1 image has no object"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q lacks %q", notes, want)
		}
	}
	strict := filepath.Join(dir, "strict")
	if _, err := run(t, "coco-json", Options{Input: in, Output: strict, Strict: true}); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "4 objects have no mask") {
		t.Errorf("strict: %v", err)
	}
	if _, err := os.Stat(strict); err == nil {
		t.Error("strict: something was written")
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ source, file, content, says string }{
		"no JSON":               {"coco-json", "a.json", "{", "no COCO instances"},
		"a list of results":     {"coco-json", "a.json", " [{\"image_id\":1}]", "COCO's results"},
		"one id of two classes": {"coco-json", "a.json", strings.Replace(instancesJSON, `{"id":1,"name"`, `{"id":18,"name"`, 1), "have the id 18 both"},
		"no categories":         {"coco-json", "a.json", `{"images":[{"id":1,"file_name":"a.jpg","width":1,"height":1}]}`, "0 categories"},
		"way out":               {"coco-json", "a.json", strings.Replace(instancesJSON, "val2017/a.jpg", "../../a.jpg", 1), "file name"},
		"enormous":              {"coco-json", "a.json", strings.Replace(instancesJSON, `"width":6`, `"width":99999`, 1), "pixels"},
		"unknown category":      {"coco-json", "a.json", strings.Replace(instancesJSON, `"category_id":1,`, `"category_id":2,`, 1), "category 2"},
		"polygon of a point":    {"coco-json", "a.json", strings.Replace(instancesJSON, "[1,1,3,1,3,3,1,3]", "[1,1]", 1), "3 to"},
		"infinite polygon":      {"coco-json", "a.json", strings.Replace(instancesJSON, "[1,1,3,1,3,3,1,3]", "[1,1,1e300,1,3,3]", 1), "goes to"},
		"runs too long":         {"coco-json", "a.json", strings.Replace(instancesJSON, `"counts":[1,1,2]`, `"counts":[1,1,9]`, 1), "run lengths"},
		"no MAT-file":           {"voc-aug", "x.mat", "text", "MAT-file"},
		"no photos":             {"merged", "a.json", `{"annos_segmentation":[]}`, "no trainval_merged.json"},
		"no list":               {"merged", "a.json", `{"images":{}}`, "is expected"},
		"torn":                  {"merged", "a.json", mergedJSON[:len(mergedJSON)-9], "unexpected"},
		"merged way out":        {"merged", "a.json", strings.Replace(mergedJSON, "2008_000002.jpg", "../a.jpg", 1), "file name"},
		"merged enormous":       {"merged", "a.json", strings.Replace(mergedJSON, `"width":3`, `"width":99999`, 1), "pixels"},
		"no such label":         {"merged", "a.json", strings.Replace(mergedJSON, `"category_id":459`, `"category_id":460`, 1), "category 460"},
		"another size":          {"merged", "a.json", strings.Replace(mergedJSON, `"width":3`, `"width":4`, 1), "2008_000001.jpg"},
		"nothing to do":         {"context", "x.txt", "text", "no *.mat"},
	} {
		in := files{c.file: []byte(c.content)}.write(t, filepath.Join(dir, strings.ReplaceAll(name, " ", "-")))
		if c.source != "voc-aug" && c.source != "context" {
			in = filepath.Join(in, c.file)
		}
		if c.source == "merged" {
			c.source = "context"
		}
		_, err := run(t, c.source, Options{Input: in, Output: filepath.Join(in+"-out", "x"), Strict: true})
		if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := files{"cls/a.mat": matFile(t, "sbd.mat")}.write(t, filepath.Join(dir, "stopped"))
	if _, err := vocAug(ctx, Options{Input: in, Output: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// Polygons as COCO's own mask API draws them.
func TestPolygonsAsCOCO(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "polygons.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Width, Height, Area int
		Polygons            [][]float64
		Counts              string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 30 {
		t.Fatal(len(cases), err)
	}
	for i, c := range cases {
		m, err := mask.New(c.Width, c.Height)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Polygons {
			if err := drawPolygon(m, p, 1); err != nil {
				t.Fatal(err)
			}
		}
		if got := m.RLE(1); got.Compressed() != c.Counts || got.Area() != c.Area {
			t.Errorf("case %d: %d pixels, %s; COCO has %d, %s", i, got.Area(), got.Compressed(), c.Area, c.Counts)
		}
	}
}

func FuzzInstances(f *testing.F) {
	f.Add([]byte(instancesJSON))
	f.Add([]byte(`{"images":[{"id":1,"file_name":"a","width":3,"height":3}],"categories":[{"id":1,"name":"x"}],"annotations":[{"image_id":1,"category_id":1,"segmentation":{"size":[3,3],"counts":"09"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		in, err := parseInstances(text)
		if err != nil {
			return
		}
		r := &cocoRun{in: in, result: &Result{}, objects: map[identifier][]instance{}}
		r.Layout = LayoutFolder
		r.classes()
		r.placeImages()
		r.sortObjects()
		for _, im := range r.images {
			if !filepath.IsLocal(filepath.FromSlash(im.name)) {
				t.Errorf("%q leads out", im.name)
			}
			if im.width*im.height > 1<<16 {
				continue
			}
			if m, err := drawInstances(im.width, im.height, r.objects[im.ID], r.class); err != nil || m.Validate() != nil {
				t.Fatal(fmt.Errorf("what was checked cannot be drawn: %w, %w", err, m.Validate()))
			}
		}
	})
}

func FuzzMerged(f *testing.F) {
	f.Add([]byte(mergedJSON))
	f.Add([]byte(`{"images":[{"image_id":1,"file_name":"a","width":3,"height":3}],"annos_segmentation":[{"image_id":1,"segmentation":{"size":[3,3],"counts":"09"}}]}`))
	class := contextClasses()
	f.Fuzz(func(t *testing.T, text []byte) {
		in, err := parseMerged(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, im := range in.Images {
			if im.Width*im.Height > 1<<16 {
				continue
			}
			if m, err := im.draw(in.Regions[im.ID], class); err == nil && m.Validate() != nil {
				t.Fatal(fmt.Errorf("a bad map: %w", m.Validate()))
			}
		}
	})
}
