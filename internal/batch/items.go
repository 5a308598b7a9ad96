// Package batch is the bookkeeping of runs over very many photos: which there are
// (a list of paths, or tar shards), which of them one of several workers does, what
// their results are called, and what is done already, so that a run that was killed
// goes on where it was.
package batch

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/pairs"
)

// ErrList is wrapped by errors about a list of photos or a shard.
var ErrList = errors.New("bad list of photos")

// Item is a photo to do.
type Item struct {
	// Photo says which it is: a path, or SHARD/MEMBER.
	Photo string
	// Name is what its results are called, without an ending: a path with
	// slashes below the output, the same in every run and for every worker.
	Name string
	// Read returns the file's bytes.
	Read func() ([]byte, error)
}

// Part is the share of one worker: of every N photos (or shards) the one numbered
// I, counted from 0.
type Part struct{ I, N int }

// ParsePart reads "i/n", 0 ≤ i < n.
func ParsePart(s string) (Part, error) {
	a, b, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || i < 0 || n < 1 || i >= n || n > limits.Workers {
		return Part{}, fmt.Errorf("%q is no share: give i/n with 0 ≤ i < n ≤ %d, as 0/16", s, limits.Workers)
	}
	return Part{i, n}, nil
}

// has tells whether the k-th thing is this worker's.
func (p Part) has(k int) bool { return k%p.N == p.I }

// String is as [ParsePart] reads it.
func (p Part) String() string { return fmt.Sprintf("%d/%d", p.I, p.N) }

// Manifest lists the photos of a file with one path a line; empty lines are left
// out. Relative paths are seen from the working directory. An error ends the list;
// it wraps [ErrList] or is the file system's.
func Manifest(ctx context.Context, name string, part Part) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield(Item{}, err)
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, limits.PathBytes)
		names := newNames()
		k := 0 // of photos
		for number := 1; lines.Scan(); number++ {
			photo := strings.TrimSuffix(lines.Text(), "\r")
			if photo == "" {
				continue
			}
			if ctx.Err() != nil {
				yield(Item{}, ctx.Err())
				return
			}
			item, err := item(names, photo, fmt.Sprintf("line%d", number))
			if err != nil {
				yield(Item{}, fmt.Errorf("%s, line %d: %w", name, number, err))
				return
			}
			item.Read = func() ([]byte, error) { return readFile(photo) }
			if part.has(k) && !yield(item, nil) {
				return
			}
			k++
		}
		if err := lines.Err(); err != nil {
			yield(Item{}, fmt.Errorf("%s: %w: %w", name, ErrList, err))
		}
	}
}

// item names a photo.
func item(names names, photo, otherwise string) (Item, error) {
	name, err := resultName(photo)
	if err != nil {
		return Item{}, err
	}
	return Item{Photo: photo, Name: names.own(name, otherwise)}, nil
}

// Shards lists the photos of tar files and of Parquet files that hold pictures: a
// pattern with braces or stars, several joined by "::", as training data is named.
// Shards are shared among the workers, not their photos. A shard that is cut or
// missing gives an error beside an item that names it, and the list goes on with the
// next.
func Shards(ctx context.Context, pattern string, part Part) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		sources, err := pairs.Expand(pattern)
		if err != nil {
			yield(Item{}, err)
			return
		}
		names := newNames()
		for k, s := range sources {
			list, ending := shard, ".tar"
			switch {
			case s.Kind == pairs.Table && strings.EqualFold(filepath.Ext(s.Path), ".parquet"):
				list, ending = parquet, filepath.Ext(s.Path)
			case s.Kind != pairs.Shard:
				yield(Item{}, fmt.Errorf("%w: %s is neither a tar nor a Parquet file", ErrList, s.Path))
				return
			}
			// Names of shards are made unique before they are shared out.
			folder := names.own(strings.TrimSuffix(filepath.Base(s.Path), ending), fmt.Sprintf("shard%d", k))
			if part.has(k) && !list(ctx, s.Path, folder, yield) {
				return
			}
		}
	}
}

// shard lists one tar file; false ends the whole list.
func shard(ctx context.Context, name, folder string, yield func(Item, error) bool) bool {
	f, err := os.Open(name)
	if err != nil {
		return yield(Item{Photo: name}, err)
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
			return yield(Item{Photo: name}, fmt.Errorf("%s: %w: %w: its photos from here on are left out", name, ErrList, err))
		}
		if h.Typeflag != tar.TypeReg || !isPicture(h.Name) {
			continue
		}
		item, err := item(names, h.Name, fmt.Sprintf("member%d", k))
		item.Photo, item.Name = name+"/"+h.Name, path.Join(folder, item.Name)
		if err != nil {
			if !yield(item, fmt.Errorf("%s: %w", item.Photo, err)) {
				return false
			}
			continue
		}
		// The reader goes on before the photo is computed: its bytes come along.
		data, err := readMember(r, h, item.Photo)
		item.Read = func() ([]byte, error) { return data, err }
		if !yield(item, nil) {
			return false
		}
	}
}

// parquet lists one Parquet file; false ends the whole list.
func parquet(ctx context.Context, name, folder string, yield func(Item, error) bool) bool {
	names := newNames()
	k := 0
	for photo, err := range pairs.ParquetPhotos(ctx, name) {
		switch {
		case ctx.Err() != nil:
			return yield(Item{}, ctx.Err())
		case photo.Name == "":
			return yield(Item{Photo: name}, fmt.Errorf("%w: %w: its photos from here on are left out", ErrList, err))
		}
		k++
		item, nameErr := item(names, photo.Name+".photo", fmt.Sprintf("row%d", k))
		item.Photo, item.Name = name+"/"+photo.Name, path.Join(folder, item.Name)
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

// readFile reads a photo of the disk.
func readFile(photo string) ([]byte, error) {
	info, err := os.Stat(photo)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its other end, for ever
		return nil, fmt.Errorf("%s: it is no file", photo)
	}
	f, err := os.Open(photo)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkBytes(photo, info.Size()); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limits.ImageBytes))
}

func checkBytes(photo string, size int64) error {
	return limits.Check("the size in bytes", photo, size, limits.ImageBytes, "save it smaller")
}

// isPicture tells a photo among the members of a shard by its ending.
func isPicture(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif":
		return true
	}
	return false
}

// resultName makes a path below the output from any path: without the ending,
// never absolute, never above.
func resultName(photo string) (string, error) {
	if strings.ContainsRune(photo, 0) || len(photo) > limits.PathBytes {
		return "", fmt.Errorf("%w: %.80q is no path", ErrList, photo)
	}
	name := path.Clean(filepath.ToSlash(photo[len(filepath.VolumeName(photo)):]))
	name = strings.TrimLeft(strings.TrimSuffix(name, path.Ext(name)), "/")
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if p == ".." {
			parts[i] = "up"
		}
	}
	if name = strings.Join(parts, "/"); name == "" || name == "." {
		return "", fmt.Errorf("%w: %q names no file", ErrList, photo)
	}
	return name, nil
}

// names remembers which names are taken, upper and lower case as one, as on many
// file systems. It holds 16 bytes of hash for each.
type names map[[16]byte]struct{}

func newNames() names { return names{} }

func keyOf(name string) (key [16]byte) {
	sum := sha256.Sum256([]byte(name))
	return [16]byte(sum[:])
}

// own returns a name that nobody has yet: name, or name with what tells it apart.
func (n names) own(name, otherwise string) string {
	if _, taken := n[keyOf(strings.ToLower(name))]; taken {
		name += "." + otherwise
	}
	n[keyOf(strings.ToLower(name))] = struct{}{}
	return name
}
