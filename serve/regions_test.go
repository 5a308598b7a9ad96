package serve_test

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"image/png"
	"testing"
)

// Cut-outs, a smallest area and instances come by form and by JSON alike.
func TestRegions(t *testing.T) {
	h, _ := start(t, nil)
	p := photo(t, 90, 70)
	field, kind := form(t, [][]byte{p}, "labels", "dog,grass", "background", "off", "formats", "cutout,rle", "min_area", "0.5%", "instances", "true")
	byForm := ask(t, "POST", h.URL+"/v1/segment", field, "Content-Type", kind)
	byJSON := askJSON(t, h.URL+"/v1/segment", map[string]any{
		"image": p, "labels": []string{"dog", "grass"}, "background": "off", "formats": []string{"cutout", "rle"}, "min_area": 0.005, "instances": true,
	})
	type answer struct {
		Results []struct {
			Segments  []struct{ ID, Pixels int }
			Instances []struct {
				ID     int `json:"id"`
				Pixels int
				Label  int `json:"label_id"`
			}
			Formats struct {
				Cutout []struct {
					ID  int
					PNG []byte
				}
				RLE json.RawMessage
			}
		}
	}
	var a, b answer
	byForm.json(t, &a)
	byJSON.json(t, &b)
	if len(a.Results) != 1 || len(b.Results) != 1 || !bytes.Equal(a.Results[0].Formats.RLE, b.Results[0].Formats.RLE) {
		t.Fatalf("a form and JSON differ: %d and %d results", len(a.Results), len(b.Results))
	}
	r := a.Results[0]
	sums := map[int]int{}
	for _, in := range r.Instances {
		sums[in.Label] += in.Pixels
		if in.Pixels < 90*70/200 {
			t.Errorf("instance %d has %d pixels, below the smallest area", in.ID, in.Pixels)
		}
	}
	for _, s := range r.Segments {
		if sums[s.ID] != s.Pixels {
			t.Errorf("label %d has %d pixels, its instances %d", s.ID, s.Pixels, sums[s.ID])
		}
	}
	var regions []map[string]any
	if err := json.Unmarshal(r.Formats.RLE, &regions); err != nil || len(regions) != len(r.Instances) || len(regions) == 0 {
		t.Errorf("%d regions of %d instances (%v)", len(regions), len(r.Instances), err)
	}
	if len(r.Formats.Cutout) != len(r.Segments) {
		t.Fatalf("%d cut-outs of %d labels", len(r.Formats.Cutout), len(r.Segments))
	}
	if im, err := png.Decode(bytes.NewReader(r.Formats.Cutout[0].PNG)); err != nil || im.Bounds().Dx() != 90 || im.Bounds().Dy() != 70 {
		t.Errorf("the cut-out: %v", err)
	}
	for _, bad := range []any{"-1", "x", -5, 1.5, []int{1}} {
		if r := askJSON(t, h.URL+"/v1/segment", map[string]any{"image": p, "labels": []string{"dog"}, "min_area": bad}); r.status/100 != 4 {
			t.Errorf("min_area %v: status %d", bad, r.status)
		}
	}
}

// A whole answer is a picture of the kind that Accept names.
func TestPictureKinds(t *testing.T) {
	h, _ := start(t, nil)
	field, kind := form(t, [][]byte{photo(t, 40, 30)}, "labels", "dog", "formats", "overlay-jpeg")
	r := ask(t, "POST", h.URL+"/v1/segment", field, "Content-Type", kind, "Accept", "image/jpeg")
	if _, err := jpeg.Decode(bytes.NewReader(r.body)); err != nil || r.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%v, Content-Type %s", err, r.header.Get("Content-Type"))
	}
	field, kind = form(t, [][]byte{photo(t, 40, 30)}, "labels", "dog", "formats", "overlay-jpeg")
	if r := ask(t, "POST", h.URL+"/v1/segment", field, "Content-Type", kind, "Accept", "image/png"); r.status != 422 {
		t.Errorf("a JPEG as image/png: status %d", r.status)
	}
}
