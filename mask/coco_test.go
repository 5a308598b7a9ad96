package mask

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

// TestCOCORoundTrip: the file gives the map back, and says what COCO's fields
// mean.
func TestCOCORoundTrip(t *testing.T) {
	m := random(23, 17, 4, 5)
	labels := []string{"cat", "dog", "sky", "never there"}
	b, err := json.Marshal(m.COCO("a/photo.jpg", labels))
	if err != nil {
		t.Fatal(err)
	}
	var c COCO
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Images) != 1 || c.Images[0] != (COCOImage{1, "a/photo.jpg", 23, 17}) || len(c.Categories) != 4 || len(c.Annotations) != 3 {
		t.Fatalf("%s", b)
	}
	back, _ := New(23, 17)
	stats := m.Stats(4)
	for _, a := range c.Annotations {
		box := stats[a.Category].Box
		if a.Area != float64(stats[a.Category].Pixels) || a.Box != [4]float64{float64(box.Min.X), float64(box.Min.Y), float64(box.Dx()), float64(box.Dy())} || a.Image != 1 || a.Crowd != 0 {
			t.Errorf("annotation %+v of %+v", a, stats[a.Category])
		}
		if err := a.Segmentation.Draw(back, uint16(a.Category)); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(back.Labels, m.Labels) {
		t.Error("the annotations give another map")
	}
	empty, err := json.Marshal(draw("...").COCO("x.png", nil))
	if want := `{"images":[{"id":1,"file_name":"x.png","width":3,"height":1}],"annotations":[],"categories":[]}`; err != nil || string(empty) != want {
		t.Errorf("%s, want %s", empty, want)
	}
}

func TestPolygonJSON(t *testing.T) {
	m := draw("11111", "1..21", "1.2.1", "11111", ".....")
	b, err := json.Marshal(m.Polygons(1))
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"outer":[[0,0],[5,0],[5,4],[0,4]],"holes":[[[1,3],[4,3],[4,1],[1,1]]]}]`; string(b) != want {
		t.Errorf("%s, want %s", b, want)
	}
	var back []Polygon
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := New(5, 5)
	for _, p := range back {
		p.Draw(again, 1)
	}
	for i, l := range m.Labels {
		if (l == 1) != (again.Labels[i] == 1) {
			t.Fatalf("pixel %d: %d, drawn %d", i, l, again.Labels[i])
		}
	}
	for _, bad := range []string{`{}`, `{"outer":[]}`, `{"outer":[["a",1]]}`, `{"outer":[[1.5,2]]}`, `7`} {
		var p Polygon
		if err := json.Unmarshal([]byte(bad), &p); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
