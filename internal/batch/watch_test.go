package batch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// paths lists the photos of a folder, relative to its root.
func paths(t *testing.T, f *Folder) []string {
	t.Helper()
	var list []string
	for item, err := range f.Items(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, item.Relative)
	}
	return list
}

// A folder that is named by a link is listed as any other.
func TestLinkedFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "real", "below"), "a.jpg")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "real"), link); err != nil {
		t.Skip(err)
	}
	for _, named := range []string{link, link + string(filepath.Separator), filepath.Join(dir, "real")} {
		f, err := NewFolder([]string{named}, nil, &LeftOut{})
		if err != nil {
			t.Fatal(err)
		}
		if got := paths(t, f); !slices.Equal(got, []string{"below/a.jpg"}) {
			t.Errorf("%s: %v", named, got)
		}
	}
}

func put(t *testing.T, dir, name string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, name), []byte("photo"), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// A file that is new stays with the watcher until it is whole, with a time of the future
// too; results, hidden files, empty ones and YOLO's copies are not photos.
func TestWatcher(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "old.jpg")
	put(t, filepath.Join(dir, "out"), SettingsName)
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "old.jpg"), hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "new.jpg")
	var left LeftOut
	f, err := NewFolder([]string{dir}, func(name string) bool { return name == "x.mask.png" }, &left)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.Watch()
	if err != nil {
		t.Skip(err)
	}
	defer w.Close()
	if got := paths(t, f); !slices.Equal(got, []string{"old.jpg"}) {
		t.Errorf("listed at first: %v", got)
	}
	put(t, dir, "future.jpg")
	tomorrow := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "future.jpg"), tomorrow, tomorrow); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a", "b"), "deep.jpg")
	put(t, dir, ".hidden.jpg")
	put(t, dir, "x.mask.png")
	put(t, filepath.Join(dir, "out", "labels"), "y.txt")
	put(t, filepath.Join(dir, "out", "images"), "y.jpg")
	if err := os.WriteFile(filepath.Join(dir, "empty.jpg"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got []string
	for len(got) < 3 {
		files, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("%v, after %v", err, got)
		}
		for item, err := range w.Items(ctx, nil, files) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, item.Name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"a/b/deep", "future", "new"}) {
		t.Errorf("appeared: %v", got)
	}
	short, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	if files, err := w.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("more: %v, %v", files, err)
	}
}
