package batch

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

func TestParsePart(t *testing.T) {
	for _, s := range []string{"0/1", "3/16", "999/1000"} {
		if p, err := ParsePart(s); err != nil || p.String() != s {
			t.Errorf("%s: %v, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "1", "1/1", "-1/2", "0/0", "a/b", "0/1/2", "0/99999999"} {
		if p, err := ParsePart(s); err == nil {
			t.Errorf("%q: %v", s, p)
		}
	}
}

func listOf(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// Workers' shares are disjoint and whole; names are unique and the same for every
// number of workers.
func TestShares(t *testing.T) {
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("photos/%d/p.jpg", i/3)) // three lines a name
	}
	list := listOf(t, append(lines, "", "photos/0/P.png\r", "")...)
	names := func(n int) []string {
		var all []string
		for i := range n {
			for item, err := range Manifest(context.Background(), list, nil, Part{i, n}) {
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, item.Photo+" "+item.Name)
			}
		}
		slices.Sort(all)
		return all
	}
	one := names(1)
	if len(one) != 101 || len(slices.Compact(slices.Clone(one))) != 101 {
		t.Errorf("%d names: %v", len(one), one[:5])
	}
	for _, n := range []int{2, 7, 200} {
		if got := names(n); !slices.Equal(got, one) {
			t.Errorf("%d workers: other names", n)
		}
	}
}

func TestResultNames(t *testing.T) {
	for photo, want := range map[string]string{
		"a.jpg": "a", "x/a.b.jpg": "x/a.b", "/abs/a.jpg": "abs/a", "../../a.jpg": "up/up/a", "./x/../a.png": "a", "noending": "noending",
		"a/b/../../../c.jpg": "up/c", "x//y.jpg": "x/y",
	} {
		if got, err := resultName(photo); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", photo, got, err, want)
		}
	}
	for _, photo := range []string{".", "/", "a\x00b.jpg", ".jpg", strings.Repeat("a", limits.PathBytes+1)} {
		if got, err := resultName(photo); !errors.Is(err, ErrList) {
			t.Errorf("%.20q: %q, %v", photo, got, err)
		}
	}
}

func TestBadManifests(t *testing.T) {
	for _, lines := range [][]string{{"a.jpg", "x\x00"}, {strings.Repeat("x", 2*limits.PathBytes)}} {
		var last error
		for _, err := range Manifest(context.Background(), listOf(t, lines...), nil, Part{0, 1}) {
			last = err
		}
		if !errors.Is(last, ErrList) {
			t.Errorf("%.10q: %v", lines, last)
		}
	}
	for _, err := range Manifest(context.Background(), "nowhere", nil, Part{0, 1}) {
		if !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
}

// tarOf writes a tar with these members.
func tarOf(t *testing.T, name string, members ...string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		data := []byte("data of " + m)
		if err := w.WriteHeader(&tar.Header{Name: m, Size: int64(len(data)), Mode: 0o644}); err != nil {
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

func TestShards(t *testing.T) {
	dir := t.TempDir()
	tarOf(t, filepath.Join(dir, "x-0.tar"), "a.jpg", "a.json", "b.PNG", "B.jpg", "../up.jpg")
	tarOf(t, filepath.Join(dir, "x-1.tar"), "a.jpg", "c.jpg")
	whole, err := os.ReadFile(filepath.Join(dir, "x-1.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x-2.tar"), whole[:1024+200], 0o666); err != nil { // within the header of c
		t.Fatal(err)
	}
	var names []string
	var left LeftOut
	broken := 0
	for item, err := range Shards(context.Background(), filepath.Join(dir, "x-{0..2}.tar"), Part{0, 1}, &left) {
		if err != nil {
			broken++
			if !errors.Is(err, ErrList) || !strings.HasSuffix(item.Photo, "x-2.tar") {
				t.Errorf("%v: %v", item.Photo, err)
			}
			continue
		}
		data, err := item.Read()
		if err != nil || !strings.HasPrefix(string(data), "data of ") {
			t.Errorf("%s: %q, %v", item.Photo, data, err)
		}
		names = append(names, item.Name)
	}
	want := []string{"x-0/a", "x-0/b", "x-0/B.member3", "x-0/up/up", "x-1/a", "x-1/c", "x-2/a"}
	if !slices.Equal(names, want) || broken != 1 {
		t.Errorf("%v and %d broken, want %v", names, broken, want)
	}
	if got := left.String(); got != "1 file left out: 1 .json" {
		t.Error(got)
	}
	n := 0
	for item := range Shards(context.Background(), filepath.Join(dir, "x-{0..2}.tar"), Part{1, 3}, nil) {
		n++
		if !strings.HasPrefix(item.Name, "x-1/") {
			t.Errorf("worker 1 got %s", item.Name)
		}
	}
	if n != 2 {
		t.Errorf("worker 1 got %d photos", n)
	}
}

// A kill at any byte of the log loses at most the line it was in.
// TestParquetPhotos: the photos of Parquet files are named after their rows, and one
// without a picture is an error of its own.
func TestParquetPhotos(t *testing.T) {
	dir := filepath.Join("..", "pairs", "testdata", "parquet")
	for _, c := range []struct {
		files string
		want  []string
	}{
		{"huggingface.parquet", []string{"huggingface/red", "huggingface/green", "huggingface/blue", "huggingface/yellow", "huggingface/none: no picture"}},
		{"img2dataset.parquet", []string{"img2dataset/000000000", "img2dataset/000000001", "img2dataset/000000002", "img2dataset/000000003", "img2dataset/000000004: no picture"}},
		{"duckdb.parquet", []string{"duckdb/duckdb-000000001", "duckdb/duckdb-000000002", "duckdb/duckdb-000000003", "duckdb/duckdb-000000004", "duckdb/duckdb-000000005: no picture"}},
		{"paths_pyarrow.parquet", []string{"paths_pyarrow: bad list of photos"}},
	} {
		var got []string
		for item, err := range Shards(context.Background(), filepath.Join(dir, c.files), Part{0, 1}, nil) {
			text := item.Name
			if err == nil {
				_, err = item.Read()
			}
			for _, reason := range []string{"bad list of photos", "no picture"} {
				if err != nil && strings.Contains(err.Error(), reason) {
					text += ": " + reason
					break
				}
			}
			got = append(got, text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.files, got, c.want)
		}
	}
}

func TestLogHalfLines(t *testing.T) {
	name := filepath.Join(t.TempDir(), "done.jsonl")
	l, err := OpenLog(name, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	records := []Record{{Photo: "a.jpg", Name: "a", End: 100}, {Photo: "b.jpg", Name: "b", Error: "broken\n" + strings.Repeat("é", 10_000)}, {Photo: "c.jpg", Name: "c", End: 300}}
	for _, r := range records {
		if err := l.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	done := func(l *Log, name string) bool { return l.State(Item{ID: name + ".jpg", Name: name}) == Done }
	for n := 0; n <= len(whole); n += 97 {
		if err := os.WriteFile(name, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		l, err := OpenLog(name, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(whole[:n], []byte("\n"))
		if done(l, "a") != (lines >= 2) || done(l, "b") || done(l, "c") != (lines >= 4) {
			t.Errorf("after %d bytes: %v %v %v", n, done(l, "a"), done(l, "b"), done(l, "c"))
		}
		if err := l.Add(Record{Photo: "d.jpg", Name: "d"}); err != nil {
			t.Fatal(err)
		}
		l.Close()
		if again, err := OpenLog(name, nil, false); err != nil || !done(again, "d") {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	for _, bad := range []string{"no JSON\n", strings.Repeat("x", 2*limits.LogLine)} {
		if err := os.WriteFile(name, []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLog(name, nil, false); !errors.Is(err, ErrList) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
}

// A tar that is gone on with is the one that was never stopped.
func TestTarGoesOn(t *testing.T) {
	dir := t.TempDir()
	add := func(tar *Tar, i int) int64 {
		t.Helper()
		end, err := tar.Add([]File{{fmt.Sprintf("%d.png", i), bytes.Repeat([]byte{byte(i)}, 100*i)}, {fmt.Sprintf("%d.json", i), []byte("{}")}})
		if err != nil {
			t.Fatal(err)
		}
		return end
	}
	whole := filepath.Join(dir, "whole.tar")
	a, err := OpenTar(whole, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		add(a, i)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	stopped := filepath.Join(dir, "stopped.tar")
	end := int64(0)
	for i := range 9 {
		b, err := OpenTar(stopped, end)
		if err != nil {
			t.Fatal(err)
		}
		end = add(b, i)
		add(b, 100+i) // not logged: lost with the kill
		b.file.Close()
	}
	b, err := OpenTar(stopped, end)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	x, _ := os.ReadFile(whole)
	y, _ := os.ReadFile(stopped)
	if !bytes.Equal(x, y) {
		t.Errorf("%d bytes, want %d", len(y), len(x))
	}
	n := 0
	for r := tar.NewReader(bytes.NewReader(x)); ; n++ {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Error(h.Name, err)
		}
	}
	if n != 18 {
		t.Errorf("%d members", n)
	}
	if _, err := OpenTar(whole, 1<<40); !errors.Is(err, ErrList) {
		t.Error(err)
	}
}

func FuzzLog(f *testing.F) {
	f.Add([]byte(`{"photo":"a.jpg","name":"a"}` + "\n" + `{"pho`))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
		if l, err := OpenLog(name, nil, false); err == nil {
			l.Close()
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte("a.jpg\n../b.jpg\r\n\n/c"))
	f.Add([]byte("\ufeffa.jpg\rb.jpg"))
	f.Add([]byte("\xff\xfea\x00.\x00j\x00"))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
		for item, err := range Manifest(context.Background(), name, nil, Part{0, 1}) {
			if err == nil && !filepath.IsLocal(filepath.FromSlash(item.Name)) {
				t.Errorf("%q would be written to %q", item.Photo, item.Name)
			}
		}
	})
}
