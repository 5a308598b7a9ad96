package cli

import (
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"github.com/groupvit/groupvit/mask"
)

// Overlays are the same picture in three formats, and a cut-out has the photo's pixels of
// one label.
func TestSegmentPictures(t *testing.T) {
	dir := t.TempDir()
	photo := writePhoto(t, dir, "p.png")
	out := filepath.Join(dir, "out")
	stale := filepath.Join(out, "p.zebra.cutout.png")
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	r := runProgram(t, nil, "segment", photo, "--labels", "dog,grass", "--model", model, "-o", out, "--background", "off",
		"--format", "overlay,overlay-jpeg,overlay-webp,cutout,mask", "--min-area", "0")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	open := func(name string) *os.File {
		f, err := os.Open(filepath.Join(out, name))
		if err != nil {
			t.Fatalf("%v, of %s", err, r.errors)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	overlay, err := png.Decode(open("p.overlay.png"))
	if err != nil {
		t.Fatal(err)
	}
	lossy, err := jpeg.Decode(open("p.overlay.jpg"))
	if err != nil || lossy.Bounds() != overlay.Bounds() {
		t.Errorf("JPEG: %v", err)
	}
	smaller, err := webp.Decode(open("p.overlay.webp"))
	if err != nil || smaller.Bounds() != overlay.Bounds() {
		t.Errorf("WebP: %v", err)
	}
	m := readMask(t, filepath.Join(out, "p.mask.png"))
	stats := m.Stats(2)
	for i, label := range []string{"dog", "grass"} {
		name := filepath.Join(out, "p."+label+".cutout.png")
		if stats[i+1].Pixels == 0 {
			if _, err := os.Stat(name); err == nil {
				t.Errorf("%s is there without a pixel", name)
			}
			continue
		}
		cut, err := png.Decode(open("p." + label + ".cutout.png"))
		if err != nil {
			t.Fatal(err)
		}
		n, ok := cut.(*image.NRGBA)
		if !ok || n.Rect.Dx() != m.Width || n.Rect.Dy() != m.Height {
			t.Fatalf("%s: a %T of %v", label, cut, cut.Bounds())
		}
		opaque := 0
		for at := range m.Labels {
			if n.Pix[4*at+3] > 127 {
				opaque++
			}
		}
		if want := stats[i+1].Pixels; opaque < want*8/10 || opaque > want*12/10 {
			t.Errorf("%s: %d opaque pixels of a region of %d", label, opaque, want)
		}
	}
	// A cut-out of a label that is no longer found goes; with other labels nothing does.
	if _, err := os.Stat(stale); err != nil {
		t.Errorf("the cut-out of a label that was not asked for: %v", err)
	}
	many := strings.Split("dog,grass,zebra,car,tree,sky,wall,road,hat,sea,cup,pen", ",")
	for _, l := range many {
		if err := os.WriteFile(filepath.Join(out, "p."+l+".cutout.png"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if r := runProgram(t, nil, "segment", photo, "--labels", strings.Join(many, ","), "--model", model, "-o", out, "--background", "off", "--format", "cutout,mask"); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	absent := 0
	for i, s := range readMask(t, filepath.Join(out, "p.mask.png")).Stats(len(many))[1:] {
		info, err := os.Stat(filepath.Join(out, "p."+many[i]+".cutout.png"))
		if s.Pixels == 0 {
			absent++
		}
		if found := err == nil && info.Size() > 0; found != (s.Pixels > 0) || err == nil && info.Size() == 0 {
			t.Errorf("%s has %d pixels, and a file: %v", many[i], s.Pixels, err == nil)
		}
	}
	if absent == 0 {
		t.Fatal("every label is found: the test tests nothing")
	}
}

// Instances are the connected parts of the mask, in the JSON and in the formats of regions;
// with a smallest area none is smaller.
func TestSegmentInstances(t *testing.T) {
	dir := t.TempDir()
	photo := writePhoto(t, dir, "p.png")
	r := runProgram(t, nil, "segment", photo, "--labels", "dog,grass", "--model", model, "-o", dir, "--background", "off",
		"--format", "mask,coco,polygons", "--instances", "--min-area", "12", "--json")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	var got struct {
		Instances []struct {
			ID     int
			Label  string
			Pixels int
			Box    [4]int
			Score  float64
		}
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	m := readMask(t, filepath.Join(dir, "p.mask.png"))
	parts, _ := m.Components()
	parts = slices.DeleteFunc(parts, func(c mask.Component) bool { return c.Label == 0 })
	if len(got.Instances) != len(parts) || len(parts) == 0 {
		t.Fatalf("%d instances, the mask has %d parts", len(got.Instances), len(parts))
	}
	for i, in := range got.Instances {
		if in.ID != i+1 || in.Pixels < 12 || in.Score <= 0 {
			t.Errorf("instance %d: %+v", i+1, in)
		}
		if !slices.ContainsFunc(parts, func(c mask.Component) bool {
			return c.Pixels == in.Pixels && c.Box == image.Rect(in.Box[0], in.Box[1], in.Box[2], in.Box[3]) && []string{"", "dog", "grass"}[c.Label] == in.Label
		}) {
			t.Errorf("no part of the mask is %+v", in)
		}
	}
	f, err := os.Open(filepath.Join(dir, "p.coco.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := mask.ReadCOCO(f)
	if err != nil || len(c.Annotations) != len(parts) || len(c.Categories) != 2 {
		t.Fatalf("COCO: %v, %d annotations, %d categories", err, len(c.Annotations), len(c.Categories))
	}
	again, err := c.Map(c.Images[0])
	if err != nil || !slices.Equal(again.Labels, m.Labels) {
		t.Errorf("COCO's regions are not those of the mask (%v)", err)
	}
}

func TestSegmentComfortsRefused(t *testing.T) {
	photo := writePhoto(t, t.TempDir(), "p.png")
	for _, c := range []struct {
		flag, value, want string
	}{
		{"--min-area", "200px", "as 0.1%"}, {"--min-area", "101%", "as 0.1%"},
		{"--max-pixels", "0", "from 1 to 400M"}, {"--max-pixels", "1G", "from 1 to 400M"}, {"--max-pixels", "500M", "from 1 to 400M"},
	} {
		r := runProgram(t, nil, "segment", photo, "--labels", "dog", "--model", model, "--format", "", c.flag, c.value)
		if r.code != exitUsage || !strings.Contains(r.errors, c.want) {
			t.Errorf("%s %s: code %d, %s", c.flag, c.value, r.code, r.errors)
		}
	}
	r := runProgram(t, nil, "segment", photo, "--labels", "dog", "--model", model, "--format", "", "--max-pixels", "10")
	if r.code != exitFailed || !strings.Contains(r.errors, "raise the limit with --max-pixels") {
		t.Errorf("a photo beyond the limit: code %d, %s", r.code, r.errors)
	}
}
