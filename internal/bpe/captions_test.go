package bpe

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every caption of Flickr8k against an independent tokenizer, by one hash a
// thousand captions; testdata/README.md says how the hashes were made.
func TestFlickr8kCaptions(t *testing.T) {
	root := os.Getenv("GROUPVIT_DATA")
	if root == "" {
		t.Skip("GROUPVIT_DATA names no folder with train/flickr8k-*.tar and val/flickr8k-*.tar")
	}
	fixtures, err := filepath.Glob("testdata/*.json")
	if err != nil || len(fixtures) == 0 {
		t.Fatalf("no fixture in testdata: %v", err)
	}
	for _, path := range fixtures {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var fixture struct {
			Source   string
			Captions int
			Chunks   []string
		}
		if err := json.Unmarshal(b, &fixture); err != nil {
			t.Fatal(err)
		}
		checkCaptions(t, fixture.Chunks, fixture.Captions, captionsOf(t, root))
	}
}

// chunk is the number of captions of one hash.
const chunk = 1000

func checkCaptions(t *testing.T, chunks []string, count int, captions []string) {
	t.Helper()
	if len(captions) < count {
		t.Fatalf("%d captions, the fixture has %d", len(captions), count)
	}
	n := 0
	for part := range slices.Chunk(captions[:count], chunk) {
		hash := sha256.New()
		for _, caption := range part {
			if err := binary.Write(hash, binary.LittleEndian, CLIP().Encode(caption, ClipContext)); err != nil {
				t.Fatal(err)
			}
		}
		if got := hex.EncodeToString(hash.Sum(nil)); n < len(chunks) && got != chunks[n] {
			t.Errorf("captions %d to %d differ, the first is %q", n*chunk, n*chunk+len(part)-1, part[0])
		}
		n++
	}
	if n != len(chunks) {
		t.Errorf("%d hashes for %d captions", len(chunks), count)
	}
}

// captionsOf reads the captions of the Flickr8k shards, training ones first.
func captionsOf(t *testing.T, root string) []string {
	t.Helper()
	var shards []string
	for _, pattern := range []string{"train/flickr8k-*.tar", "val/flickr8k-*.tar"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		shards = append(shards, found...)
	}
	var captions []string
	for _, path := range shards {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r := tar.NewReader(f)
		for {
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
