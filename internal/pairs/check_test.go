package pairs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Each fault is found under its name, and nothing else is.
func TestCheck(t *testing.T) {
	picture := pngOf(t, 1, 64, 48)
	captions := func(list ...string) []byte { return jsonOf(t, map[string]any{"captions": list}) }
	var files []file
	add := func(key string, picture, json []byte) {
		files = append(files, file{key + ".png", picture}, file{key + ".json", json})
	}
	add("good", picture, captions("a dog runs", "a brown dog"))
	add("undecodable", picture[:60], captions("a dog"))
	add("notutf", picture, []byte("{\"captions\":[\"caf\xe9\"]}"))
	add("control", picture, captions("a\x07 dog"))
	add("letterless", picture, captions("…!"))
	add("long", picture, captions(strings.Repeat("dog ", 100)))
	add("link", picture, captions("see https://example.com"))
	add("same", picture, captions("a dog", "a cat", "a dog"))
	add("strip", pngOf(t, 1, 200, 40), captions("a strip"))
	files = append(files, file{"lonely.png", picture}, file{"split.png", picture}, file{"between.png", picture}, file{"between.txt", []byte("a dog")}, file{"split.txt", []byte("a dog")})
	files = append(files, file{"texted.png", picture}, file{"texted.txt", []byte("a dog")}, file{"texted.json", []byte("{")})
	add("twice", picture, captions("a dog"))
	add("other", picture, captions("a dog"))
	add("twice", picture, captions("a dog"))
	x := index(t, write(t, t.TempDir(), "a.tar", shard(t, files...)))
	found := map[string]string{}
	r, err := Check(context.Background(), x, CheckOptions{}, func(f Finding) {
		note := ""
		if f.Note {
			note = "note: "
		}
		found[f.Problem.Key] += note + f.Kind + ";"
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"undecodable": "broken picture;", "notutf": "broken text;", "control": "broken text;", "letterless": "broken text;",
		"long": "note: longer than the context;", "link": "note: link or markup in it;", "same": "note: equal captions;",
		"strip": "note: very long or very small picture;", "lonely": "no caption;", "split": "no caption;no picture;",
		"twice": "key comes again;", "texted": "note: broken JSON;",
	}
	if !maps.Equal(found, want) {
		for _, key := range slices.Sorted(maps.Keys(found)) {
			if found[key] != want[key] {
				t.Errorf("%s: %q, want %q", key, found[key], want[key])
			}
		}
	}
	if r.TotalBad() != 8 || r.Good != 9 || r.Notes["equal captions"] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestDescribe(t *testing.T) {
	dir := t.TempDir()
	one := pngOf(t, 1, 40, 20)
	for name, b := range map[string][]byte{"a": one, "b": one, "c": jpegOf(t, 1, 40, 20), "d": pngOf(t, 9, 30, 60)} {
		write(t, dir, name+".jpg", b)
	}
	write(t, dir, "a.txt", []byte("A dog on the grass"))
	write(t, dir, "b.txt", []byte("A dog on the grass"))
	write(t, dir, "c.json", jsonOf(t, map[string]any{"captions": []string{"the dog's cat", "cats"}, "tags": []string{"cat"}}))
	write(t, dir, "d.txt", []byte("snow"))
	write(t, dir, "e.txt", []byte("no picture"))
	s, err := Describe(context.Background(), index(t, dir), StatsOptions{Top: 3})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case s.Samples != 4 || s.Skipped["no picture"] != 1:
		t.Errorf("samples %+v", s)
	case s.Captions != 5 || s.Distinct != 4 || s.CaptionsEach != (Spread{1, 1.25, 1, 2}) || s.Words != (Spread{1, 3, 3, 5}):
		t.Errorf("captions %+v", s)
	case s.Vocabulary != 9 || s.Vocabulary3 != 1 || s.TopWords[0] != (Count{"the", 3}): // a dog on the grass dog's cat cats snow
		t.Errorf("words %d, %d, %v", s.Vocabulary, s.Vocabulary3, s.TopWords)
	case s.Width != (Spread{30, 37.5, 40, 40}) || s.Height.Most != 60 || s.Aspect.Least != 0.5:
		t.Errorf("sizes %+v %+v %+v", s.Width, s.Height, s.Aspect)
	case s.SameBytes != 1 || s.LookAlike != 1:
		t.Errorf("duplicates %d, %d: %v", s.SameBytes, s.LookAlike, s.Examples)
	case len(s.TopCaptions) != 1 || s.TopCaptions[0] != (Count{"A dog on the grass", 2}) || s.TopTags[0] != (Count{"cat", 1}):
		t.Errorf("top captions %v, tags %v", s.TopCaptions, s.TopTags)
	case !slices.Contains(s.TopNouns, Count{"dog", 3}):
		t.Errorf("nouns %v", s.TopNouns)
	}
}
