package pairs

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ShardWriter writes samples into webdataset shards, PREFIX-000000.tar and on:
// KEY.jpg (or .png, .webp), KEY.json with captions, tags and the picture's size, and
// KEY.labels.png where a sample has a label map. Each shard appears whole or not at all. The same samples give the same
// bytes.
type ShardWriter struct {
	dir, prefix string
	size        int
	keys        map[uint64]bool
	file        *os.File
	tar         *tar.Writer
	written     int
	first       int // number of the first shard
	shards      []string
}

// NewShardWriter writes into a folder, which is made, so many samples a shard.
func NewShardWriter(dir, prefix string, size int) (*ShardWriter, error) {
	if size < 1 || prefix == "" || prefix != filepath.Base(prefix) || strings.HasPrefix(prefix, ".") {
		return nil, fmt.Errorf("%w: %d samples a shard and prefix %q: at least 1, and a name without a path", ErrOptions, size, prefix)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return &ShardWriter{dir: dir, prefix: prefix, size: size, keys: map[uint64]bool{}}, nil
}

// From makes the number of the first shard another than 0.
func (w *ShardWriter) From(number int) { w.first = number }

// stored is the JSON of a sample in a shard.
type stored struct {
	Captions []string `json:"captions"`
	Tags     []string `json:"tags,omitempty"`
	Labels   []string `json:"labels,omitempty"`
	Classes  []string `json:"label_classes,omitempty"`
	Width    int      `json:"width"`
	Height   int      `json:"height"`
}

// Add writes a sample, with its label map if it has one, whose picture is of a kind
// ("jpg") and size in pixels.
func (w *ShardWriter) Add(s *Sample, kind string, width, height int) error {
	if w.written%w.size == 0 {
		if err := w.next(); err != nil {
			return err
		}
	}
	text := stored{Captions: s.Captions, Tags: s.Tags, Width: width, Height: height}
	if s.labels != nil {
		text.Labels, text.Classes = s.labelWords, s.labelClasses
	}
	b, err := json.Marshal(text)
	if err != nil {
		return err
	}
	key := w.key(s.Key)
	w.written++
	err = errors.Join(w.member(key+"."+kind, s.Picture), w.member(key+".json", b))
	if err == nil && s.labels != nil {
		err = w.member(key+".labels.png", s.labels)
	}
	return err
}

// Written is the number of samples so far, Shards are the shards that are whole.
func (w *ShardWriter) Written() int     { return w.written }
func (w *ShardWriter) Shards() []string { return w.shards }

// longestKey leaves room for an ending in the 100 bytes of a tar's name.
const longestKey = 80

// key makes a sample's key fit for a shard: no folders, dots or other letters than
// ASCII's, and none twice.
func (w *ShardWriter) key(old string) string {
	clean := shardKey(old)
	key := clean
	for n := 2; w.keys[hash(key)]; n++ {
		key = fmt.Sprintf("%s-%d", clean, n)
	}
	w.keys[hash(key)] = true
	return key
}

// shardKey is a key without folders, dots or other letters than ASCII's.
func shardKey(old string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '/':
			return '-'
		case r <= ' ' || r > '~' || strings.ContainsRune(`.\:*?"<>|`, r):
			return '_'
		}
		return r
	}, old)
	clean = strings.TrimLeft(clean[max(0, len(clean)-longestKey):], "-_")
	if clean == "" {
		clean = "sample"
	}
	return clean
}

// next begins a shard.
func (w *ShardWriter) next() error {
	if err := w.finish(); err != nil {
		return err
	}
	f, err := os.CreateTemp(w.dir, "."+w.prefix+".tmp-")
	if err != nil {
		return err
	}
	w.file, w.tar = f, tar.NewWriter(f)
	return nil
}

// finish gives the shard its name.
func (w *ShardWriter) finish() error {
	if w.file == nil {
		return nil
	}
	temporary := w.file.Name()
	err := errors.Join(w.tar.Close(), w.file.Chmod(0o644), w.file.Sync(), w.file.Close())
	w.file, w.tar = nil, nil
	path := filepath.Join(w.dir, fmt.Sprintf("%s-%06d.tar", w.prefix, w.first+len(w.shards)))
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("write %s: %w", path, err)
	}
	w.shards = append(w.shards, path)
	return nil
}

// Close ends the last shard.
func (w *ShardWriter) Close() error { return w.finish() }

// Abort drops the shard that is not whole.
func (w *ShardWriter) Abort() {
	if w.file != nil {
		w.file.Close()
		os.Remove(w.file.Name())
		w.file = nil
	}
}

// member adds a file; no time and no owner, so that equal samples give equal
// bytes.
func (w *ShardWriter) member(name string, content []byte) error {
	header := tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := w.tar.WriteHeader(&header); err != nil {
		return err
	}
	_, err := w.tar.Write(content)
	return err
}
