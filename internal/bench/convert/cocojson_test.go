package convert

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/mask"
)

// square is an object of pixels (1, 0) and (2, 0) of an image of 4×2, as polygons.
const square = `[[1,0,3,0,3,1,1,1]]`

// TestCOCOKinds: COCO files as other programs write them are used, or told and counted.
func TestCOCOKinds(t *testing.T) {
	object := func(segmentation string) string {
		return `{"id":1,"image_id":1,"category_id":1,"segmentation":` + segmentation + `,"bbox":[0,1,1,1],"area":2}`
	}
	file := func(images, objects, categories string) string {
		return `{"images":[` + images + `],"annotations":[` + objects + `],"categories":[` + categories + `]}`
	}
	image := func(id, name string) string {
		return fmt.Sprintf(`{"id":%s,"file_name":%q,"width":4,"height":2}`, id, name)
	}
	const cat, dog = `{"id":1,"name":"cat"}`, `{"id":2,"name":"dog"}`
	drawn, boxed := []uint16{0, 1, 1, 0, 0, 0, 0, 0}, []uint16{0, 0, 0, 0, 255, 0, 0, 0}
	for _, c := range []struct {
		name, text string
		masks      map[string][]uint16 // by name; nil where only the name counts
		note       string
	}{
		{"plain", file(image("1", "1.jpg"), object(square), cat), map[string][]uint16{"1": drawn}, ""},
		{"a mark of byte order", "\uFEFF" + file(image("1", "1.jpg"), object(square), cat), map[string][]uint16{"1": drawn}, ""},
		{"NaN", file(image("1", "1.jpg"), strings.Replace(object(square), `"area":2`, `"area":NaN`, 1), cat), map[string][]uint16{"1": drawn}, ""},
		{"numbers of floats", file(image("1.0", "1.jpg"), strings.Replace(object(square), `"image_id":1`, `"image_id":1.0`, 1), cat), map[string][]uint16{"1": drawn}, ""},
		{"sizes of floats", strings.Replace(file(image("1", "1.jpg"), object(square), cat), `"width":4`, `"width":4.0`, 1), map[string][]uint16{"1": drawn}, ""},
		{"ids of texts", file(image(`"a1"`, "1.jpg"), strings.Replace(object(square), `"image_id":1`, `"image_id":"a1"`, 1), cat), map[string][]uint16{"1": drawn}, ""},
		{"one id of two images", file(image("1", "1.jpg")+","+image("1", "2.jpg")+","+image("3", "3.jpg"), object(square), cat), map[string][]uint16{"3": nil}, "2 images have an id that another has too"},
		{"ids of both", file(image(`"1"`, "1.jpg"), object(square), `{"id":"1","name":"cat"}`), map[string][]uint16{"1": drawn}, ""},
		{"lists of points", file(image("1", "1.jpg"), object(`[[[1,0],[3,0],[3,1],[1,1]]]`), cat), map[string][]uint16{"1": drawn}, ""},
		{"points alone", file(image("1", "1.jpg"), object(`[[1,0],[3,0],[3,1],[1,1]]`), cat), map[string][]uint16{"1": drawn}, ""},
		{"one polygon", file(image("1", "1.jpg"), object(`[1,0,3,0,3,1,1,1]`), cat), map[string][]uint16{"1": drawn}, ""},
		{"two points", file(image("1", "1.jpg"), object(`[[1,0,3,1]]`), cat), map[string][]uint16{"1": boxed}, "1 object has a mask that cannot be drawn"},
		{"one of two polygons", file(image("1", "1.jpg"), object(`[[1,0],`+square[1:]), cat), map[string][]uint16{"1": drawn}, "1 object has a mask that cannot be drawn"},
		{"no mask", file(image("1", "1.jpg"), object(`[]`), cat), map[string][]uint16{"1": boxed}, "1 object has no mask"},
		{"a text as mask", file(image("1", "1.jpg"), object(`"x"`), cat), map[string][]uint16{"1": boxed}, "1 object has a mask that cannot be drawn"},
		{"runs of another size", file(image("1", "1.jpg"), object(`{"size":[3,3],"counts":[0,9]}`), cat), map[string][]uint16{"1": boxed}, "run lengths of 3×3"},
		{"runs", file(image("1", "1.jpg"), object(`{"size":[2,4],"counts":[2,1,1,1,3]}`), cat), map[string][]uint16{"1": drawn}, ""},
		{"one name twice", file(image("1", "1.jpg"), object(square), `{"id":3,"name":"cat"},{"id":1,"name":"Cat"}`), map[string][]uint16{"1": drawn}, "1 category has the name of one before"},
		{"folders", file(image("1", "images/1.jpg"), object(square), cat), map[string][]uint16{"images/1": drawn}, ""},
		{"backslashes", file(image("1", "images\\1.jpg"), object(square), cat), map[string][]uint16{"images/1": drawn}, ""},
		{"absolute", file(image("1", "/data/set/1.jpg"), object(square), cat), map[string][]uint16{"1": drawn}, ""},
		{"absolute, two folders", file(image("1", "/data/a/1.jpg")+","+image("2", "/data/b/1.jpg"), object(square), cat), map[string][]uint16{"a/1": drawn, "b/1": nil}, ""},
		{"of Windows", file(image("1", `C:\data\1.jpg`), object(square), cat), map[string][]uint16{"1": drawn}, ""},
		{"ways out", file(image("1", "1.jpg")+","+image("2", "../2.jpg"), object(square), cat), map[string][]uint16{"1": drawn}, "1 image has no usable name or size"},
		{"two of one name", file(image("1", "1.jpg")+","+image("2", "1.png"), object(square), cat), map[string][]uint16{"1": drawn}, "1 image has the name of one before"},
		{"an unknown category", file(image("1", "1.jpg"), object(square), dog), map[string][]uint16{"1": {0, 0, 0, 0, 0, 0, 0, 0}}, "1 object is of categories that the file does not list"},
		{"an unknown image", file(image("2", "1.jpg"), object(square), cat), map[string][]uint16{"1": {0, 0, 0, 0, 0, 0, 0, 0}}, "1 object is of images that the file does not list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			in := filepath.Join(files{"a.json": []byte(c.text)}.write(t, dir), "a.json")
			out := filepath.Join(dir, "out")
			r, err := run(t, "coco-json", Options{Input: in, Output: out})
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range c.masks {
				if got := labels(t, filepath.Join(out, "masks", filepath.FromSlash(name)+".png")); want != nil && !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
			}
			notes := strings.Join(r.Notes(), "; ")
			if r.Written != len(c.masks) || !strings.Contains(notes, c.note) {
				t.Errorf("%d masks, notes %q, want %d and %q", r.Written, notes, len(c.masks), c.note)
			}
			if _, err := run(t, "coco-json", Options{Input: in, Output: filepath.Join(dir, "strict"), Strict: true}); (err != nil) != (r.leftOut() > 0) {
				t.Errorf("strict: %v, %d left out", err, r.leftOut())
			}
		})
	}
}

// TestCOCOAgain: the same file goes on, and another is refused, whose classes would
// stand beside the masks of the first.
func TestCOCOAgain(t *testing.T) {
	dir := t.TempDir()
	text := `{"images":[{"id":1,"file_name":"1.jpg","width":4,"height":2}],"annotations":[{"image_id":1,"category_id":1,"segmentation":` + square + `}],"categories":[{"id":1,"name":"cat"},{"id":2,"name":"dog"}]}`
	in := files{"a.json": []byte(text), "b.json": []byte(strings.Replace(text, "cat", "zebra", 1))}.write(t, dir)
	o := Options{Input: filepath.Join(in, "a.json"), Output: filepath.Join(dir, "out")}
	for i := range 2 {
		if r, err := run(t, "coco-json", o); err != nil || r.Written+r.Kept != 1 || r.Kept != i {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
	}
	o.Input = filepath.Join(in, "b.json")
	if _, err := run(t, "coco-json", o); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "another file") {
		t.Errorf("another file: %v", err)
	}
	o.Input, o.Layout = filepath.Join(in, "a.json"), LayoutCOCOObject
	if _, err := run(t, "coco-json", o); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "layout folder") {
		t.Errorf("another layout: %v", err)
	}
}

// TestOneBrokenMap: one file of annotations that is broken does not end the rest.
func TestOneBrokenMap(t *testing.T) {
	in := files{
		"annotations/val2017/1.png": grey(2, 0, 1), "annotations/val2017/2.png": []byte("none"), "annotations/val2017/3.png": grey(2, 0, 11),
	}.write(t, t.TempDir())
	r, err := run(t, "coco-object", Options{Input: in})
	if err != nil || r.Written != 1 || r.Broken != 2 || !strings.Contains(strings.Join(r.Notes(), ""), "2 images have broken annotations") {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := run(t, "coco-object", Options{Input: in, Strict: true}); err == nil {
		t.Error("strict: no error")
	}
}

// photoOf is a JPEG with an EXIF orientation.
func photoOf(t *testing.T, width, height, orientation int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(orientation), 0, 0, 0, 0, 0, 0)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return slices.Concat(b.Bytes()[:2], segment, b.Bytes()[2:])
}

// TestCOCOPhotos: with the folder of the photos, images are measured as they are.
func TestCOCOPhotos(t *testing.T) {
	dir := t.TempDir()
	in := files{
		"deep/a/1.jpg": photoOf(t, 4, 2, 1), "deep/2.jpg": photoOf(t, 4, 2, 6), "deep/3.jpg": photoOf(t, 5, 2, 1), "deep/4.png": grey(4, make([]uint8, 8)...),
		"a.json": []byte(`{"images":[
  {"id":1,"file_name":"/home/me/deep/a/1.jpg","width":4,"height":2},{"id":2,"file_name":"photos/2.jpg","width":4,"height":2},
  {"id":3,"file_name":"3.jpg","width":4,"height":2},{"id":4,"file_name":"4.jpg","width":0,"height":0},{"id":9,"file_name":"9.jpg","width":4,"height":2}],
 "annotations":[{"image_id":1,"category_id":17,"segmentation":` + square + `},{"image_id":2,"category_id":17,"segmentation":` + square + `},
  {"image_id":4,"category_id":99,"segmentation":` + square + `}],
 "categories":[{"id":17,"name":"cat"},{"id":99,"name":"spaceship"}]}`),
	}.write(t, dir)
	o := Options{Input: filepath.Join(in, "a.json"), Output: filepath.Join(dir, "folder"), Photos: filepath.Join(in, "deep")}
	r, err := run(t, "coco-json", o)
	if err != nil || r.Written != 3 || r.WithoutPhoto != 1 || r.OtherSize != 1 || r.Turned != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	d, err := bench.Open("folder", o.Output, bench.Options{})
	if err != nil || len(d.Samples) != 3 {
		t.Fatalf("%v, %v", d, err)
	}
	for i, s := range d.Samples {
		_, truth, err := d.Load(i)
		if err != nil {
			t.Errorf("%s: %v", s.ID, err)
			continue
		}
		// Orientation 6: the first row of the stored pixels is the last column.
		if want := []uint8{0, 0, 0, 1, 0, 1, 0, 0}; s.ID == "2" && (truth.Width != 2 || !slices.Equal(truth.Labels, want)) {
			t.Errorf("turned: %d×%d, %v, want %v", truth.Width, truth.Height, truth.Labels, want)
		}
	}
	// Straight to COCO-Object, whose cat is the sixteenth thing.
	o.Output, o.Layout = filepath.Join(dir, "object"), LayoutCOCOObject
	if r, err = run(t, "coco-json", o); err != nil || r.OtherCategories != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if d, err = bench.Open("coco-object", o.Output, bench.Options{}); err != nil || len(d.Samples) != 3 {
		t.Fatalf("%v, %v", d, err)
	}
	for i, s := range d.Samples {
		_, truth, err := d.Load(i)
		if err != nil || s.ID == "a/1" && (truth.Labels[1] != 16 || d.Classes[16].Name != "cat") {
			t.Errorf("%s: %v, %v", s.ID, truth, err)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Output, "annotations", "val2017", "2"+objectEnd)); err != nil {
		t.Error(err)
	}
}

// TestTurned: each orientation undoes what the camera did.
func TestTurned(t *testing.T) {
	m, err := mask.New(3, 2)
	if err != nil {
		t.Fatal(err)
	}
	copy(m.Labels, []uint16{1, 2, 3, 4, 5, 6})
	for orientation, want := range map[int][]uint16{5: {1, 4, 2, 5, 3, 6}, 6: {4, 1, 5, 2, 6, 3}, 7: {6, 3, 5, 2, 4, 1}, 8: {3, 6, 2, 5, 1, 4}} {
		if got, err := turned(m, orientation); err != nil || got.Width != 2 || !slices.Equal(got.Labels, want) {
			t.Errorf("%d: %v, %v, want %v", orientation, got, err, want)
		}
	}
}
