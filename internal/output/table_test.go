package output

import (
	"slices"
	"testing"
)

// Names are unique, each format has one way to be made, and files of one photo never
// have one path.
func TestTable(t *testing.T) {
	names, paths := map[string]bool{}, map[string]bool{}
	for _, f := range table {
		if names[f.Name] || f.Says == "" || (f.write == nil && f.files == nil) == (f.value == nil) && f.files == nil || !f.Served && f.Ending == "" {
			t.Errorf("%+v", f)
		}
		names[f.Name] = true
		if f.Ending != "" {
			if p := f.Path("x/NAME"); paths[p] {
				t.Errorf("two formats are called %s", p)
			} else {
				paths[p] = true
			}
		}
	}
	if got := Names(Served()); !slices.Equal(got, []string{"overlay", "overlay-jpeg", "overlay-webp", "cutout", "mask", "npy", "coco", "rle", "polygons", "planes"}) {
		t.Errorf("the server has %v", got)
	}
	found, unknown := Find(Files(), []string{"json", "mask"})
	if got := Names(found); unknown != "" || !slices.Equal(got, []string{"mask", "json"}) {
		t.Errorf("%v, %q", got, unknown)
	}
	if _, unknown := Find(Files(), []string{"mask", "planes"}); unknown != "planes" {
		t.Errorf("%q", unknown)
	}
}

// Results beside photos are known by their names; what others have too is not.
func TestIsResult(t *testing.T) {
	for name, want := range map[string]bool{
		"a.overlay.png": true, "a.overlay.jpg": true, "b.overlay.webp": true, "a.traffic-light.cutout.png": true, "A.MASK.PNG": true, "a_labelIds.png": true, "a.coco.json": true,
		"a.json": false, "a.png": false, "mask.png": false, "a.txt": false, "a.npy": false,
	} {
		if got := IsResult(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
