package pairs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

func TestExpandBraces(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"a.tar", "a.tar"},
		{"a{0..2}.tar", "a0.tar a1.tar a2.tar"},
		{"a{0008..0011}.tar", "a0008.tar a0009.tar a0010.tar a0011.tar"},
		{"a{8..10}", "a8 a9 a10"},
		{"{x,y}/{1..2}", "x/1 x/2 y/1 y/2"},
		{"a{7..7}", "a7"},
	} {
		got, err := expandBraces(c.text)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v", c.text, got, err)
		}
	}
	for _, text := range []string{"a{0..", "a{2..1}", "a{b..c}", "a{}", "a{x}", "a{1..-2}", "a{0..99999999}", "a{0..1048575}{0..9}", "{999999999999999999999..1}"} {
		if got, err := expandBraces(text); err == nil {
			t.Errorf("%s: %d paths and no error", text, len(got))
		}
	}
	if _, err := expandBraces("a{0..99999999}"); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("a range of 100 million: %v", err)
	}
}

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a0.tar", "a1.tar", "b/x.tar", "b/y.tar", "b/note.txt", "b/.hidden.tar", "loose/p.jpg", "odd{name.tar"} {
		write(t, dir, name, nil)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct{ sources, want string }{
		{at("a0.tar"), "a0.tar"},
		{at("a{0..1}.tar"), "a0.tar a1.tar"},
		{at("a1.tar") + "::" + at("a0.tar"), "a1.tar a0.tar"},
		{at("a0.tar") + " :: " + at("a0.tar"), "a0.tar a0.tar"},
		{at("b"), "b/x.tar b/y.tar"},
		{at("*.tar"), "a0.tar a1.tar odd{name.tar"},
		{at("loose"), "loose/"},
		{at("{a0.tar,b,loose}"), "a0.tar b/x.tar b/y.tar loose/"},
	} {
		found, err := Expand(c.sources)
		if err != nil {
			t.Errorf("%s: %v", c.sources, err)
			continue
		}
		var got []string
		for _, s := range found {
			name, _ := filepath.Rel(dir, s.Path)
			if s.Kind == Folder {
				name += "/"
			}
			got = append(got, filepath.ToSlash(name))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %s", c.sources, got, c.want)
		}
	}
	for _, sources := range []string{"", "::", at("a0.tar") + "::", at("missing.tar"), at("a{0..2}.tar"), at("m*.tar"), at("[")} {
		_, err := Expand(sources)
		if !errors.Is(err, ErrSources) {
			t.Errorf("%q: %v", sources, err)
		}
	}
	if _, err := Expand(at("a{0..2}.tar")); err == nil || !strings.Contains(err.Error(), "a2.tar") {
		t.Errorf("the missing shard is not named: %v", err)
	}
}

func TestSplitKey(t *testing.T) {
	for _, c := range []struct{ name, key, extension string }{
		{"a.jpg", "a", "jpg"},
		{"./a.JPG", "a", "jpg"},
		{"dir.d/a.seg.png", "dir.d/a", "seg.png"},
		{"a", "", ""},
		{".hidden.jpg", "", ""},
		{"dir/.jpg", "", ""},
		{"", "", ""},
	} {
		if key, extension := splitKey(c.name); key != c.key || extension != c.extension {
			t.Errorf("%s: %q, %q", c.name, key, extension)
		}
	}
}

func TestIndex(t *testing.T) {
	dir := t.TempDir()
	picture := jpegOf(t, 1, 8, 8)
	path := write(t, dir, "a.tar", shard(t,
		file{"text.jpg", picture}, file{"text.txt", []byte(" a dog \n")},
		file{"list.json", jsonOf(t, map[string]any{"captions": []string{"one", " ", "two"}, "tags": []string{"bird", "duck"}})}, file{"list.jpeg", picture},
		file{"both.png", pngOf(t, 2, 4, 4)}, file{"both.json", jsonOf(t, map[string]any{"width": 4})}, file{"both.txt", []byte("from text")},
		file{"single.json", jsonOf(t, map[string]any{"caption": "img2dataset", "status": "success"})}, file{"single.webp", picture},
		file{"brokenjson.json", []byte("{")}, file{"brokenjson.txt", []byte("text instead")}, file{"brokenjson.jpg", picture},
		file{"two.png", pngOf(t, 3, 4, 4)}, file{"two.jpg", picture}, file{"two.txt", []byte("jpg goes first")},
	))
	x, err := OpenIndex(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Problems()) != 0 {
		t.Fatalf("problems: %v", x.Problems())
	}
	var got []string
	for s, err := range x.Samples(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Key+": "+strings.Join(s.Captions, "|")+" "+strings.Join(s.Tags, "|"))
		if s.Key == "two" && !slices.Equal(s.Picture, picture) {
			t.Error("the JPEG is not taken first")
		}
		if s.Source != path {
			t.Errorf("source %s", s.Source)
		}
	}
	want := []string{"text: a dog ", "list: one|two bird|duck", "both: from text ", "single: img2dataset ", "brokenjson: text instead ", "two: jpg goes first "}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestIndexFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "one.jpg", jpegOf(t, 1, 8, 8))
	write(t, dir, "one.txt", []byte("a dog"))
	write(t, dir, "below/two.png", pngOf(t, 2, 8, 8))
	write(t, dir, "below/two.json", jsonOf(t, map[string]any{"captions": []string{"a cat"}}))
	write(t, dir, "below/alone.png", pngOf(t, 2, 8, 8))
	write(t, dir, "README.md", nil)
	x, err := OpenIndex(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for s, err := range x.Samples(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Decode(); err != nil {
			t.Error(err)
		}
		got = append(got, s.Key)
	}
	if !slices.Equal(got, []string{"one", "below/two"}) {
		t.Errorf("got %q", got)
	}
	if len(x.Problems()) != 1 || !errors.Is(x.Problems()[0].Err, errNoCaption) {
		t.Errorf("problems: %v", x.Problems())
	}
	// A file that goes away is an error beside its sample, not the end.
	if err := os.Remove(filepath.Join(dir, "below/two.json")); err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	for s, err := range x.Samples(context.Background()) {
		switch {
		case err == nil:
			good++
		case s.Key == "below/two" && errors.Is(err, errRead):
			bad++
		}
	}
	if good != 1 || bad != 1 {
		t.Errorf("%d good, %d bad", good, bad)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := OpenIndex(cancelled, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, err := range x.Samples(cancelled) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

func FuzzExpandBraces(f *testing.F) {
	for _, text := range []string{"a{0..3}.tar", "{a,b}{00..11}", "}{", "{..}", "{0..}", "{1..1,2}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 {
			return
		}
		paths, err := expandBraces(text)
		switch {
		case err != nil && !errors.Is(err, ErrSources) && !errors.Is(err, limits.ErrTooLarge):
			t.Error(err)
		case err == nil && (len(paths) == 0 || len(paths) > limits.Shards):
			t.Errorf("%d paths", len(paths))
		}
	})
}
