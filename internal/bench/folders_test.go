package bench

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/vocab"
)

func TestOpenFolders(t *testing.T) {
	root := files{
		"n02/deep/b.png": photo(2, 2), "n02/a.JPG": photo(2, 2), "n02/notes.txt": nil, "polar_bear/c.png": photo(3, 1),
		".hidden/d.png": photo(1, 1), "loose.png": photo(1, 1), "classes.txt": []byte("# names\n\nn02: house cat, cat\nnowhere: nothing\n"),
	}.write(t)
	f, err := OpenFolders(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Classes) != 2 || strings.Join(f.Classes[0].Names(), "|") != "house cat|cat" || f.Classes[1].Name != "polar bear" {
		t.Errorf("%+v", f.Classes)
	}
	want := []LabelledPhoto{{"n02/a.JPG", 0}, {"n02/deep/b.png", 0}, {"polar_bear/c.png", 1}}
	if len(f.Photos) != len(want) {
		t.Fatalf("%+v", f.Photos)
	}
	for i, w := range want {
		if f.Photos[i] != (LabelledPhoto{filepath.Join(root, filepath.FromSlash(w.Path)), w.Class}) {
			t.Errorf("photo %d is %+v", i, f.Photos[i])
		}
	}
	if im, err := f.Load(2); err != nil || im.Width != 3 {
		t.Error(im, err)
	}
	if f, err = OpenFolders(root, Options{Limit: 1}); err != nil || len(f.Photos) != 1 {
		t.Error(f, err)
	}
}

func TestBadFolders(t *testing.T) {
	two := files{"a/1.png": photo(1, 1), "b/1.png": photo(1, 1)}
	for _, test := range []struct {
		name    string
		files   files
		options Options
		want    error
		says    string
	}{
		{"nothing", files{}, Options{}, ErrLayout, "at least 2"},
		{"one class", files{"a/1.png": photo(1, 1)}, Options{}, ErrLayout, "at least 2"},
		{"empty folder", two.with("c/readme.txt", []byte("x")), Options{}, ErrLayout, "no photo"},
		{"same name", two.with("classes.txt", []byte("a: B")), Options{}, vocab.ErrLabels, "once"},
		{"bad line", two.with("classes.txt", []byte("a: A\nb")), Options{}, ErrLayout, "line 2"},
		{"no name", two.with("classes.txt", []byte("a: ,A")), Options{}, ErrLayout, "line 1"},
		{"limit", two, Options{Limit: -1}, ErrUsage, "limit"},
	} {
		_, err := OpenFolders(test.files.write(t), test.options)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error is %v, want %v that says %q", test.name, err, test.want, test.says)
		}
	}
	if _, err := OpenFolders(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), "root folder") {
		t.Error(err)
	}
	f, err := OpenFolders(two.with("b/1.png", []byte("no photo")).write(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(1); !errors.Is(err, ErrSample) {
		t.Error(err)
	}
}
