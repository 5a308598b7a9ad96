package tagger

import (
	"archive/tar"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// nltk is testdata/nltk.json; testdata/README.md says where it comes from.
type nltk struct {
	Every     int
	Nouns     [][]string
	Sentences []struct {
		Text   string
		Tagged []string
	}
}

func readNLTK(t *testing.T) (fixture nltk) {
	t.Helper()
	b, err := os.ReadFile("testdata/nltk.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &fixture); err != nil {
		t.Fatal(err)
	}
	return fixture
}

func TestSentencesAsNLTK(t *testing.T) {
	for _, s := range readNLTK(t).Sentences {
		words := tokenise(s.Text)
		got := make([]string, len(words))
		for i, tag := range perceptronOnce().tag(words) {
			got[i] = words[i] + "/" + tag
		}
		if !slices.Equal(got, s.Tagged) {
			t.Errorf("%s:\ngot  %q\nNLTK %q", s.Text, got, s.Tagged)
		}
	}
}

// The package's documentation states what this test finds: all 1,000 agree.
func TestCaptionsAsNLTK(t *testing.T) {
	root := os.Getenv("GROUPVIT_DATA")
	if root == "" {
		t.Skip("GROUPVIT_DATA names no folder with train/flickr8k-*.tar")
	}
	fixture := readNLTK(t)
	captions := captionsOf(t, root)
	agree := 0
	for i, want := range fixture.Nouns {
		caption := captions[i*fixture.Every]
		if got := New().Nouns(caption); slices.Equal(got, want) {
			agree++
		} else {
			t.Errorf("%s: got %q, NLTK %q", caption, got, want)
		}
	}
	t.Logf("%d of %d captions have the same words", agree, len(fixture.Nouns))
}

func captionsOf(t *testing.T, root string) (captions []string) {
	t.Helper()
	shards, err := filepath.Glob(filepath.Join(root, "train/flickr8k-*.tar"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(shards)
	for _, path := range shards {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for r := tar.NewReader(f); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(h.Name, ".json") {
				continue
			}
			var sample struct{ Captions []string }
			if err := json.NewDecoder(r).Decode(&sample); err != nil {
				t.Fatal(err)
			}
			captions = append(captions, sample.Captions...)
		}
	}
	return captions
}
