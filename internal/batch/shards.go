package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/shards"
)

// Shards lists the photos of tar files and of Parquet files that hold pictures: a
// pattern with braces or stars, several joined by "::", as training data is named.
// Shards are shared among the workers, not their photos. A shard that is cut or
// missing gives an error beside an item that names it, and the list goes on with the
// next. Members of tars that are no photos are counted in left.
func Shards(ctx context.Context, pattern string, part Part, left *LeftOut) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		sources, err := shards.List(pattern, left)
		if err != nil {
			yield(Item{}, err)
			return
		}
		names := newNames()
		for k, s := range sources {
			list, name := (*shard).list, shards.TrimEnding(filepath.Base(s.Path))
			switch {
			case s.Kind == shards.Table && shards.IsParquet(s.Path):
				list, name = (*shard).rows, strings.TrimSuffix(name, filepath.Ext(name))
			case s.Kind != shards.Shard:
				yield(Item{}, fmt.Errorf("%w: %s is neither a tar nor a Parquet file", ErrList, s.Path))
				return
			}
			// Names of shards are made unique before they are shared out.
			folder := names.own(name, fmt.Sprintf("shard%d", k))
			if part.has(k) && !list(&shard{file: s.Path, folder: folder, left: left}, ctx, yield) {
				return
			}
		}
	}
}

// shard is a file with photos that is listed.
type shard struct {
	// file is its path, folder what its photos' results are stored below.
	file, folder string
	left         *LeftOut
}

// list hands over the photos of a tar; false ends the whole list.
func (s *shard) list(ctx context.Context, yield func(Item, error) bool) bool {
	names := newNames()
	k := -1
	for e, err := range shards.Entries(ctx, s.file, s.left) {
		if errors.Is(err, shards.ErrShard) {
			err = fmt.Errorf("%s: %w: %w: its photos from here on are left out", s.file, ErrList, err)
		}
		if err != nil {
			return yield(s.item(""), err)
		}
		k++
		if !imaging.IsPhoto(e.Header.Name) {
			s.left.AddFile(e.Header.Name)
			continue
		}
		if item, err := s.member(names, e, k); !yield(item, err) {
			return false
		}
	}
	if ctx.Err() != nil {
		return yield(Item{}, ctx.Err())
	}
	return true
}

// member is the k-th file of a tar.
func (s *shard) member(names names, e *shards.Entry, k int) (Item, error) {
	item := s.item(e.Header.Name)
	name, err := resultName(e.Header.Name)
	if err != nil {
		item.Name = path.Join(s.folder, fmt.Sprintf("member%d", k))
		return failed(item, err), fmt.Errorf("%s: %w", item.Photo, err)
	}
	item.Name = path.Join(s.folder, names.own(name, fmt.Sprintf("member%d", k)))
	item.Stamp = stamp(e.Header.FileInfo())
	// The reader goes on before the photo is computed: its bytes come along.
	data, err := readMember(e, item.Photo)
	item.Read = func() ([]byte, error) { return data, err }
	return item, nil
}

// item is that of a member, or of the whole shard for "". Its ID does not depend on
// where the shard lies: machines of a cluster see it at different places.
func (s *shard) item(member string) Item {
	base := filepath.Base(s.file)
	if member == "" {
		return Item{Photo: s.file, ID: base, Name: s.folder}
	}
	return Item{Photo: s.file + "/" + member, ID: base + "/" + member, Relative: member}
}

func readMember(e *shards.Entry, photo string) ([]byte, error) {
	if err := checkBytes(photo, e.Header.Size); err != nil {
		return nil, err
	}
	data := make([]byte, e.Header.Size)
	if _, err := io.ReadFull(e, data); err != nil {
		return nil, fmt.Errorf("%s: %w: the shard is cut: %w", photo, ErrList, err)
	}
	return data, nil
}

// rows hands over the photos of a Parquet file; false ends the whole list.
func (s *shard) rows(ctx context.Context, yield func(Item, error) bool) bool {
	names := newNames()
	whole := ""
	if info, err := os.Stat(s.file); err == nil {
		whole = stamp(info)
	}
	k := 0
	for photo, err := range pairs.ParquetPhotos(ctx, s.file) {
		switch {
		case ctx.Err() != nil:
			return yield(Item{}, ctx.Err())
		case photo.Name == "":
			return yield(s.item(""), fmt.Errorf("%w: %w: its photos from here on are left out", ErrList, err))
		}
		k++
		item := s.item(photo.Name)
		name, nameErr := resultName(photo.Name + ".photo")
		if nameErr != nil {
			name = fmt.Sprintf("row%d", k)
		}
		item.Stamp, item.Name = whole, path.Join(s.folder, names.own(name, fmt.Sprintf("row%d", k)))
		item.Read = func() ([]byte, error) {
			data, err := photo.Read()
			if err == nil {
				err = checkBytes(item.Photo, int64(len(data)))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", item.Photo, err)
			}
			return data, nil
		}
		if err = errors.Join(err, nameErr); err != nil {
			err = fmt.Errorf("%s: %w", item.Photo, err)
		}
		if !yield(item, err) {
			return false
		}
	}
	return true
}
