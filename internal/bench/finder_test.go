package bench

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// TestPhotoKinds: photos of every kind that is read, whatever the case of their
// extensions.
func TestPhotoKinds(t *testing.T) {
	var asTIFF bytes.Buffer
	if err := tiff.Encode(&asTIFF, image.NewRGBA(image.Rect(0, 0, 2, 1)), nil); err != nil {
		t.Fatal(err)
	}
	mask := indexed(2, 0, 1)
	root := files{
		"classes.txt":  []byte("a\nb\n"),
		"images/1.JPG": photo(2, 1), "masks/1.png": mask,
		"images/2.JPEG": photo(2, 1), "masks/2.PNG": mask,
		"images/3.tif": asTIFF.Bytes(), "masks/3.png": mask,
		"images/4.Png": photo(2, 1), "masks/4.png": mask,
		"images/5.webp": photo(2, 1), "images/5.gif": photo(9, 9), "masks/5.png": mask,
	}.write(t)
	d, err := Open("folder", root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Samples) != 5 {
		t.Errorf("%d samples", len(d.Samples))
	}
	for i, s := range d.Samples {
		if im, truth, err := d.Load(i); s.ID != "5" && (err != nil || im.Bounds().Dx() != 2 || truth.Labels[1] != 1) {
			t.Errorf("%s: %v", s.Photo, err)
		}
	}
	if got := filepath.Base(d.Samples[4].Photo); got != "5.gif" { // as imaging.Extensions has them
		t.Errorf("of two photos %s is taken", got)
	}
}

// TestMaskKinds: every PNG whose pixels are numbers is read.
func TestMaskKinds(t *testing.T) {
	values := []uint8{0, 1, 2, 255}
	fill := func(im interface {
		image.Image
		Set(x, y int, c color.Color)
	}, of func(v uint8) color.Color) []byte {
		for i, v := range values {
			im.Set(i, 0, of(v))
		}
		return encode(im)
	}
	box := image.Rect(0, 0, len(values), 1)
	equal := func(v uint8) color.Color { return color.NRGBA{v, v, v, 255} }
	for name, c := range map[string]struct {
		content []byte
		problem string
	}{
		"indexed":         {indexed(4, values...), ""},
		"grey":            {grey(4, values...), ""},
		"grey of 16 bits": {fill(image.NewGray16(box), func(v uint8) color.Color { return color.Gray16{uint16(v)} }), ""},
		"RGB":             {fill(image.NewNRGBA(box), equal), ""},
		"RGB of 16 bits":  {fill(image.NewNRGBA64(box), func(v uint8) color.Color { w := uint16(v); return color.NRGBA64{w, w, w, 0xffff} }), ""},
		"colours":         {fill(image.NewNRGBA(box), func(v uint8) color.Color { return color.NRGBA{v, 0, 0, 255} }), "at (1, 0) it holds colours"},
		"transparent":     {fill(image.NewNRGBA(box), func(v uint8) color.Color { return color.NRGBA{v, v, v, 255 - v/2} }), "transparent"},
		"300 of 16 bits":  {fill(image.NewGray16(box), func(v uint8) color.Color { return color.Gray16{uint16(v) + 300} }), "value 300"},
		"no class":        {grey(4, 0, 1, 2, 3), "value 3 at (3, 0)"},
		"no PNG":          {[]byte("GIF89a"), "no PNG"},
	} {
		d := &Dataset{}
		for v := range d.labels {
			d.labels[v] = -1
		}
		for _, v := range values {
			d.labels[v] = int16(v)
		}
		truth, err := decodeMask(c.content, &d.labels)
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want %q", name, err, c.problem)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case !bytes.Equal(truth.Labels, values):
			t.Errorf("%s: %v", name, truth.Labels)
		}
	}
}

// TestCamVidAsPublished: SegNet's authors' CamVid, with void as 11.
func TestCamVidAsPublished(t *testing.T) {
	root := files{
		"test/1.png": photo(3, 1), "testannot/1.png": grey(3, 0, 10, 11), "test.txt": nil, "test/x.txt": nil,
		"val/2.png": photo(3, 1), "valannot/2.png": grey(3, 3, 3, 12),
	}.write(t)
	d, err := Open("camvid", root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	truth, err := d.Truth(0)
	if err != nil || !bytes.Equal(truth.Labels, []uint8{0, 10, 255}) || len(d.Classes) != 11 || d.Classes[3].Name != "road" {
		t.Errorf("%v, %v, %v", truth, d.Classes, err)
	}
	if got := d.Skipped(); got != "1 file left out: 1 .txt" {
		t.Error(got)
	}
	if d, err = Open("camvid", root, Options{Split: "val", Classes: []string{"road", "car"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Truth(0); err == nil || !strings.Contains(err.Error(), "value 12 at (2, 0)") {
		t.Errorf("a value that is no class: %v", err)
	}
	if _, err := Open("camvid", root, Options{Split: "train"}); !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), "trainannot") {
		t.Errorf("a missing split: %v", err)
	}
}
