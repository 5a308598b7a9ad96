package batch

import (
	"archive/tar"
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
)

// Shards lists the photos of tar files and of Parquet files that hold pictures: a
// pattern with braces or stars, several joined by "::", as training data is named.
// Shards are shared among the workers, not their photos. A shard that is cut or
// missing gives an error beside an item that names it, and the list goes on with the
// next. Members of tars that are no photos are counted in left.
func Shards(ctx context.Context, pattern string, part Part, left *LeftOut) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		sources, err := pairs.Expand(pattern)
		if err != nil {
			yield(Item{}, err)
			return
		}
		names := newNames()
		for k, s := range sources {
			list, ending := (*shard).list, ".tar"
			switch {
			case s.Kind == pairs.Table && strings.EqualFold(filepath.Ext(s.Path), ".parquet"):
				list, ending = (*shard).rows, filepath.Ext(s.Path)
			case s.Kind != pairs.Shard:
				yield(Item{}, fmt.Errorf("%w: %s is neither a tar nor a Parquet file", ErrList, s.Path))
				return
			}
			// Names of shards are made unique before they are shared out.
			folder := names.own(strings.TrimSuffix(filepath.Base(s.Path), ending), fmt.Sprintf("shard%d", k))
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
	f, err := os.Open(s.file)
	if err != nil {
		return yield(s.item(""), err)
	}
	defer f.Close()
	names := newNames()
	for r, k := tar.NewReader(f), 0; ; k++ {
		if ctx.Err() != nil {
			return yield(Item{}, ctx.Err())
		}
		h, err := r.Next()
		if err == io.EOF {
			return true
		}
		if err != nil {
			return yield(s.item(""), fmt.Errorf("%s: %w: %w: its photos from here on are left out", s.file, ErrList, err))
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			s.left.Add(kindSpecial)
			continue
		}
		if !imaging.IsPhoto(h.Name) {
			s.left.addFile(h.Name)
			continue
		}
		item := s.item(h.Name)
		name, err := resultName(h.Name)
		if err != nil {
			item.Name = path.Join(s.folder, fmt.Sprintf("member%d", k))
			if !yield(failed(item, err), fmt.Errorf("%s: %w", item.Photo, err)) {
				return false
			}
			continue
		}
		item.Name = path.Join(s.folder, names.own(name, fmt.Sprintf("member%d", k)))
		item.Stamp = stamp(h.FileInfo())
		// The reader goes on before the photo is computed: its bytes come along.
		data, err := readMember(r, h, item.Photo)
		item.Read = func() ([]byte, error) { return data, err }
		if !yield(item, nil) {
			return false
		}
	}
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

func readMember(r io.Reader, h *tar.Header, photo string) ([]byte, error) {
	if err := checkBytes(photo, h.Size); err != nil {
		return nil, err
	}
	data := make([]byte, h.Size)
	if _, err := io.ReadFull(r, data); err != nil {
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
