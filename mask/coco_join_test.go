package mask

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func scratch(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The joined file holds every photo's regions under the names they had, whichever
// numbers its own file gave them; a bad file leaves no trace.
func TestCOCOJoin(t *testing.T) {
	for _, polygons := range []bool{false, true} {
		var out bytes.Buffer
		j := NewCOCOJoiner(&out, scratch(t))
		j.Polygons = polygons
		maps, labels := map[string]*Map{}, map[string][]string{}
		for i := range 7 {
			name := fmt.Sprintf("%d.jpg", i)
			maps[name], labels[name] = random(20+i, 15, 3, uint64(i)), []string{"cat", "dog"}
			if i%2 == 1 {
				labels[name] = []string{"dog", "sofa"}
			}
			c := maps[name].COCO(name, labels[name])
			if err := j.Add(&c); err != nil {
				t.Fatal(err)
			}
			c = maps[name].COCO("bad.jpg", labels[name])
			c.Annotations[1].Category = 9
			if err := j.Add(&c); !errors.Is(err, ErrFormat) {
				t.Errorf("a bad file: %v", err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		c, err := ReadCOCO(&out)
		if err != nil {
			t.Fatal(err)
		}
		if images, annotations := j.Counts(); images != 7 || len(c.Images) != 7 || annotations != 14 || len(c.Annotations) != 14 || len(c.Categories) != 3 {
			t.Fatalf("%d images, %d annotations, %v", len(c.Images), len(c.Annotations), c.Categories)
		}
		for i, image := range c.Images {
			got, err := c.Map(image)
			if err != nil || image.ID != i+1 {
				t.Fatal(image, err)
			}
			want := slices.Clone(maps[image.File].Labels)
			for k, l := range want {
				if l > 0 {
					want[k] = uint16(1 + slices.Index([]string{"cat", "dog", "sofa"}, labels[image.File][l-1]))
				}
			}
			if !slices.Equal(got.Labels, want) {
				t.Errorf("%s changed", image.File)
			}
		}
		for i, a := range c.Annotations {
			if a.ID != i+1 || (a.Segmentation.RLE == nil) != polygons {
				t.Errorf("annotation %+v", a)
			}
		}
	}
}

func TestCOCOJoinNothing(t *testing.T) {
	var out bytes.Buffer
	if err := NewCOCOJoiner(&out, scratch(t)).Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := ReadCOCO(&out); err != nil || len(c.Images)+len(c.Annotations)+len(c.Categories) != 0 {
		t.Error(c, err)
	}
}
