package cli

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Classification of photos in shards, with classes by number and many names.
func TestEvalClassificationShards(t *testing.T) {
	dir := t.TempDir()
	picture, err := os.ReadFile(writePhoto(t, dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range []struct{ name, content string }{{"0.png", string(picture)}, {"0.cls", "0"}, {"1.png", string(picture)}, {"1.cls", "299"}} {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.content)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	shard := writeBytes(t, dir, "val.tar", b.Bytes())
	var names strings.Builder
	for i := range 300 { // more than a segmentation may ask for
		names.WriteString(strings.Repeat("x", i+1) + ", y" + strings.Repeat("z", i) + "\n")
	}
	classes := writeBytes(t, dir, "classes.txt", []byte(names.String()))
	r := runProgram(t, nil, "eval", "classification", "--data", shard, "--classes-file", classes, "--model", model, "--templates", "simple", "--json")
	var report struct {
		Images    int
		Classes   []string
		Templates string
		Chance    float64 `json:"chance_top1"`
		Root      string
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || r.code != exitDone || report.Images != 2 || len(report.Classes) != 300 || report.Templates != "simple" || report.Root != shard {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"both":      {[]string{"--data", shard, "--root", dir}, exitUsage, "either"},
		"names of":  {[]string{"--root", dir, "--classes-file", classes}, exitUsage, "classes.txt"},
		"templates": {[]string{"--data", shard, "--templates", "best"}, exitUsage, "--templates"},
		"missing":   {[]string{"--data", filepath.Join(dir, "none.tar")}, exitFailed, "none.tar"},
		"no shard":  {[]string{"--data", classes}, exitFailed, "classes.txt"},
		"limit":     {[]string{"--data", shard, "--limit", "-1"}, exitUsage, "limit"},
	} {
		if r := runProgram(t, nil, append([]string{"eval", "classification", "--model", model}, c.args...)...); r.code != c.code || !strings.Contains(r.errors, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
