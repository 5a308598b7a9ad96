package shards

import (
	"errors"
	"path/filepath"
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
	for _, name := range []string{"a0.tar", "a1.tar", "b/x.tar", "b/y.tar", "b/note.txt", "b/.hidden.tar", "z/1.tar.gz", "z/2.tgz", "z/x.parquet", "loose/p.jpg", "odd{name.tar"} {
		put(t, filepath.Join(dir, name), nil)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct{ sources, want string }{
		{at("a0.tar"), "a0.tar"},
		{at("a{0..1}.tar"), "a0.tar a1.tar"},
		{at("a1.tar") + "::" + at("a0.tar"), "a1.tar a0.tar"},
		{at("a0.tar") + " :: " + at("a0.tar"), "a0.tar a0.tar"},
		{at("b"), "b/x.tar b/y.tar"},
		{at("z"), "z/1.tar.gz z/2.tgz"},
		{at("odd{name.tar"), "odd{name.tar"},
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
	var left LeftOut
	if _, err := List(at("b"), &left); err != nil || left.String() != "2 files left out: 1 .txt, 1 hidden" {
		t.Errorf("%v, %v", &left, err)
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
