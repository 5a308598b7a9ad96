package shards

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Folder lists the loose files below a folder of which samples consist (see
// [GroupFolder]): folder by folder, in each the files of one key together. Others, and
// links to folders, are counted in left.
func (f *Files) Folder(ctx context.Context, root string, left *LeftOut) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		more := true
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil || !more:
				return fs.SkipAll
			case err != nil:
				more = yield(Member{Part: None}, fmt.Errorf("%w: %w", ErrRead, err))
				return nil
			case !d.IsDir():
				return nil
			}
			more = f.oneFolder(root, name, left, yield)
			return nil
		})
		if err != nil && more {
			yield(Member{Part: None}, fmt.Errorf("%w: %w", ErrRead, err))
		}
	}
}

// looseFile is a file of a folder that a sample may consist of.
type looseFile struct {
	key, inside string // inside is its path below the root, with slashes
	path        string
	entry       fs.DirEntry
}

// oneFolder lists the files of one folder; it returns false when there shall be no
// more.
func (f *Files) oneFolder(root, folder string, left *LeftOut, yield func(Member, error) bool) bool {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return true // WalkDir meets the same error and tells it
	}
	var found []looseFile
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		inside, err := filepath.Rel(root, path)
		if err != nil || e.IsDir() {
			continue
		}
		inside = filepath.ToSlash(inside)
		key, _ := splitName(inside)
		switch {
		case !isRegular(path, e):
			left.Add(KindSpecial)
		case key == "" || !wanted(inside) && !unread(inside):
			left.AddFile(inside)
		default:
			found = append(found, looseFile{key, inside, path, e})
		}
	}
	// "x.k.jpg" stands between "x.jpg" and "x.txt".
	slices.SortStableFunc(found, func(a, b looseFile) int { return strings.Compare(a.key, b.key) })
	for _, l := range found {
		m := Member{l.inside, None}
		size, err := l.size()
		if err == nil {
			m.Part = Part{f.Add(l.path), int32(size), 0}
		}
		if !yield(m, err) {
			return false
		}
	}
	return true
}

// isRegular reports whether a file is a regular one, or a link to one.
func isRegular(path string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// size is that of the file, in bytes.
func (l *looseFile) size() (int64, error) {
	info, err := os.Stat(l.path)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: %w", ErrRead, err)
	case info.Size() > limits.ShardMember:
		return 0, fmt.Errorf("%w: %s has %d bytes, the limit of one file is %d", ErrSize, l.path, info.Size(), limits.ShardMember)
	}
	return info.Size(), nil
}
