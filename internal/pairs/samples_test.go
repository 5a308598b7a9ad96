package pairs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
