package pairs

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

// splitName parts the name of a loose file at its last dot: unlike in shards, what
// people call their photos may have dots in it. Hidden files have no key.
func splitName(name string) (key, extension string) {
	ending := filepath.Ext(name)
	key = strings.TrimSuffix(name, ending)
	if base := filepath.Base(name); ending == "" || strings.HasPrefix(base, ".") {
		return "", ""
	}
	if stem, ok := strings.CutSuffix(name, "."+labelsExtension); ok && filepath.Base(stem) != "." {
		return filepath.ToSlash(stem), labelsExtension
	}
	return filepath.ToSlash(key), strings.ToLower(ending[1:])
}

// folderMembers lists the loose files below a folder: folder by folder, in each
// the files of one key together.
func folderMembers(ctx context.Context, root string, files *[]string) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		more := true
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil || !more:
				return fs.SkipAll
			case err != nil:
				more = yield(member{}, fmt.Errorf("%w: %w", errRead, err))
				return nil
			case !d.IsDir():
				return nil
			}
			more = oneFolder(root, name, files, yield)
			return nil
		})
		if err != nil && more {
			yield(member{}, fmt.Errorf("%w: %w", errRead, err))
		}
	}
}

// oneFolder lists the files of one folder; it returns false when there shall be no
// more.
func oneFolder(root, folder string, files *[]string, yield func(member, error) bool) bool {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return true // WalkDir meets the same error and tells it
	}
	type named struct {
		key, extension string
		entry          fs.DirEntry
	}
	var found []named
	for _, e := range entries {
		inside, _ := filepath.Rel(root, filepath.Join(folder, e.Name()))
		key, extension := splitName(inside)
		wanted := extension == "json" || extension == "txt" || extension == "text" || extension == labelsExtension || slices.Contains(pictureExtensions, extension)
		if e.Type().IsRegular() && key != "" && wanted {
			found = append(found, named{key, extension, e})
		}
	}
	// "x.k.jpg" stands between "x.jpg" and "x.txt".
	slices.SortStableFunc(found, func(a, b named) int { return strings.Compare(a.key, b.key) })
	for _, f := range found {
		path := filepath.Join(folder, f.entry.Name())
		info, err := f.entry.Info()
		switch {
		case err != nil:
			err = fmt.Errorf("%w: %w", errRead, err)
		case info.Size() > limits.ShardMember:
			err = fmt.Errorf("%w: %s has %d bytes, the limit of one file is %d", errSize, path, info.Size(), limits.ShardMember)
		}
		if err != nil {
			if !yield(member{key: f.key}, err) {
				return false
			}
			continue
		}
		*files = append(*files, path)
		if !yield(member{f.key, f.extension, part{int32(len(*files) - 1), int32(info.Size()), 0}}, nil) {
			return false
		}
	}
	return true
}
