package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The way from published annotations to a measurement.
func TestDataConvert(t *testing.T) {
	root := t.TempDir()
	writePhoto(t, root, "images/val2017/000000000139.png")
	values := make([]uint8, 60*45)
	for i := range values {
		values[i] = []uint8{0, 16, 91, 255}[i/15%4] // person, cat, stuff, not labelled
	}
	writeBytes(t, root, "annotations/val2017/000000000139.png", maskPNG(t, 60, values))
	for _, from := range []string{"coco-object", "coco-stuff"} {
		r := runProgram(t, nil, "data", "convert", "--from", from, root, "--json")
		var result struct {
			Written, Kept int
			Folder        string
		}
		if err := json.Unmarshal([]byte(r.out), &result); r.code != exitDone || err != nil || result.Written != 1 || result.Folder == "" {
			t.Fatalf("%+v, %v", r, err)
		}
		r = runProgram(t, nil, "eval", "segmentation", "--dataset", from, "--root", root, "--model", model, "--protocol", "sclip", "--templates", "simple")
		if r.code != exitDone || !strings.Contains(r.out, "dataset "+from+", 1 photos") {
			t.Fatalf("%+v", r)
		}
	}
	r := runProgram(t, nil, "data", "convert", "--from", "coco-object", root)
	if r.code != exitDone || !strings.Contains(r.errors, "masks: 0 written, 1 were there") || !strings.HasSuffix(r.out, "annotations\n") {
		t.Errorf("%+v", r)
	}
	mine := filepath.Join(t.TempDir(), "mine")
	instances := writeBytes(t, root, "instances.json", []byte(`{"images":[{"id":1,"file_name":"000000000139.png","width":60,"height":45}],
		"categories":[{"id":17,"name":"cat"}],"annotations":[{"image_id":1,"category_id":17,"area":100,"segmentation":[[10,10,20,10,20,20,10,20]]}]}`))
	if r = runProgram(t, nil, "data", "convert", "--from", "coco-json", instances, "--output", mine, "--photos", filepath.Join(root, "images", "val2017")); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	if classes, err := os.ReadFile(filepath.Join(mine, "classes.txt")); err != nil || string(classes) != "background\ncat\n" {
		t.Errorf("%q, %v", classes, err)
	}
	if r = runProgram(t, nil, "eval", "segmentation", "--dataset", "folder", "--root", mine, "--model", model); r.code != exitDone || !strings.Contains(r.out, "1 photos") {
		t.Errorf("%+v", r)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no kind":        {[]string{root}, exitUsage, "coco-object"},
		"unknown kind":   {[]string{"--from", "pascal", root}, exitUsage, "voc-aug"},
		"no input":       {[]string{"--from", "coco-object"}, exitUsage, "arg"},
		"missing input":  {[]string{"--from", "coco-object", filepath.Join(root, "none")}, exitFailed, "none"},
		"photos of what": {[]string{"--from", "coco-object", root, "--photos", root}, exitUsage, "coco-json"},
		"no output":      {[]string{"--from", "context", root}, exitFailed, "VOC 2010"},
	} {
		if r := runProgram(t, nil, append([]string{"data", "convert"}, c.args...)...); r.code != c.code || !strings.Contains(r.errors, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
