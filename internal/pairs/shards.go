package pairs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Why a sample is not used. The texts are the keys of [Report.Skipped].
var (
	errNoPicture = errors.New("no picture")
	errNoCaption = errors.New("no caption")
	errPicture   = errors.New("broken picture")
	errJSON      = errors.New("broken JSON")
	errSize      = errors.New("larger than the limit")
	errShard     = errors.New("broken or cut shard")
	errRead      = errors.New("not readable")
	errTable     = errors.New("broken table")
)

// part is where one file of a sample lies.
type part struct {
	file   int32 // place in the index's files; −1 where the sample has no such file
	size   int32
	offset int64
}

// entry is a sample: where its files lie.
type entry struct {
	key                         string
	picture, json, text, labels part
}

// none is an entry's missing file.
var none = part{file: -1}

// inlineFile stands for a part that lies in the index itself.
const inlineFile = -2

// pictureExtensions are the pictures that are read, the first that a sample has.
var pictureExtensions = []string{"jpg", "jpeg", "png", "webp"}

// member is one file as a shard or folder lists it.
type member struct {
	key, extension string
	part
}

// scan lists the samples of a source without reading pictures. Errors come
// beside an empty or partial entry, say why a sample cannot be used, and do not
// end the listing by themselves.
func (x *Index) scan(ctx context.Context, s Source, o TableOptions) iter.Seq2[entry, error] {
	switch s.Kind {
	case Folder:
		return group(folderMembers(ctx, s.Path, &x.files))
	case Table:
		return x.tableEntries(ctx, s.Path, o)
	}
	x.files = append(x.files, s.Path)
	return group(tarMembers(ctx, s.Path, int32(len(x.files)-1)))
}

// group joins adjacent files with one key.
func group(members iter.Seq2[member, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		var (
			e       entry
			rank    int // of the picture's extension
			total   int64
			started bool
			broken  string // key of a sample with a broken file
		)
		done := func() bool {
			if !started {
				return true
			}
			started = false
			switch {
			case total > limits.SampleBytes:
				return yield(e, fmt.Errorf("%w: %d bytes, the limit is %d", errSize, total, limits.SampleBytes))
			case e.picture == none:
				return yield(e, errNoPicture)
			case e.json == none && e.text == none:
				return yield(e, errNoCaption)
			}
			return yield(e, nil)
		}
		for m, err := range members {
			if err != nil {
				// What came before is whole, unless the broken file
				// belongs to it.
				if m.key == "" || m.key != e.key {
					if !done() {
						return
					}
				}
				started, broken = false, m.key
				if !yield(entry{key: m.key}, err) {
					return
				}
				continue
			}
			if m.key == broken {
				continue
			}
			if !started || m.key != e.key {
				broken = ""
				if !done() {
					return
				}
				e, rank, total, started = entry{m.key, none, none, none, none}, len(pictureExtensions), 0, true
			}
			total += int64(m.size)
			switch m.extension {
			case "json":
				e.json = m.part
			case "txt", "text":
				e.text = m.part
			case labelsExtension:
				e.labels = m.part
			default:
				if r := slices.Index(pictureExtensions, m.extension); r >= 0 && r < rank {
					e.picture, rank = m.part, r
				}
			}
		}
		done()
	}
}

// splitKey parts a name at the first dot after the last slash, as webdataset
// does. Hidden files have no key.
func splitKey(name string) (key, extension string) {
	dir, base := path.Split(strings.TrimPrefix(name, "./"))
	stem, extension, ok := strings.Cut(base, ".")
	if !ok || stem == "" {
		return "", ""
	}
	return dir + stem, strings.ToLower(extension)
}

// tarMembers lists the files of a tar shard.
func tarMembers(ctx context.Context, name string, file int32) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		fail := func(key string, reason error, err error) {
			yield(member{key: key}, fmt.Errorf("%w: %w", reason, err))
		}
		f, err := os.Open(name)
		if err != nil {
			fail("", errRead, err)
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			fail("", errRead, err)
			return
		}
		r := tar.NewReader(f)
		last := ""
		for ctx.Err() == nil {
			header, err := r.Next()
			if err == io.EOF {
				if !endMarked(f, info.Size()) {
					fail("", errShard, fmt.Errorf("it ends at byte %d without the mark of a tar's end", info.Size()))
				}
				return
			}
			if err != nil {
				fail("", errShard, err)
				return
			}
			key, extension := splitKey(header.Name)
			if header.Typeflag != tar.TypeReg || key == "" {
				continue
			}
			last = key
			offset, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				fail(last, errRead, err)
				return
			}
			m := member{key, extension, part{file, int32(min(header.Size, limits.ShardMember+1)), offset}}
			switch {
			case header.Size > limits.ShardMember:
				if !yield(m, fmt.Errorf("%w: %s has %d bytes, the limit of one file is %d", errSize, header.Name, header.Size, limits.ShardMember)) {
					return
				}
			case offset+header.Size > info.Size():
				fail(last, errShard, fmt.Errorf("it ends at byte %d, inside %s, which ends at %d", info.Size(), header.Name, offset+header.Size))
				return
			default:
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// endMarked says whether a tar ends with a block of zeros, as every tar does
// that was written to its end.
func endMarked(r io.ReaderAt, size int64) bool {
	var block [512]byte
	if size < int64(len(block)) {
		return false
	}
	if _, err := r.ReadAt(block[:], size-int64(len(block))); err != nil {
		return false
	}
	return block == [512]byte{}
}
