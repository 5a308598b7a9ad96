package shards

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

// put writes a file, and the folders that it needs.
func put(t testing.TB, path string, content []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// packed is a tar of members; each content is its name, but for "NAME=CONTENT".
func packed(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		name, content, ok := strings.Cut(m, "=")
		if !ok {
			content = name
		}
		h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}
		switch {
		case strings.HasSuffix(name, "/"):
			h.Typeflag, h.Size = tar.TypeDir, 0
		case strings.HasPrefix(content, "->"):
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, content[2:], 0
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compressed(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samplesOf lists the samples of a shard as "KEY: what each file holds", and the errors.
func samplesOf(t testing.TB, path string) (samples, problems []string, left *LeftOut) {
	t.Helper()
	var files Files
	left = &LeftOut{}
	for s, err := range Group(files.Tar(context.Background(), path, left), left) {
		if err != nil {
			problems = append(problems, s.Key+": "+err.Error())
			continue
		}
		text := s.Key + ":"
		for _, p := range s.Parts {
			if p == None {
				continue
			}
			b, err := files.Read(p)
			if err != nil {
				t.Error(err)
			}
			text += " " + string(b)
		}
		samples = append(samples, text)
	}
	return samples, problems, left
}

// TestGroup: every member of a shard is part of a sample, or counted.
func TestGroup(t *testing.T) {
	for _, c := range []struct {
		name          string
		members       string
		samples, left string
	}{
		{"webdataset", "a.jpg a.txt b.json b.png", "a: a.jpg a.txt; b: b.png b.json", ""},
		{"adjacent duplicate keys", "a.jpg=1 a.txt=2 a.jpg=3 a.txt=4 a.jpg=5", "a: 1 2; a: 3 4; a: 5", ""},
		{"keys with dots", "22.00.jpg 22.00.txt 22.01.jpg 22.01.txt", "22.00: 22.00.jpg 22.00.txt; 22.01: 22.01.jpg 22.01.txt", ""},
		{"one of them lacks its text", "1.a.jpg 1.a.txt 1.b.jpg", "1.a: 1.a.jpg 1.a.txt; 1.b: 1.b.jpg", ""},
		{"none has a text", "1.a.jpg 1.b.jpg", "1.a: 1.a.jpg; 1.b: 1.b.jpg", ""},
		{"more pictures of a sample", "a.jpg a.seg.png a.txt a.depth.png", "a: a.jpg a.txt", "2 files left out: 1 .depth.png, 1 .seg.png"},
		{"names for everything", "a.image.jpg a.caption.txt", "a: a.image.jpg a.caption.txt", ""},
		{"text under a name of its own", "a.jpg a.caption.txt", "a: a.jpg a.caption.txt", ""},
		{"a label map", "a.jpg a.json a.labels.png", "a: a.jpg a.json a.labels.png", ""},
		{"two pictures", "a.png a.jpg a.txt", "a: a.jpg a.txt", "1 file left out: 1 second photos or texts of a sample"},
		{"other kinds", "a.jpg a.cls a.npy b README", "a: a.jpg a.cls", "3 files left out: 2 without an extension, 1 .npy"},
		{"macOS", "._a.jpg a.jpg ._a.txt a.txt .DS_Store __MACOSX/._a.jpg", "a: a.jpg a.txt", "4 files left out: 3 of macOS (._*), 1 hidden"},
		{"folders", "x.d/ x.d/a.jpg x.d/a.txt y/a.jpg y/a.txt", "x.d/a: x.d/a.jpg x.d/a.txt; y/a: y/a.jpg y/a.txt", ""},
		{"capitals", "A.JPG A.TXT b.JPEG b.Json", "A: A.JPG A.TXT; b: b.JPEG b.Json", ""},
		{"links", "a.jpg a.txt=->b.txt", "a: a.jpg", "1 file left out: 1 linking to others"},
		{"other pictures", "a.jfif a.txt b.tif b.txt c.bmp c.txt", "a: a.jfif a.txt; b: b.tif b.txt; c: c.bmp c.txt", ""},
		{"pictures that are not read", "a.jxl a.txt b.jxl", "a: a.txt; b:", "2 files left out: 2 .jxl"},
		{"not adjacent", "a.jpg b.jpg b.txt a.txt", "a: a.jpg; b: b.jpg b.txt; a: a.txt", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := packed(t, strings.Fields(c.members)...)
			for ending, content := range map[string][]byte{".tar": content, ".tar.gz": compressed(t, content)} {
				samples, problems, left := samplesOf(t, put(t, filepath.Join(t.TempDir(), "x"+ending), content))
				if got := strings.Join(samples, "; "); got != c.samples || left.String() != c.left || problems != nil {
					t.Errorf("%s: samples %q, left out %q, problems %q\nwant %q, %q", ending, got, left, problems, c.samples, c.left)
				}
			}
		})
	}
}

// TestConcatenated: all of "cat a.tar b.tar c.tar" is read, however much each is padded.
func TestConcatenated(t *testing.T) {
	padded := func(b []byte, zeros int) []byte { return append(slices.Clip(b), make([]byte, zeros)...) }
	one, two, three := packed(t, "a.jpg", "a.txt"), packed(t, "b.jpg", "b.txt"), packed(t, "c.jpg", "c.txt")
	want := []string{"a: a.jpg a.txt", "b: b.jpg b.txt", "c: c.jpg c.txt"}
	dir := t.TempDir()
	for zeros := 0; zeros <= 20*512; zeros += 7 * 512 {
		content := slices.Concat(padded(one, zeros), packed(t), padded(two, 512), padded(three, zeros))
		for name, content := range map[string][]byte{"x.tar": content, "x.tar.gz": compressed(t, content)} {
			samples, problems, left := samplesOf(t, put(t, filepath.Join(dir, name), content))
			if !slices.Equal(samples, want) || problems != nil || left.Total() != 0 {
				t.Errorf("%s, %d zeros: %q, %q, %v", name, zeros, samples, problems, left)
			}
		}
	}
	// gzip files written one after the other are one, too.
	samples, _, _ := samplesOf(t, put(t, filepath.Join(dir, "y.tgz"), slices.Concat(compressed(t, one), compressed(t, two))))
	if !slices.Equal(samples, want[:2]) {
		t.Errorf("%q", samples)
	}
}

// TestBrokenShards: what is whole is used, and what is not is an error that says so.
func TestBrokenShards(t *testing.T) {
	whole := packed(t, "a.jpg", "a.txt", "b.jpg=a longer one", "b.txt")
	dir := t.TempDir()
	for _, c := range []struct {
		name     string
		content  []byte
		samples  int
		problem  string
		sentinel error
	}{
		{"cut in a header", whole[:4*512+100], 1, "broken or cut shard", ErrShard},
		{"cut in a member", whole[:4*512+512+5], 1, "b: broken or cut shard: it ends at byte", ErrShard},
		{"without its end", whole[:len(whole)-1024], 2, "without the mark of a tar's end", ErrShard},
		{"something behind", append(slices.Clip(whole), bytes.Repeat([]byte("x"), 600)...), 2, "broken or cut shard", ErrShard},
		{"compressed and cut", compressed(t, whole)[:60], 0, "unexpected EOF", ErrShard},
		{"Zstandard", []byte("\x28\xb5\x2f\xfd and so on"), 0, "zstd -d", ErrShard},
		{"ZIP", []byte("PK\x03\x04"), 0, "unpack it", ErrShard},
		{"empty", nil, 0, "without the mark", ErrShard},
	} {
		t.Run(c.name, func(t *testing.T) {
			samples, problems, _ := samplesOf(t, put(t, filepath.Join(dir, "x.tar"), c.content))
			if len(samples) != c.samples || len(problems) != 1 || !strings.Contains(problems[0], c.problem) {
				t.Errorf("samples %q, problems %q; want %d and %q", samples, problems, c.samples, c.problem)
			}
			for _, err := range Entries(context.Background(), filepath.Join(dir, "x.tar"), nil) {
				if err != nil && !errors.Is(err, c.sentinel) {
					t.Errorf("%v does not wrap %v", err, c.sentinel)
				}
			}
		})
	}
	for _, err := range Entries(context.Background(), filepath.Join(dir, "none.tar"), nil) {
		if !errors.Is(err, ErrRead) || !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
	for _, err := range Entries(context.Background(), dir, nil) {
		if !errors.Is(err, ErrRead) {
			t.Error(err)
		}
	}
}

// TestBomb: a small file that unpacks to very much is ended.
func TestBomb(t *testing.T) {
	content := compressed(t, make([]byte, 100<<20)) // of zeros, as between tars
	_, problems, _ := samplesOf(t, put(t, filepath.Join(t.TempDir(), "x.tgz"), content))
	if len(problems) != 1 || !strings.Contains(problems[0], limits.ErrTooLarge.Error()) {
		t.Errorf("%q", problems)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.v2.jpg", "b.v2.txt", "b.jpg", "b.txt", "x/a.png", "x/a.labels.png", "x/a.json", "n.md", ".h.jpg", "x/._a.png", "c.jxl", "c.txt"} {
		put(t, filepath.Join(dir, name), []byte(name))
	}
	if err := os.Symlink(filepath.Join(dir, "b.jpg"), filepath.Join(dir, "link.jpg")); err != nil {
		t.Skip(err)
	}
	var files Files
	var left LeftOut
	var got []string
	for s, err := range GroupFolder(files.Folder(context.Background(), dir, &left), &left) {
		if err != nil {
			t.Error(err)
		}
		text := s.Key
		for role, p := range s.Parts {
			if p != None {
				text += fmt.Sprint(" ", role)
			}
		}
		got = append(got, text+s.Unread)
	}
	want := []string{"b 0 2", "b.v2 0 2", "c 2c.jxl", "link 0", "x/a 0 1 4"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := left.String(); got != "4 files left out: 1 .jxl, 1 .md, 1 hidden, 1 of macOS (._*)" {
		t.Error(got)
	}
}

func FuzzTar(f *testing.F) {
	whole := packed(f, "a.jpg", "a.txt", "x/22.0.png", "x/22.0.json", "._a", "l=->a")
	f.Add(whole)
	f.Add(slices.Concat(whole, whole))
	f.Add(compressed(f, whole))
	f.Add(whole[:len(whole)-600])
	f.Fuzz(func(t *testing.T, data []byte) {
		var files Files
		var left LeftOut
		n := 0
		for s, err := range Group(files.Tar(context.Background(), put(t, filepath.Join(t.TempDir(), "x.tar"), data), &left), &left) {
			n++
			for _, p := range s.Parts {
				if p == None || err != nil {
					continue
				}
				if _, err := files.Read(p); err != nil {
					t.Error(err)
				}
			}
		}
		if most := len(data)*limits.PackedRatio/512 + 2; n+left.Total() > most {
			t.Errorf("%d samples and %d others of %d bytes", n, left.Total(), len(data))
		}
	})
}

// FuzzGroup: of members with any names, none is lost.
func FuzzGroup(f *testing.F) {
	f.Add("a.jpg a.txt 22.0.jpg 22.0.txt a.seg.png b")
	f.Add("x.1.jpg x.1.txt x.2.jpg x.txt x.jpg x.jpg")
	f.Fuzz(func(t *testing.T, names string) {
		members := func(yield func(Member, error) bool) {
			for i, name := range strings.Fields(names) {
				if !yield(Member{name, Part{int32(i), 1, 0}}, nil) {
					return
				}
			}
		}
		for _, folder := range []bool{false, true} {
			var left LeftOut
			samples := Group(members, &left)
			if folder {
				samples = GroupFolder(members, &left)
			}
			used := 0
			for s := range samples {
				for _, p := range s.Parts {
					if p != None {
						used++
					}
				}
			}
			if all := len(strings.Fields(names)); used+left.Total() != all {
				t.Errorf("%q: %d used, %v, of %d", names, used, &left, all)
			}
		}
	})
}
