package mask

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

var names = []string{"road", "sky", "traffic light", "car"}

// rotated is a place whose axes do not run north, in metres of UTM.
var rotated = Affine{A: 0.35, B: 0.1, C: 452_110.25, D: 0.1, E: -0.35, F: 5_411_900.5}

// roundTrips are the formats that give a map back exactly.
var roundTrips = map[string]func(m *Map) (*Map, error){
	"yolo": func(m *Map) (*Map, error) {
		var b bytes.Buffer
		if err := m.WriteYOLO(&b); err != nil {
			return nil, err
		}
		return ReadYOLO(&b, m.Width, m.Height)
	},
	"labelme": func(m *Map) (*Map, error) {
		var b bytes.Buffer
		if err := m.WriteLabelMe(&b, "p.jpg", names); err != nil {
			return nil, err
		}
		back, _, err := ReadLabelMe(&b, names)
		return back, err
	},
	"label numbers": func(m *Map) (*Map, error) {
		var b bytes.Buffer
		if err := m.EncodeIDs(&b, []uint8{7, 23, 19, 26}); err != nil {
			return nil, err
		}
		return DecodeIDs(&b, []uint8{7, 23, 19, 26})
	},
	"geojson": func(m *Map) (*Map, error) {
		var b bytes.Buffer
		if err := m.WriteGeoJSON(&b, names, rotated, 32633); err != nil {
			return nil, err
		}
		return ReadGeoJSON(&b, m.Width, m.Height, rotated)
	},
	"coco":          func(m *Map) (*Map, error) { return throughCOCO(m.COCO("p.jpg", names)) },
	"coco polygons": func(m *Map) (*Map, error) { return throughCOCO(m.COCOPolygons("p.jpg", names)) },
}

func throughCOCO(c COCO) (*Map, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	back, err := ReadCOCO(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return back.Map(back.Images[0])
}

// A map goes out and in unchanged: with holes in holes, parts that touch at corners,
// single pixels, and none at all.
func TestRoundTrips(t *testing.T) {
	maps := map[string]*Map{
		"holes":   draw("1111111", "1.....1", "1.222.1", "1.2.2.1", "1.222.1", "1.....1", "1111111"),
		"corners": draw("1.1", ".1.", "1.1"),
		"nothing": draw("...", "..."),
		"one":     draw("4"),
	}
	for seed := range uint64(20) {
		maps[fmt.Sprint("random ", seed)] = random(1+int(seed*37)%131, 1+int(seed*53)%97, 2+int(seed)%4, seed)
	}
	for format, trip := range roundTrips {
		for name, m := range maps {
			back, err := trip(m)
			if err != nil {
				t.Errorf("%s, %s: %v", format, name, err)
				continue
			}
			if back.Width != m.Width || !slices.Equal(back.Labels, m.Labels) {
				t.Errorf("%s, %s: the map changed", format, name)
			}
		}
	}
}

// A side of the longest length still comes back to the pixel.
func TestYOLOLongest(t *testing.T) {
	m, err := New(32768, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(m.Labels); i += 3 {
		m.Labels[i] = 1
	}
	back, err := roundTrips["yolo"](m)
	if err != nil || !slices.Equal(back.Labels, m.Labels) {
		t.Errorf("changed: %v", err)
	}
}

// The files say what their formats' readers look for.
func TestFormatsText(t *testing.T) {
	m := draw("11..", "11.2")
	var yolo, labelme, geo bytes.Buffer
	if err := errors.Join(m.WriteYOLO(&yolo), m.WriteLabelMe(&labelme, "a/p.jpg", names), m.WriteGeoJSON(&geo, names, Affine{A: 2, C: 100, E: -2, F: 50}, 32633)); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		yolo.String():    "0 0 0 0.5 0 0.5 1 0 1\n1 0.75 0.5 1 0.5 1 1 0.75 1\n",
		labelme.String(): `{"version":"5.5.0","flags":{},"shapes":[{"label":"road","points":[[0,0],[2,0],[2,2],[0,2]],"group_id":null,"shape_type":"polygon","flags":{}},{"label":"sky","points":[[3,1],[4,1],[4,2],[3,2]],"group_id":null,"shape_type":"polygon","flags":{}}],"imagePath":"a/p.jpg","imageData":null,"imageHeight":2,"imageWidth":4}` + "\n",
		geo.String():     `{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32633"}},"features":[{"type":"Feature","properties":{"id":1,"label":"road","pixels":4},"geometry":{"type":"Polygon","coordinates":[[[100,46],[104,46],[104,50],[100,50],[100,46]]]}},{"type":"Feature","properties":{"id":2,"label":"sky","pixels":1},"geometry":{"type":"Polygon","coordinates":[[[106,46],[108,46],[108,48],[106,48],[106,46]]]}}]}` + "\n",
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Bad files are refused with what is wrong, before they cost much.
func TestFormatsRefuse(t *testing.T) {
	read := map[string]func(io.Reader) error{
		"yolo":    func(r io.Reader) error { _, err := ReadYOLO(r, 10, 10); return err },
		"labelme": func(r io.Reader) error { _, _, err := ReadLabelMe(r, names); return err },
		"geojson": func(r io.Reader) error { _, err := ReadGeoJSON(r, 10, 10, rotated); return err },
		"ids":     func(r io.Reader) error { _, err := ReadIDs(r); return err },
		"coco": func(r io.Reader) error {
			c, err := ReadCOCO(r)
			if err != nil {
				return err
			}
			for _, i := range c.Images {
				if _, err := c.Map(i); err != nil {
					return err
				}
			}
			return nil
		},
	}
	for _, c := range []struct{ format, text, want string }{
		{"yolo", "0 0.5 0.5 0.1 0.1", "box"},
		{"yolo", "0 0 0 1 1", "box"},
		{"yolo", "0 0 0 1 0 1 2", "within"},
		{"yolo", "0 0 0 1 0 1 NaN", "within"},
		{"yolo", "-1 0 0 1 0 1 1", "class"},
		{"yolo", "\n0 0 0 1 0 1", "line 2"},
		{"labelme", `{"imageWidth":9,"imageHeight":9,"shapes":[{"label":"dog","points":[[0,0],[1,0],[1,1]]}]}`, "not among"},
		{"labelme", `{"imageWidth":9,"imageHeight":9,"shapes":[{"label":"sky","shape_type":"circle","points":[[0,0],[1,0]]}]}`, "circle"},
		{"labelme", `{"imageWidth":9,"imageHeight":9,"shapes":[{"label":"sky","points":[[0,0],[1,0],[1,1e300]]}]}`, "point"},
		{"labelme", `{"imageWidth":99999,"imageHeight":99999}`, "limit"},
		{"labelme", `{}`, "at least 1"},
		{"geojson", `{"features":[{"properties":{"id":1},"geometry":{"type":"Polygon","coordinates":[[["a"]]]}}]}`, "geojson"},
		{"geojson", `{"features":[{"properties":{"id":0},"geometry":{"type":"Polygon"}}]}`, "id 0"},
		{"ids", "road,0\n", "1 to 255"},
		{"ids", "road,7\nroad,8\n", "line 2"},
		{"ids", "road\n", "fields"},
		{"coco", `{"images":[{"id":1,"width":4,"height":4}],"annotations":[{"image_id":1,"category_id":1,"segmentation":[[1,2,3]]}]}`, "three points"},
		{"coco", `{"images":[{"id":1,"width":4,"height":4}],"annotations":[{"image_id":1,"category_id":1,"segmentation":{"size":[2,2],"counts":[4]}}]}`, "4×4"},
		{"coco", `{"images":[{"id":1,"width":4,"height":4}],"annotations":[{"image_id":1,"category_id":70000,"segmentation":[]}]}`, "category"},
	} {
		err := read[c.format](strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrSize) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %s: %v", c.format, c.text, err)
		}
	}
}

// A small file that would cost hours to draw is refused.
func TestFillIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("0")
	for i := range 100_000 {
		fmt.Fprintf(&b, " 0.%d %d", i%10, i%2)
	}
	if _, err := ReadYOLO(strings.NewReader(b.String()), 1000, 32768); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	// Few rows, but all pixels again and again.
	m, err := New(32768, 1)
	if err != nil {
		t.Fatal(err)
	}
	whole := [][]vertex{{{0, 0}, {32768, 0}, {32768, 1}, {0, 1}}}
	f := filler{m: m, rows: limits.FillRows - 3*32768/rowPixels}
	for i := range 4 {
		if err := f.fill(whole, 1); errors.Is(err, ErrTooLarge) != (i == 3) {
			t.Errorf("time %d: %v", i, err)
		}
	}
}

// pycocotools reads both forms as the same pixels:
// GROUPVIT_PYTHON=python3 go test ./mask -run PycocoTools
func TestPycocoTools(t *testing.T) {
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" || exec.Command(python, "-c", "import pycocotools").Run() != nil {
		t.Skip("GROUPVIT_PYTHON names no Python with pycocotools")
	}
	dir := t.TempDir()
	for seed := range uint64(12) {
		m := random(5+int(seed*29)%60, 5+int(seed*31)%50, 2+int(seed)%4, seed)
		if seed == 0 {
			m = draw("1111111", "1.....1", "1.222.1", "1.2.2.1", "1.222.1", "1.....1", "1111111")
		}
		for form, c := range map[string]COCO{"rle": m.COCO("p.jpg", names), "polygons": m.COCOPolygons("p.jpg", names)} {
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var png bytes.Buffer
			name := filepath.Join(dir, fmt.Sprintf("%d-%s", seed, form))
			if err := errors.Join(m.EncodePNG(&png, nil), os.WriteFile(name+".json", text, 0o666), os.WriteFile(name+".png", png.Bytes(), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(python, "testdata/pycocotools_check.py", dir).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "24 files agree") {
		t.Errorf("%v\n%s", err, out)
	}
}

// written are small maps as a format has them: with holes in holes, parts that touch
// at corners, many regions, nothing.
func written(f *testing.F, write func(m *Map, w io.Writer) error) {
	for _, m := range []*Map{
		draw("1111111", "1.....1", "1.222.1", "1.2.2.1", "1.222.1", "1.....1", "1111111"),
		draw("1.1....", ".1....2", "1.1...."), draw("...", "..."), draw("4"), random(9, 7, 3, 1),
	} {
		var b bytes.Buffer
		if err := write(m, &b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
}

// fuzzReader holds a reader to what it promises of any bytes.
func fuzzReader(f *testing.F, write func(m *Map, w io.Writer) error, read func(io.Reader) (*Map, error)) {
	written(f, write)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := read(bytes.NewReader(b))
		if err == nil && m.Validate() != nil {
			t.Error("an invalid map without an error")
		}
		if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrSize) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("an error of no kind: %v", err)
		}
	})
}

func FuzzReadYOLO(f *testing.F) {
	f.Add([]byte("0 0.5 0.5 0.1 0.1\n"))
	fuzzReader(f, (*Map).WriteYOLO, func(r io.Reader) (*Map, error) { return ReadYOLO(r, 9, 7) })
}

func FuzzReadLabelMe(f *testing.F) {
	f.Add([]byte(`{"imageWidth":9,"imageHeight":7,"shapes":[{"label":"sky","shape_type":"rectangle","points":[[0.5,1],[3,4]]},{"label":"car","points":[[0,0],[9,0],[4,7]]}]}`))
	fuzzReader(f, func(m *Map, w io.Writer) error { return m.WriteLabelMe(w, "p", names) },
		func(r io.Reader) (*Map, error) { m, _, err := ReadLabelMe(r, nil); return m, err })
}

func FuzzReadGeoJSON(f *testing.F) {
	f.Add([]byte(`{"features":[{"properties":{"id":1},"geometry":{"type":"MultiPolygon","coordinates":[[[[452110,5411900],[452113,5411900],[452113,5411897],[452110,5411900]]]]}}]}`))
	fuzzReader(f, func(m *Map, w io.Writer) error { return m.WriteGeoJSON(w, names, rotated, 1) },
		func(r io.Reader) (*Map, error) { return ReadGeoJSON(r, 9, 7, rotated) })
}

func FuzzReadCOCO(f *testing.F) {
	written(f, func(m *Map, w io.Writer) error { return json.NewEncoder(w).Encode(m.COCO("p", names)) })
	fuzzReader(f, func(m *Map, w io.Writer) error { return json.NewEncoder(w).Encode(m.COCOPolygons("p", names)) },
		func(r io.Reader) (*Map, error) {
			c, err := ReadCOCO(r)
			if err != nil || len(c.Images) == 0 {
				return draw("."), err
			}
			return c.Map(c.Images[0])
		})
}

// FuzzCOCOJoin: a file that is taken into a joined one is there to be read.
func FuzzCOCOJoin(f *testing.F) {
	written(f, func(m *Map, w io.Writer) error { return json.NewEncoder(w).Encode(m.COCO("p", names)) })
	written(f, func(m *Map, w io.Writer) error { return json.NewEncoder(w).Encode(m.COCOPolygons("p", names)) })
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadCOCO(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, i := range c.Images {
			if i.Width*i.Height > 1<<12 {
				return
			}
		}
		var out bytes.Buffer
		j := NewCOCOJoiner(&out, scratch(t))
		j.Polygons = true
		added := j.Add(c)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		back, err := ReadCOCO(&out)
		if err != nil {
			t.Fatal(err)
		}
		images, annotations := j.Counts()
		if len(back.Images) != images || len(back.Annotations) != annotations || added != nil && images+annotations > 0 {
			t.Errorf("%d images and %d annotations, read again %d and %d; %v", images, annotations, len(back.Images), len(back.Annotations), added)
		}
	})
}

// FuzzDecodeIDs: maps in Cityscapes' numbers.
func FuzzDecodeIDs(f *testing.F) {
	ids := []uint8{7, 23, 19, 26}
	fuzzReader(f, func(m *Map, w io.Writer) error { return m.EncodeIDs(w, ids) }, func(r io.Reader) (*Map, error) {
		m, err := DecodeIDs(r, ids)
		if err == nil && int(m.Max()) > len(ids) {
			return nil, fmt.Errorf("label %d", m.Max())
		}
		return m, err
	})
}

func FuzzReadIDs(f *testing.F) {
	f.Add("road,7\nsky,23\n")
	f.Add("# Cityscapes\n\"traffic \"\"light\", 19\r\nsky,0\n")
	f.Fuzz(func(t *testing.T, s string) {
		ids, err := ReadIDs(strings.NewReader(s))
		for name, id := range ids {
			if id == 0 {
				t.Errorf("%q is background", name)
			}
		}
		if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("an error of no kind: %v", err)
		}
	})
}
