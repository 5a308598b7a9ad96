package cli

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manyPhotos writes photos in folders and a list of them.
func manyPhotos(t *testing.T, n int) (list string) {
	t.Helper()
	dir := t.TempDir()
	var lines []string
	for i := range n {
		folder := filepath.Join(dir, string(rune('a'+i%3)))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, writePhoto(t, folder, string(rune('0'+i/3%10))+string(rune('a'+i/30))+".png"))
	}
	list = filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	return list
}

// contents are the files below a folder, but for what keeps the run's books.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sameFiles(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s differs: %d bytes, want %d", name, len(got[name]), len(data))
		}
	}
}

// Killed twenty times at any moment, a run over a list ends with the files, and
// with the tar, of one that was left alone.
func TestBatchKilled(t *testing.T) {
	list := manyPhotos(t, 60)
	dir := t.TempDir()
	whole, wholeTar := filepath.Join(dir, "whole"), filepath.Join(dir, "whole.tar")
	args := func(out string) []string {
		return []string{"segment", "--manifest", list, "--model", model, "--labels", "cat,dog", "--format", "mask,rle", "-o", out}
	}
	for _, out := range []string{whole, wholeTar} {
		if r := runProgram(t, nil, args(out)...); r.code != exitDone || !strings.Contains(r.errors, "60 photos done") {
			t.Fatalf("%+v", r)
		}
	}
	for _, out := range []string{filepath.Join(dir, "killed"), filepath.Join(dir, "killed.tar")} {
		began := 0
		for i := range 20 {
			cmd := exec.Command(program, args(out)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(100+rand.IntN(40*(i+1))) * time.Millisecond)
			_ = cmd.Process.Kill()
			if cmd.Wait() != nil {
				began++
			}
		}
		r := runProgram(t, nil, args(out)...)
		if r.code != exitDone {
			t.Fatalf("%+v", r)
		}
		t.Logf("%d kills met a running program; the last run says: %s", began, strings.TrimSpace(r.errors))
	}
	sameFiles(t, contents(t, filepath.Join(dir, "killed")), contents(t, whole))
	got, err1 := os.ReadFile(filepath.Join(dir, "killed.tar"))
	want, err2 := os.ReadFile(wholeTar)
	if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
		t.Errorf("the tar has %d bytes, want %d: %v %v", len(got), len(want), err1, err2)
	}
}

// Workers share a list; together they do what one does alone.
func TestBatchWorkers(t *testing.T) {
	list := manyPhotos(t, 20)
	dir := t.TempDir()
	one, many := filepath.Join(dir, "one"), filepath.Join(dir, "many")
	args := []string{"segment", "--manifest", list, "--model", model, "--labels", "cat,dog", "--format", "mask", "-o"}
	if r := runProgram(t, nil, append(args, one)...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	for _, share := range []string{"0/3", "1/3", "2/3"} {
		if r := runProgram(t, nil, append(args, many, "--shard", share)...); r.code != exitDone {
			t.Fatalf("%+v", r)
		}
	}
	sameFiles(t, contents(t, many), contents(t, one))
}

// Photos come out of shards; bad ones are logged with the reason, and the exit
// code says so; with them mended, the same command does the rest.
func TestBatchShards(t *testing.T) {
	dir := t.TempDir()
	photo, err := os.ReadFile(writePhoto(t, dir, "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	shard := func(bad []byte) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for name, data := range map[string][]byte{"good.png": photo, "bad.png": bad, "good.json": []byte("{}")} {
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
		if err := os.WriteFile(filepath.Join(dir, "s-0.tar"), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	shard([]byte("no photo"))
	out := filepath.Join(dir, "out")
	args := []string{"segment", "--shards", filepath.Join(dir, "s-{0..0}.tar"), "--model", model, "--labels", "cat", "--format", "mask", "-o", out, "--json"}
	r := runProgram(t, nil, args...)
	log, err := os.ReadFile(filepath.Join(out, ".done.jsonl"))
	if r.code != exitPartial || strings.Count(r.out, "\n") != 1 || err != nil || !strings.Contains(string(log), "s-0.tar/bad.png") || !strings.Contains(string(log), `"error"`) {
		t.Errorf("%+v, %s, %v", r, log, err)
	}
	shard(photo)
	if r := runProgram(t, nil, args...); r.code != exitDone || !strings.Contains(r.errors, "1 photo done, 1 skipped") {
		t.Errorf("%+v", r)
	}
	if files := contents(t, out); len(files) != 2 || files["s-0/good.mask.png"] == "" || files["s-0/bad.mask.png"] != files["s-0/good.mask.png"] {
		t.Errorf("%d files", len(files))
	}
}

func TestBatchRefusals(t *testing.T) {
	list := manyPhotos(t, 1)
	out := t.TempDir()
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "give one of them", []string{"--manifest", list, "--shards", "x.tar"}},
		{exitUsage, "i/n", []string{"--manifest", list, "--shard", "3/3"}},
		{exitUsage, "name a format", []string{"--manifest", list, "--format", ""}},
		{exitUsage, `leave ["photo.jpg"] out`, []string{"--manifest", list, "photo.jpg"}},
		{exitFailed, "no such file", []string{"--manifest", "nowhere.txt"}},
		{exitFailed, "no such file", []string{"--shards", "nowhere.tar"}},
	} {
		args := append([]string{"segment", "--model", model, "--labels", "cat", "-o", out}, c.args...)
		if r := runProgram(t, nil, args...); r.code != c.code || !strings.Contains(r.errors, c.want) {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
}
