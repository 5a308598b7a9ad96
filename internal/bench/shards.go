package bench

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// ClassShards is a benchmark of classification in webdataset shards.
type ClassShards struct {
	classes []vocab.Class
	samples []shardPhoto
}

// shardPhoto is where a photo lies and its class.
type shardPhoto struct {
	shard, key   string
	offset, size int64
	class        int
}

// ClassShardOptions say which shards to read.
type ClassShardOptions struct {
	// Shards are paths or patterns (*, ?), parted by "::".
	Shards string
	// ClassesFile names the classes in the order of their numbers, one a line,
	// synonyms after commas; "" is ImageNet's 1000 for numbers, and for tags and
	// texts those that occur.
	ClassesFile string
	// Limit reads only so many photos, at even steps; 0 is all.
	Limit int
}

// maxLabelBytes bounds the file beside a photo that says its class.
const maxLabelBytes = 1 << 20

// OpenClassShards lists the photos of shards. The class of KEY.jpg is the number in
// KEY.cls, else the first of "tags" in KEY.json, else the text of KEY.txt.
func OpenClassShards(o ClassShardOptions) (*ClassShards, error) {
	paths, err := shardPaths(o.Shards)
	if err != nil {
		return nil, err
	}
	var found []labelled
	for _, p := range paths {
		list, err := scanShard(p)
		if err != nil {
			return nil, fmt.Errorf("%w: shard %s: %w", ErrLayout, p, err)
		}
		found = append(found, list...)
		if err := limits.Check("the number of photos", o.Shards, int64(len(found)), limits.DatasetPhotos, "use fewer shards"); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s: no photo with a class: KEY.jpg needs KEY.cls, tags in KEY.json, or KEY.txt beside it", ErrLayout, o.Shards)
	}
	s := &ClassShards{}
	if s.classes, err = shardClasses(o.ClassesFile, found); err != nil {
		return nil, err
	}
	if err := s.number(found); err != nil {
		return nil, err
	}
	s.samples, err = evenly(s.samples, o.Limit)
	return s, err
}

func shardPaths(shards string) ([]string, error) {
	var list []string
	for _, part := range strings.Split(shards, "::") {
		found, err := filepath.Glob(part)
		if err != nil {
			return nil, fmt.Errorf("%w: %w: %s: %w", ErrLayout, ErrUsage, part, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%w: %s matches no shard", ErrLayout, part)
		}
		list = append(list, found...)
	}
	return list, nil
}

// labelled is a photo of a shard and what its class is called: a number or a name.
type labelled struct {
	shardPhoto
	number int // −1 for none
	name   string
}

// scanShard lists the photos of a shard that have a class. Members of a sample
// follow each other.
func scanShard(shard string) ([]labelled, error) {
	f, err := os.Open(shard)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []labelled
	var now labelled
	var rank int
	finish := func() {
		if now.key != "" && now.size > 0 && rank > 0 {
			list = append(list, now)
		}
	}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			finish()
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		key, ending, _ := strings.Cut(path.Base(h.Name), ".")
		key, ending = path.Join(path.Dir(h.Name), key), strings.ToLower(ending)
		if key != now.key {
			finish()
			now, rank = labelled{shardPhoto: shardPhoto{shard: shard, key: key}, number: -1}, 0
		}
		if slices.Contains(photoEndings, "."+ending) {
			at, err := f.Seek(0, io.SeekCurrent) // the reader takes whole headers and no more
			if err != nil {
				return nil, err
			}
			now.offset, now.size = at, h.Size
			continue
		}
		// The best of what says the class: number, tags, text.
		if better := map[string]int{"cls": 3, "json": 2, "txt": 1}[ending]; better > rank && h.Size <= maxLabelBytes {
			text, err := io.ReadAll(r)
			if err != nil {
				return nil, err
			}
			if now.label(ending, text) {
				rank = better
			}
		}
	}
}

// label takes the class from a file beside the photo, if it says one.
func (l *labelled) label(ending string, text []byte) bool {
	switch ending {
	case "cls":
		n, err := strconv.Atoi(string(bytes.TrimSpace(text)))
		l.number = n
		return err == nil && n >= 0
	case "json":
		var fields struct {
			Tags []string `json:"tags"`
		}
		if json.Unmarshal(text, &fields) != nil || len(fields.Tags) == 0 {
			return false
		}
		l.name = strings.TrimSpace(fields.Tags[0])
	default:
		l.name = strings.TrimSpace(string(text))
	}
	return l.name != "" && len(l.name) <= limits.LabelBytes
}

// shardClasses are those of a file, ImageNet's, or those that occur, sorted.
func shardClasses(file string, found []labelled) ([]vocab.Class, error) {
	if file != "" {
		text, err := readCapped(file, 2*limits.Classes*limits.LabelBytes)
		if err != nil {
			return nil, err
		}
		var classes []vocab.Class
		for line := range strings.Lines(strings.TrimPrefix(string(text), "\uFEFF")) {
			if line = strings.TrimSpace(line); line != "" {
				classes = append(classes, trimmed(strings.Split(line, ",")))
			}
		}
		if err := checkClasses(classes); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrLayout, file, err)
		}
		return classes, nil
	}
	seen := map[string]bool{}
	for _, l := range found {
		if l.number >= 0 {
			_, names := vocab.ImageNet()
			return vocabOf(names), nil
		}
		seen[l.name] = true
	}
	var names []string
	for n := range seen {
		names = append(names, n)
	}
	slices.Sort(names)
	classes := vocabOf(names)
	return classes, checkClasses(classes)
}

func vocabOf(names []string) []vocab.Class {
	classes := make([]vocab.Class, len(names))
	for i, n := range names {
		classes[i].Name = n
	}
	return classes
}

// number gives the photos the numbers of their classes.
func (s *ClassShards) number(found []labelled) error {
	byName := map[string]int{}
	for i, c := range s.classes {
		for _, n := range c.Names() {
			if _, ok := byName[strings.ToLower(n)]; !ok {
				byName[strings.ToLower(n)] = i
			}
		}
	}
	for _, l := range found {
		l.class = l.number
		if l.number < 0 {
			class, ok := byName[strings.ToLower(l.name)]
			if !ok {
				return fmt.Errorf("%w: %s: %s is a %.80q, which is not among the %d classes", ErrSample, l.shard, l.key, l.name, len(s.classes))
			}
			l.class = class
		}
		if l.class >= len(s.classes) {
			return fmt.Errorf("%w: %s: %s has class %d, there are %d, from 0: name them with a file of classes", ErrSample, l.shard, l.key, l.class, len(s.classes))
		}
		s.samples = append(s.samples, l.shardPhoto)
	}
	return nil
}

// Len is the number of photos.
func (s *ClassShards) Len() int { return len(s.samples) }

// List are the classes.
func (s *ClassShards) List() []vocab.Class { return s.classes }

// Photo reads photo i; class is the number of its class, id its shard and key.
func (s *ClassShards) Photo(i int) (photo *imaging.Image, class int, id string, err error) {
	p := s.samples[i]
	id = p.shard + ": " + p.key
	f, err := os.Open(p.shard)
	if err != nil {
		return nil, p.class, id, err
	}
	defer f.Close()
	photo, err = imaging.Decode(io.NewSectionReader(f, p.offset, p.size), imaging.Options{Name: id})
	if err != nil {
		err = fmt.Errorf("%w: photo %w", ErrSample, err)
	}
	return photo, p.class, id, err
}
