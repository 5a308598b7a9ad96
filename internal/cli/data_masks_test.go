package cli

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/cli/datasets"
)

// maskedPhotos writes a folder of photos, each in two colours, with their masks.
func maskedPhotos(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	encode := func(im image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for k, name := range names {
		photo, mask := image.NewRGBA(image.Rect(0, 0, 48, 40)), image.NewGray(image.Rect(0, 0, 48, 40))
		for y := range 40 {
			for x := range 48 {
				photo.Set(x, y, color.RGBA{0, 0, 200, 255})
				if x > 10+k {
					photo.Set(x, y, color.RGBA{0, 200, 0, 255})
					mask.Pix[y*mask.Stride+x] = 1
				}
			}
		}
		writeBytes(t, dir, name+".png", encode(photo))
		writeBytes(t, dir, name+"_mask.png", encode(mask))
	}
	writeBytes(t, dir, "classes.txt", []byte("sea\nlawn,meadow\n"))
	return dir
}

// masks writes shards that validate reads; a photo without its mask is told.
func TestDataMasks(t *testing.T) {
	dir, out := maskedPhotos(t, "a", "b", "c"), filepath.Join(t.TempDir(), "shards")
	r := runProgram(t, nil, "data", "masks", dir, "--output", out, "--json")
	var got datasets.MasksJSON
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitDone {
		t.Fatalf("%+v: %v", r, err)
	}
	if got.Samples != 3 || got.Layout != "beside" || len(got.Classes) != 2 || got.Classes[1].Word != "lawn" {
		t.Errorf("%s", r.out)
	}
	if r := runProgram(t, nil, "data", "validate", out, "--json"); r.code != exitDone || !strings.Contains(r.out, `"good":3`) {
		t.Errorf("%+v", r)
	}
	if r := runProgram(t, nil, "data", "masks", dir, "--output", out); r.code != 1 || !strings.Contains(r.errors, "not empty") {
		t.Errorf("%+v", r)
	}

	writeBytes(t, dir, "d.png", []byte("no picture"))
	r = runProgram(t, nil, "data", "masks", dir, "--output", filepath.Join(t.TempDir(), "again"))
	if r.code != exitPartial || !strings.Contains(r.errors, "1 sample was left out") || !strings.Contains(r.errors, "d: broken label map") {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"--layout", "none"}, {"--limit", "-1"}, {}} {
		args = slices.Concat([]string{"data", "masks", dir}, args)
		if len(args) > 3 {
			args = append(args, "--output", filepath.Join(t.TempDir(), "bad"))
		}
		if r := runProgram(t, nil, args...); r.code != exitUsage {
			t.Errorf("%q: %+v", args, r)
		}
	}
}
