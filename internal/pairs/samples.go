package pairs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/parquetio"
	"github.com/groupvit/groupvit/internal/shards"
	"github.com/groupvit/groupvit/internal/textio"
)

// Index knows where every sample of some sources lies. It holds no pictures.
type Index struct {
	files    shards.Files
	entries  []entry
	starts   []int  // index of each source's first entry
	parts    []int  // part of the sources text of each source
	inline   []byte // what tables say of their pictures, as JSON
	problems []Problem
	left     shards.LeftOut
	counted  sync.Map // first indices of samples of which left counts something
	// tables are the files that hold pictures in columns, pages what was read of
	// them last.
	tables map[int32]*pictureTable
	pages  *parquetio.Cache
	// firsts are, where a source is named several times, the index of each sample's
	// first entry; nil where each is its own.
	firsts []int32
}

// Problem is a sample that cannot be used, and why.
type Problem struct {
	// Key is the sample's key, "" where it is not known.
	Key string
	// Source is the shard or folder.
	Source string
	// Err is what is wrong with it.
	Err error
}

// String is the problem in one line.
func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("%s: %v", p.Source, p.Err)
	}
	return fmt.Sprintf("%s: %s: %v", p.Source, p.Key, p.Err)
}

// OpenIndex lists the samples of sources (see [Expand]). Samples that cannot be
// used are among [Index.Problems]. A missing source is an error, and so is it
// when no sample at all is left.
func OpenIndex(ctx context.Context, sources string) (*Index, error) {
	return OpenIndexWith(ctx, sources, TableOptions{})
}

// OpenIndexWith is [OpenIndex] with options for the tables among the sources.
func OpenIndexWith(ctx context.Context, sources string, o TableOptions) (*Index, error) {
	x := &Index{}
	list, err := shards.List(sources, &x.left)
	if err != nil {
		return nil, err
	}
	listed := map[string][2]int{} // first and last entry by path
	for _, s := range list {
		first := len(x.entries)
		x.starts, x.parts = append(x.starts, first), append(x.parts, s.Part)
		if again, ok := listed[s.Path]; ok {
			x.repeat(again[0], again[1])
			continue
		}
		for e, err := range x.scan(ctx, s, o) {
			if err != nil {
				x.problems = append(x.problems, Problem{e.key, s.Path, err})
				continue
			}
			x.entries = append(x.entries, e)
		}
		listed[s.Path] = [2]int{first, len(x.entries)}
		if x.firsts != nil {
			x.firsts = append(x.firsts, upTo(first, len(x.entries))...)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if len(x.entries) == 0 {
		if len(x.problems) > 0 {
			if len(x.problems) == 1 {
				return nil, fmt.Errorf("%w: %s: no sample can be used: %s", ErrSources, sources, x.problems[0])
			}
			return nil, fmt.Errorf("%w: %s: none of %d samples can be used; the first problem: %s", ErrSources, sources, len(x.problems), x.problems[0])
		}
		return nil, fmt.Errorf("%w: %s: there is no sample in it: a sample is a picture (%s) and, beside it, a caption in .txt or .json%s", ErrSources, sources, strings.Join(imaging.Extensions(), ", "), after("; ", x.left.String()))
	}
	return x, nil
}

// repeat lists the entries from first to last once more.
func (x *Index) repeat(first, last int) {
	if x.firsts == nil {
		x.firsts = upTo(0, len(x.entries))
	}
	x.firsts = append(x.firsts, x.firsts[first:last]...)
	x.entries = append(x.entries, x.entries[first:last]...)
}

func upTo(first, last int) []int32 {
	list := make([]int32, 0, last-first)
	for i := first; i < last; i++ {
		list = append(list, int32(i))
	}
	return list
}

// first returns the index of the first entry of sample i.
func (x *Index) first(i int) int {
	if x.firsts == nil {
		return i
	}
	return int(x.firsts[i])
}

// Len returns the number of samples; one that is named twice counts twice.
func (x *Index) Len() int { return len(x.entries) }

// Key returns a sample's key.
func (x *Index) Key(i int) string { return x.entries[i].key }

// Source returns the file that holds a sample's picture.
func (x *Index) Source(i int) string { return x.files.Path(x.entries[i].picture.File) }

// Fingerprint tells sets of samples apart: by number, order, keys and sizes of
// files, not by where they lie. Equal ones are almost surely the same data.
func (x *Index) Fingerprint() string {
	h := sha256.New()
	for _, e := range x.entries {
		fmt.Fprintf(h, "%q %d %d %d\n", e.key, e.picture.Size, e.json.Size, e.text.Size)
		if e.labels != none {
			fmt.Fprintf(h, "labels %d\n", e.labels.Size)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(x.tables)) {
		fmt.Fprintf(h, "%x\n", x.tables[file].file.Sum())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// LeftOut counts the files among the sources that are no part of any sample, by what
// they are, columns of tables that are not used and, of the samples that were read
// (with [Index.Sample] or [Index.Text]), what in their files is not used.
func (x *Index) LeftOut() *shards.LeftOut { return &x.left }

// Problems returns the samples that listing found unusable.
func (x *Index) Problems() []Problem { return x.problems }

// Sample is one picture with its captions, as stored.
type Sample struct {
	// Key and Source say which it is.
	Key, Source string
	// Captions are its captions, at least one, none of them empty.
	Captions []string
	// Tags are class names, general first, where the data set has them: its
	// captions are then made from these.
	Tags []string
	// unused says what of the sample cannot be used, although the sample is.
	unused []error
	// Picture is the encoded picture.
	Picture []byte
	// labels is the encoded label map, nil without one, with the words of its
	// values and the only words that it tells apart.
	labels                   []byte
	labelWords, labelClasses []string
}

// Decode decodes the sample's picture.
func (s *Sample) Decode() (*Image, error) {
	return decode(s.Picture)
}

// Sample reads a sample; the error says why it cannot be used.
func (x *Index) Sample(i int) (*Sample, error) {
	s, err := x.text(i)
	if err != nil {
		return nil, err
	}
	return s, x.readImages(s, i)
}

// readImages reads a sample's picture and its label map.
func (x *Index) readImages(s *Sample, i int) (err error) {
	e := x.entries[i]
	if s.Picture, err = x.picture(i); err == nil && e.labels != none {
		s.labels, err = x.read(e.labels)
	}
	return err
}

// Text reads what a sample says, without its picture.
func (x *Index) Text(i int) (*Sample, error) { return x.text(i) }

// Samples yields all samples in order. An error comes beside a sample of which
// only Key and Source are known, and does not end the sequence.
func (x *Index) Samples(ctx context.Context) iter.Seq2[*Sample, error] {
	return func(yield func(*Sample, error) bool) {
		for i := range x.entries {
			if err := ctx.Err(); err != nil {
				yield(&Sample{}, err)
				return
			}
			s, err := x.Sample(i)
			if err != nil {
				s = &Sample{Key: x.Key(i), Source: x.Source(i)}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// text reads what a sample says, without its picture.
func (x *Index) text(i int) (*Sample, error) {
	e := x.entries[i]
	s := &Sample{Key: e.key, Source: x.Source(i)}
	var others []string
	if e.json != none {
		b, err := x.read(e.json)
		if err != nil {
			return nil, err
		}
		if others, err = s.parse(b); err != nil {
			if e.text == none {
				return nil, err
			}
			s.unused = append(s.unused, fmt.Errorf("%w: %w", errUnusedJSON, err))
		}
	}
	if len(s.Captions) == 0 && e.text != none {
		b, err := x.read(e.text)
		if err != nil {
			return nil, err
		}
		s.add(string(textio.Decode(b)))
	}
	if len(s.Captions) == 0 {
		if err := s.addAll(others); err != nil {
			return nil, err
		}
	}
	if len(s.Captions) == 0 {
		return nil, errNoCaption
	}
	x.leaveUnused(i, s)
	return s, nil
}

// add adds a caption unless it is empty. What is beyond the cap on captions
// would be cut from its tokens anyway.
func (s *Sample) add(caption string) {
	caption = caption[:min(len(caption), limits.CaptionBytes)]
	caption = strings.TrimSpace(strings.ToValidUTF8(strings.TrimPrefix(caption, "\uFEFF"), "\uFFFD"))
	if caption != "" {
		s.Captions = append(s.Captions, caption)
	}
}

// read reads one file of a sample.
func (x *Index) read(p part) ([]byte, error) {
	if p.File == inlineFile {
		return x.inline[p.Offset:][:p.Size], nil
	}
	return x.files.Read(p)
}

// after is a text behind a mark, "" where there is none.
func after(mark, text string) string {
	if text == "" {
		return ""
	}
	return mark + text
}
