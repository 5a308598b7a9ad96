package batch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"

	"github.com/groupvit/groupvit/internal/shards"
)

// A manifest may begin with a byte order mark, be UTF-16, end its lines in any way and
// come on stdin; a bad line does not end it.
func TestManifestKinds(t *testing.T) {
	utf16 := func(order unicode.Endianness) string {
		s, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String("a.jpg\r\né/b.jpg\r\n")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, text := range map[string]string{
		"plain": "a.jpg\né/b.jpg\n", "UTF-8 mark": "\ufeffa.jpg\né/b.jpg", "UTF-16 little": utf16(unicode.LittleEndian), "UTF-16 big": utf16(unicode.BigEndian),
		"Windows": "a.jpg\r\n\r\né/b.jpg\r\n", "old Mac": "a.jpg\r\ré/b.jpg",
	} {
		for from, stdin := range map[string]string{listOf(t, text): "", StdinName: text} {
			var photos []string
			for item, err := range Manifest(context.Background(), from, strings.NewReader(stdin), Part{0, 1}) {
				if err != nil {
					t.Error(name, err)
				}
				photos = append(photos, item.Photo+" "+item.Name)
			}
			if want := []string{"a.jpg a", "é/b.jpg é/b"}; !slices.Equal(photos, want) {
				t.Errorf("%s, from %s: %q, want %q", name, from, photos, want)
			}
		}
	}
	var good []string
	bad := 0
	for item, err := range Manifest(context.Background(), listOf(t, "a.jpg", "x\x00.jpg", ".jpg", strings.Repeat("y", 10_000), "b.jpg"), nil, Part{0, 1}) {
		if err != nil {
			bad++
			if item.Photo == "" || !errors.Is(err, ErrList) || !strings.Contains(err.Error(), "line ") || len(err.Error()) > 400 {
				t.Errorf("%.50q: %.500v", item.Photo, err)
			}
			continue
		}
		good = append(good, item.Name)
	}
	if bad != 3 || !slices.Equal(good, []string{"a", "b"}) {
		t.Errorf("%d bad lines, %v", bad, good)
	}
}

func touch(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := os.MkdirAll(filepath.Dir(n), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(n, []byte("data of "+n), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// items are the names that photos of folders get, by their path below the root.
func items(t *testing.T, f *Folder, log *Log) map[string]string {
	t.Helper()
	all := map[string]string{}
	for item, err := range f.Items(context.Background(), log) {
		if err != nil {
			t.Error(err)
		}
		all[item.Relative] = item.Name
	}
	return all
}

func sameNames(t *testing.T, got, want map[string]string) {
	t.Helper()
	for photo, name := range want {
		if got[photo] != name {
			t.Errorf("%s: %q, want %q", photo, got[photo], name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Names that differ in case alone, or in how Unicode writes a letter, are one on some
// file systems: the second photo's results get a name of their own.
func TestNamesOfOneFile(t *testing.T) {
	dir := t.TempDir()
	composed, accent := "caf\u00e9", "cafe\u0301"
	touch(t, filepath.Join(dir, composed+".jpg"), filepath.Join(dir, accent+".png"), filepath.Join(dir, "A.jpg"), filepath.Join(dir, "a.png"))
	f, err := NewFolder([]string{dir}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sameNames(t, items(t, f, nil), map[string]string{"A.jpg": "A", "a.png": "a-2", accent + ".png": accent, composed + ".jpg": composed + "-2"})
}

// Folders keep their tree, and count what they leave out.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	touch(t, in("p/a.jpg"), in("p/a.PNG"), in("p/x/a.jpg"), in("p/x/b.jxl"), in("p/c.jxl"), in("p/c.psd"), in("p/noending"), in("p/.hidden.jpg"),
		in("p/.cache/d.jpg"), in("p/a.mask.png"), in("p/done/"+SettingsName), in("p/done/e.jpg"), in("p/done/e.txt"),
		in("p/done/labels/e.txt"), in("p/done/images/e.jpg"), in("p/later/images/g.jpg"), in("p/later/labels/g.txt"), in("elsewhere/f.jpg"))
	links := 0
	for name, to := range map[string]string{"p/here.jpg": "p/a.jpg", "p/there.jpg": "elsewhere/f.jpg", "p/folder": "elsewhere"} {
		if os.Symlink(in(to), in(name)) == nil {
			links++
		}
	}
	left := &LeftOut{}
	f, err := NewFolder([]string{in("p"), in("p/x/a.jpg")}, func(name string) bool { return strings.HasSuffix(name, ".mask.png") }, left)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a.PNG": "a", "a.jpg": "a-2", "x/a.jpg": "x/a", "done/e.jpg": "done/e", "later/images/g.jpg": "later/images/g"}
	kinds := map[string]int{".jxl": 2, ".psd": 1, shards.KindEnding: 1, shards.KindHidden: 2, kindResult: 3, ".txt": 2}
	if links == 3 {
		want["there.jpg"] = "there"
		kinds[kindLink], kinds[kindFolder] = 1, 1
	}
	sameNames(t, items(t, f, nil), want)
	if got := left.Kinds(); len(got) != len(kinds) {
		t.Errorf("%v, want %v", got, kinds)
	} else {
		for k, n := range kinds {
			if got[k] != n {
				t.Errorf("%s: %d, want %d", k, got[k], n)
			}
		}
	}
	if s := left.String(); !strings.HasPrefix(s, "13 files left out: 3 ") || !strings.Contains(s, "2 .jxl") || !strings.Contains(s, "1 .psd") {
		t.Error(s)
	}
	if b, err := json.Marshal(left); err != nil || !bytes.Contains(b, []byte(`".jxl":2`)) {
		t.Errorf("%s, %v", b, err)
	}
	// Several folders keep their own names.
	two, err := NewFolder([]string{in("p/x"), in("elsewhere")}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sameNames(t, items(t, two, nil), map[string]string{"p/x/a.jpg": "p/x/a", "elsewhere/f.jpg": "elsewhere/f"})
}

// A photo keeps its name when another that comes before it is put beside it; one that
// has changed, and one whose name is another's, are known.
func TestNamesLast(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	b := filepath.Join(dir, "p", "a.png")
	touch(t, b)
	folder := func() *Folder {
		f, err := NewFolder([]string{filepath.Join(dir, "p")}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	l, err := OpenLog(log, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for item := range folder().Items(context.Background(), l) {
		if err := l.Add(RecordOf(item)); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	touch(t, filepath.Join(dir, "p", "a.jpg"))
	if l, err = OpenLog(log, nil, false); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sameNames(t, items(t, folder(), l), map[string]string{"a.jpg": "a-2", "a.png": "a"})
	states := map[string]State{}
	for item := range folder().Items(context.Background(), l) {
		states[item.ID] = l.State(item)
	}
	if states["a.jpg"] != New || states["a.png"] != Done {
		t.Errorf("%v", states)
	}
	if err := os.Chtimes(b, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for item := range folder().Items(context.Background(), l) {
		if item.ID == "a.png" && l.State(item) != Changed {
			t.Error("a photo that has changed is not noticed")
		}
	}
	if s := l.State(Item{ID: "other.png", Name: "A"}); s != Taken {
		t.Errorf("another photo of the name: %v", s)
	}
}

// Names that are no UTF-8 are known again.
func TestNamesOfBytes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, err := OpenLog(name, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	a, b := Item{Photo: "a\xe9.jpg", ID: "a\xe9.jpg", Name: "a\xe9"}, Item{Photo: "a\xe8.jpg", ID: "a\xe8.jpg", Name: "a\xe8"}
	if err := l.Add(RecordOf(a)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if l, err = OpenLog(name, nil, false); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.State(a) != Done || l.State(b) != New {
		t.Errorf("%v, %v", l.State(a), l.State(b))
	}
}

// An output remembers its settings, for all its workers; others are refused by name.
func TestRemember(t *testing.T) {
	dir := t.TempDir()
	file, log := filepath.Join(dir, SettingsName), filepath.Join(dir, "log")
	first := Settings{{"labels", "cat, wall"}, {"model", "ab"}}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := Remember(file, first, false); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	l, err := OpenLog(log, first, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	second := Settings{{"labels", "wall, cat"}, {"model", "ab"}, {"format", "mask"}}
	err = Remember(file, second, false)
	if !errors.Is(err, ErrOtherSettings) || !strings.Contains(err.Error(), `labels: "cat, wall" before, "wall, cat" now; format: none before, "mask" now`) || strings.Contains(err.Error(), "model") {
		t.Error(err)
	}
	if _, err := OpenLog(log, second, false); !errors.Is(err, ErrOtherSettings) {
		t.Error(err)
	}
	if err := Remember(file, second, true); err != nil {
		t.Error(err)
	}
	if l, err = OpenLog(log, second, true); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Remember(file, first, false); !errors.Is(err, ErrOtherSettings) {
		t.Error(err)
	}
	touch(t, file)
	if err := Remember(file, first, false); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), SettingsName) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".groupvit-*")); len(left) > 0 {
		t.Error(left)
	}
	// A log of a version that did not remember.
	if err := os.WriteFile(log, []byte(`{"photo":"a.jpg","name":"a"}`+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(log, first, false); !errors.Is(err, ErrOtherSettings) {
		t.Error(err)
	}
}

// TestShardKinds: compressed shards, several in one file, and what macOS adds.
func TestShardKinds(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"._a.jpg", "a.jpg", "b.png", "b.txt"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 1, Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	twice := append(bytes.Clone(b.Bytes()), b.Bytes()...)
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	if _, err := g.Write(twice); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"s.tar": twice, "s.tar.gz": z.Bytes(), "s.tgz": z.Bytes()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		left := &LeftOut{}
		var names []string
		for item, err := range Shards(context.Background(), path, Part{0, 1}, left) {
			data, readErr := item.Read()
			if err != nil || readErr != nil || string(data) != "x" {
				t.Errorf("%s: %s: %q, %v, %v", name, item.Name, data, err, readErr)
			}
			names = append(names, item.Name)
		}
		if want := []string{"s/a", "s/b", "s/a.member3", "s/b.member4"}; !slices.Equal(names, want) || left.String() != "4 files left out: 2 .txt, 2 of macOS (._*)" {
			t.Errorf("%s: %q, %v, want %q", name, names, left, want)
		}
	}
}
