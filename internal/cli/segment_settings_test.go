package cli

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
	"github.com/groupvit/groupvit/mask"
)

// An output refuses results of other settings, names what differs and keeps what it
// has; the same settings go on, and --overwrite starts over.
func TestOutputRemembers(t *testing.T) {
	dir := t.TempDir()
	list := manyPhotos(t, 3)
	photo, err := os.ReadFile(writePhoto(t, dir, "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	shard := filepath.Join(dir, "s.tar")
	writeTar(t, shard, map[string][]byte{"a.png": photo})
	other := filepath.Join(dir, "other")
	drawn := weightstest.Model()
	for _, w := range drawn.Tensors {
		for i := range w {
			w[i] = 1.5*w[i] + 0.1
		}
		break
	}
	if err := weights.Save(other, drawn, weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	for source, args := range map[string][]string{
		"manifest": {"--manifest", list}, "shards": {"--shards", shard}, "folder": {filepath.Dir(list)},
	} {
		for _, out := range []string{filepath.Join(dir, source), filepath.Join(dir, source+".tar")} {
			run := func(more ...string) result {
				return runProgram(t, nil, slices.Concat([]string{"segment", "--model", model, "-o", out}, args, more)...)
			}
			first := []string{"--labels", "cat,wall", "--format", "yolo"}
			if r := run(first...); r.code != exitDone {
				t.Fatalf("%+v", r)
			}
			kept := contents(t, dir)
			for name, c := range map[string]struct {
				args []string
				says string
			}{
				"order of labels": {[]string{"--labels", "wall,cat", "--format", "yolo"}, `labels: "cat, wall" before, "wall, cat" now`},
				"synonyms":        {[]string{"--labels", "cat|kitten,wall", "--format", "yolo"}, "labels"},
				"format":          {[]string{"--labels", "cat,wall", "--format", "yolo,mask"}, `format: "yolo" before`},
				"background":      {append(first, "--background", "0.7"), `background: "auto" before, "0.7" now`},
				"protocol":        {append(first, "--protocol", "best"), `protocol: "paper" before, "best" now`},
				"quality":         {append(first, "--protocol", "best", "--quality", "fast"), `quality: none before, "fast" now`},
				"templates":       {append(first, "--templates", "subset"), "templates"},
				"short side":      {append(first, "--short-side", "96"), `short side: none before, "96" now`},
				"model":           {append(first, "--model", other), "model sha256"},
				"engine":          {append(first, "--engine", "go"), `engine`},
			} {
				if name == "engine" && !slices.Contains(engine.Available(), "simd") {
					continue // go is the default there
				}
				r := run(c.args...)
				if r.code == exitDone || !strings.Contains(r.errors, c.says) || !strings.Contains(r.errors, "--overwrite") || !strings.Contains(r.errors, out) {
					t.Errorf("%s, %s: %+v", source, name, r)
				}
			}
			sameFiles(t, contents(t, dir), kept)
			if r := run(first...); r.code != exitDone || !strings.Contains(r.errors, "skipped (already processed)") {
				t.Errorf("%s: the same settings: %+v", source, r)
			}
			if r := run("--labels", "wall,cat", "--format", "yolo", "--overwrite"); r.code != exitDone || strings.Contains(r.errors, "skipped") {
				t.Errorf("%s: --overwrite: %+v", source, r)
			}
			if r := run(first...); r.code == exitDone {
				t.Errorf("%s: the settings before --overwrite are taken", source)
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "manifest", "classes.txt")); err != nil || string(b) != "wall\ncat\n" {
		t.Errorf("%q, %v", b, err)
	}
	if r := runProgram(t, nil, "segment", filepath.Join(dir, "p.png"), "--model", model, "--labels", "dog", "--format", "mask", "-o", filepath.Join(dir, "manifest")); r.code == exitDone || !strings.Contains(r.errors, "labels") {
		t.Errorf("a single photo into another's output: %+v", r)
	}
}

func writeTar(t *testing.T, name string, files map[string][]byte) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Classes of YOLO's texts are never renamed under them, even by single photos.
func TestClassesStay(t *testing.T) {
	dir := t.TempDir()
	a, b := writePhoto(t, dir, "a.png"), writePhoto(t, dir, "b.png")
	run := func(photo, labels string, more ...string) result {
		return runProgram(t, nil, append([]string{"segment", photo, "--labels", labels, "--model", model, "--format", "yolo", "-o", filepath.Join(dir, "out")}, more...)...)
	}
	if r := run(a, "cat,wall"); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	if r := run(b, "cat,wall"); r.code != exitDone {
		t.Errorf("%+v", r)
	}
	if r := run(b, "wall,cat"); r.code != exitFailed || !strings.Contains(r.errors, "classes.txt") {
		t.Errorf("%+v", r)
	}
	if r := run(b, "wall,cat", "--overwrite"); r.code != exitDone {
		t.Errorf("%+v", r)
	}
	yaml, err := os.ReadFile(filepath.Join(dir, "out", "data.yaml"))
	if err != nil || !strings.Contains(string(yaml), "train: images\n") || !strings.Contains(string(yaml), "  0: \"wall\"\n  1: \"cat\"\n") {
		t.Errorf("%s, %v", yaml, err)
	}
	for _, name := range []string{"a", "b"} { // YOLO puts images for labels and the other way round
		photo, err := os.ReadFile(filepath.Join(dir, "out", "images", name+".png"))
		want, _ := os.ReadFile(filepath.Join(dir, name+".png"))
		if err != nil || !bytes.Equal(photo, want) {
			t.Errorf("the photo %s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "out", "labels", name+".txt")); err != nil {
			t.Error(err)
		}
	}
}

// A photo that changes is done again; one whose name an earlier list gave away is not
// taken for done; another number of workers is refused.
func TestBatchChanges(t *testing.T) {
	dir := t.TempDir()
	photos := filepath.Join(dir, "photos")
	a := writePhoto(t, photos, "a.png")
	writePhoto(t, photos, "b.png")
	out := filepath.Join(dir, "out")
	folder := []string{"segment", photos, "--labels", "cat", "--model", model, "--format", "mask", "-o", out}
	if r := runProgram(t, nil, folder...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	if err := os.Chtimes(a, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if r := runProgram(t, nil, folder...); r.code != exitDone || !strings.Contains(r.errors, "1 photo done (1 changed since an earlier run), 1 skipped") {
		t.Errorf("%+v", r)
	}
	lists := filepath.Join(dir, "lists")
	list := func(lines string) []string {
		return []string{"segment", "--manifest", "-", "--labels", "cat", "--model", model, "--format", "mask", "-o", lists, "--json"}
	}
	if r := runProgram(t, []byte("\ufeff"+a+"\r\n"), list(a)...); r.code != exitDone || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%+v", r)
	}
	gif := writePhoto(t, photos, "a.gif")
	if r := runProgram(t, []byte(gif), list(gif)...); r.code != exitFailed || !strings.Contains(r.errors, "those of another photo") || strings.Count(r.out, "\n") != 0 {
		t.Errorf("%+v", r)
	}
	workers := append(list(""), "--shard", "0/3")
	if r := runProgram(t, []byte(a), workers...); r.code != exitFailed || !strings.Contains(r.errors, "begun by 1 worker") {
		t.Errorf("%+v", r)
	}
	if r := runProgram(t, nil, "segment", a, "--shard", "0/3", "--labels", "cat", "--model", model); r.code != exitUsage || !strings.Contains(r.errors, "--shard is for") {
		t.Errorf("%+v", r)
	}
}

// A tar that groupvit has not written is never written over: it may be that of the
// photos.
func TestForeignTar(t *testing.T) {
	dir := t.TempDir()
	photo, err := os.ReadFile(writePhoto(t, dir, "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	shard := filepath.Join(dir, "s.tar")
	writeTar(t, shard, map[string][]byte{"a.png": photo})
	before, _ := os.ReadFile(shard)
	for _, more := range [][]string{nil, {"--overwrite"}} {
		args := append([]string{"segment", "--shards", shard, "--labels", "cat", "--model", model, "--format", "mask", "-o", shard}, more...)
		r := runProgram(t, nil, args...)
		after, _ := os.ReadFile(shard)
		if r.code != exitFailed || !strings.Contains(r.errors, "not replaced") || !bytes.Equal(before, after) {
			t.Errorf("%d bytes, %d before: %+v", len(after), len(before), r)
		}
	}
	meta := writeBytes(t, dir, "p.json", []byte(`{"caption": "a cat"}`))
	if r := runProgram(t, nil, "segment", filepath.Join(dir, "p.png"), "--labels", "cat", "--model", model, "-o", dir); r.code != exitFailed || !strings.Contains(r.errors, meta) {
		t.Errorf("somebody's JSON: %+v", r)
	}
}

// Paths inside of results lead to the photos from where readers look.
func TestPathsInside(t *testing.T) {
	dir := t.TempDir()
	photos, out := filepath.Join(dir, "photos"), filepath.Join(dir, "some", "out")
	photo := writePhoto(t, photos, "sub/cat.png")
	writePhoto(t, photos, "dog.png")
	list := writeBytes(t, dir, "list.txt", []byte(photo))
	common := []string{"--labels", "cat", "--model", model, "--background", "off", "--format", "labelme,coco,coco-polygons", "-o"}
	for name, c := range map[string]struct {
		args  []string
		file  string // of results
		coco  string
		photo string
	}{
		"folder":        {[]string{photos}, "sub/cat", "sub/cat.png", photo},
		"photo":         {[]string{photo}, "cat", "cat.png", photo},
		"with a root":   {[]string{photo, "--root", photos}, "cat", "sub/cat.png", photo},
		"manifest":      {[]string{"--manifest", list}, strings.TrimPrefix(strings.TrimSuffix(filepath.ToSlash(photo), ".png"), "/"), filepath.ToSlash(photo), photo},
		"list and root": {[]string{"--manifest", list, "--root", photos}, strings.TrimPrefix(strings.TrimSuffix(filepath.ToSlash(photo), ".png"), "/"), "sub/cat.png", photo},
	} {
		t.Run(name, func(t *testing.T) {
			to := filepath.Join(out, strings.ReplaceAll(name, " ", "-"))
			if r := runProgram(t, nil, slices.Concat([]string{"segment"}, c.args, common, []string{to})...); r.code != exitDone {
				t.Fatalf("%+v", r)
			}
			labelMe := filepath.Join(to, "labelme", filepath.FromSlash(c.file)+".json")
			b, err := os.ReadFile(labelMe)
			if err != nil {
				t.Fatal(err)
			}
			var file struct{ ImagePath string }
			if err := json.Unmarshal(b, &file); err != nil || filepath.IsAbs(file.ImagePath) {
				t.Errorf("%q, %v", file.ImagePath, err)
			}
			got, err1 := os.Stat(filepath.Join(filepath.Dir(labelMe), filepath.FromSlash(file.ImagePath)))
			want, err2 := os.Stat(c.photo)
			if err1 != nil || err2 != nil || !os.SameFile(got, want) {
				t.Errorf("imagePath %q does not lead to the photo: %v", file.ImagePath, err1)
			}
			for _, ending := range []string{".coco.json", ".coco-polygons.json"} {
				f, err := os.Open(filepath.Join(to, filepath.FromSlash(c.file)+ending))
				if err != nil {
					t.Fatal(err)
				}
				coco, err := mask.ReadCOCO(f)
				f.Close()
				if err != nil || coco.Images[0].File != c.coco {
					t.Errorf("file_name %+v, want %q; %v", coco.Images, c.coco, err)
				}
				if coco.Info == nil || coco.Annotations[0].Score == nil {
					t.Error("no info or no score")
				}
			}
		})
	}
}
