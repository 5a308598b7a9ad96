package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/shards"
	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/internal/vocab"
)

// ClassShards is a benchmark of classification in webdataset shards.
type ClassShards struct {
	classes []vocab.Class
	samples []shardPhoto
	files   shards.Files
	left    shards.LeftOut
	unnamed int
	broken  []error
}

// shardPhoto is where a photo lies and its class.
type shardPhoto struct {
	shard, key string
	part       shards.Part
	class      int
}

// ClassShardOptions say which shards to read.
type ClassShardOptions struct {
	// Shards are what training takes of tar shards: paths, patterns with braces and
	// stars and folders, joined by "::"; see [shards.List].
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
	s := &ClassShards{}
	sources, err := shards.List(o.Shards, &s.left)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	var found []labelled
	for _, source := range sources {
		if source.Kind != shards.Shard {
			return nil, fmt.Errorf("%w: %w: %s is no tar shard (for a folder of folders use --dataset imagefolder)", ErrLayout, ErrUsage, source.Path)
		}
		list, err := s.scan(source.Path)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
		if err := limits.Check("the number of photos", o.Shards, int64(len(found)), limits.DatasetPhotos, "use fewer shards"); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("%w: %s: no photo with a class: KEY.jpg needs KEY.cls, tags in KEY.json, or KEY.txt beside it", ErrLayout, o.Shards), errors.Join(s.broken...))
	}
	if s.classes, err = shardClasses(o.ClassesFile, found); err != nil {
		return nil, err
	}
	if err := s.number(found); err != nil {
		return nil, err
	}
	s.samples, err = evenly(s.samples, o.Limit)
	return s, err
}

// labelled is a photo of a shard and what its class is called: a number or a name.
type labelled struct {
	shardPhoto
	number int // −1 for none
	name   string
}

// scan lists the photos of a shard that have a class; those that have none are
// counted, and what is broken is kept for [ClassShards.Skipped].
func (s *ClassShards) scan(shard string) ([]labelled, error) {
	var list []labelled
	for sample, err := range shards.Group(s.files.Tar(context.Background(), shard, &s.left), &s.left) {
		if err != nil {
			if errors.Is(err, shards.ErrRead) {
				return nil, fmt.Errorf("%w: shard %s: %w", ErrLayout, shard, err)
			}
			s.broken = append(s.broken, fmt.Errorf("%s: %s: %w", shard, sample.Key, err))
			continue
		}
		if sample.Parts[shards.Labels] != shards.None {
			s.left.Add(".labels.png")
		}
		l := labelled{shardPhoto: shardPhoto{shard: shard, key: sample.Key, part: sample.Parts[shards.Picture]}, number: -1}
		named, err := s.label(&l, sample)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: shard %s: %w", ErrLayout, shard, err)
		case l.part == shards.None || !named:
			s.unnamed++
		default:
			list = append(list, l)
		}
	}
	return list, nil
}

// Skipped says what of the shards is not measured: photos without a class or classes
// without a photo, what is broken, and files that are no part of a sample; "" where
// all is.
func (s *ClassShards) Skipped() string {
	var parts []string
	if s.unnamed > 0 {
		parts = append(parts, fmt.Sprintf("samples without a photo or a class: %d", s.unnamed))
	}
	if n := len(s.broken); n > 0 {
		parts = append(parts, fmt.Sprintf("broken: %d, the first: %v", n, s.broken[0]))
	}
	if left := s.left.String(); left != "" {
		parts = append(parts, left)
	}
	return strings.Join(parts, "; ")
}

// classFiles are the files that may say the class, the best first: number, tags, text.
var classFiles = []struct {
	role   shards.Role
	ending string
}{{shards.Class, "cls"}, {shards.JSON, "json"}, {shards.Text, "txt"}}

// label finds the class of a sample and reports whether there is one.
func (s *ClassShards) label(l *labelled, sample shards.Sample) (bool, error) {
	for _, c := range classFiles {
		p := sample.Parts[c.role]
		if p == shards.None || p.Size > maxLabelBytes {
			continue
		}
		text, err := s.files.Read(p)
		if err != nil {
			return false, err
		}
		if l.label(c.ending, text) {
			return true, nil
		}
	}
	return false, nil
}

// label takes the class from a file beside the photo, if it says one.
func (l *labelled) label(ending string, text []byte) bool {
	switch ending {
	case "cls":
		n, err := strconv.Atoi(string(bytes.TrimSpace(textio.Decode(text))))
		if err != nil || n < 0 {
			return false
		}
		l.number = n
		return true
	case "json":
		var fields struct {
			Tags []string `json:"tags"`
		}
		if textio.UnmarshalJSON(text, &fields) != nil || len(fields.Tags) == 0 {
			return false
		}
		l.name = strings.TrimSpace(fields.Tags[0])
	default:
		l.name = strings.TrimSpace(string(textio.Decode(text)))
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
	encoded, err := s.files.Read(p.part)
	if err == nil {
		photo, err = imaging.DecodeBytes(encoded, imaging.Options{Name: id})
	}
	if err != nil {
		err = fmt.Errorf("%w: photo %w", ErrSample, err)
	}
	return photo, p.class, id, err
}
