package pairs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/shards"
)

// Why a sample is not used. The texts are the keys of [Report.Skipped].
var (
	errNoPicture = errors.New("no picture")
	errNoCaption = errors.New("no caption")
	ErrPicture   = errors.New("broken picture")
	errJSON      = errors.New("broken JSON")
	errSize      = shards.ErrSize
	errShard     = shards.ErrShard
	errRead      = shards.ErrRead
	errTable     = errors.New("broken table")
)

// What of a sample is not used although the sample is. The texts are the keys of
// [Index.LeftOut].
var (
	errUnusedJSON   = errors.New("broken JSON beside a .txt")
	errUnusedTexts  = errors.New("tags or classes beyond the limit of one sample")
	errUnusedValues = errors.New("value in a list of texts that is no text")

	unusedKinds = []error{errUnusedJSON, errUnusedTexts, errUnusedValues}
)

// leaveUnused counts what of sample i is not used, the first time that it is read.
func (x *Index) leaveUnused(i int, s *Sample) {
	if len(s.unused) == 0 {
		return
	}
	if _, again := x.counted.LoadOrStore(x.first(i), true); again {
		return
	}
	for _, kind := range unusedKinds {
		if slices.ContainsFunc(s.unused, func(err error) bool { return errors.Is(err, kind) }) {
			x.left.AddPart(kind.Error())
		}
	}
}

// part is where one file of a sample lies.
type part = shards.Part

// none is an entry's missing file.
var none = shards.None

// inlineFile stands for a part that lies in the index itself.
const inlineFile = -2

// entry is a sample: where its files lie.
type entry struct {
	key                         string
	picture, json, text, labels part
}

// ErrSources is wrapped by every error about sources that cannot be read at all.
var ErrSources = shards.ErrSources

// Source is one shard, one folder of loose files or one table.
type Source = shards.Source

// The kinds of sources.
const (
	Shard  = shards.Shard
	Folder = shards.Folder
	Table  = shards.Table
)

// Expand lists what a sources text names; see [shards.List].
func Expand(sources string) ([]Source, error) { return shards.Expand(sources) }

// Parts is the number of parts of a sources text.
func Parts(sources string) int { return shards.Parts(sources) }

// scan lists the samples of a source without reading pictures. Errors come
// beside an empty or partial entry, say why a sample cannot be used, and do not
// end the listing by themselves.
func (x *Index) scan(ctx context.Context, s Source, o TableOptions) iter.Seq2[entry, error] {
	switch s.Kind {
	case Folder:
		return x.entriesOf(shards.GroupFolder(x.files.Folder(ctx, s.Path, &x.left), &x.left))
	case Table:
		return x.tableEntries(ctx, s.Path, o)
	}
	return x.entriesOf(shards.Group(x.files.Tar(ctx, s.Path, &x.left), &x.left))
}

// entriesOf says of samples of files which can be used.
func (x *Index) entriesOf(samples iter.Seq2[shards.Sample, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for s, err := range samples {
			e := entry{s.Key, s.Parts[shards.Picture], s.Parts[shards.JSON], s.Parts[shards.Text], s.Parts[shards.Labels]}
			if s.Parts[shards.Class] != none {
				x.left.Add(".cls")
			}
			switch {
			case err != nil:
			case s.Bytes > limits.SampleBytes:
				err = fmt.Errorf("%w: %d bytes, the limit is %d", errSize, s.Bytes, limits.SampleBytes)
			case e.picture == none && s.Unread != "":
				kind, mend, _ := imaging.Unread(s.Unread)
				err = fmt.Errorf("%w: %s is not read: %s", errNoPicture, kind, mend)
			case e.picture == none:
				err = errNoPicture
			case e.json == none && e.text == none:
				err = errNoCaption
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
