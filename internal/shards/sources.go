package shards

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// ErrSources is wrapped by every error about sources that cannot be read at all.
var ErrSources = errors.New("bad data sources")

// Kind is what a source is.
type Kind int

// The kinds of sources.
const (
	Shard  Kind = iota // a tar, as webdataset has them, or one that gzip compressed
	Folder             // a folder of loose files
	Table              // a CSV, TSV or Parquet file with pictures or their paths
)

// Source is one shard, one folder of loose files or one table.
type Source struct {
	// Path is where it is.
	Path string
	// Kind says how it is read.
	Kind Kind
	// Part is the part of the sources text that named it, from 0.
	Part int
}

// Parts is the number of parts of a sources text.
func Parts(sources string) int { return strings.Count(sources, Separator) + 1 }

// Separator parts the parts of a sources text.
const Separator = "::"

// tableExtensions are the endings of tables.
var tableExtensions = []string{".csv", ".tsv", ".parquet"}

// Expand is [List] without the count of what is left out.
func Expand(sources string) ([]Source, error) { return List(sources, nil) }

// List lists what a sources text names, in its order. Parts are joined by
// "::"; each part is
//
//   - a shard: "train/gcc-000001.tar"
//   - shards with a range or choices: "train/gcc-{000000..000436}.tar",
//     "{train,more}/a.tar"; leading zeros set the width
//   - a pattern: "train/*.tar"
//   - a folder of shards or of Parquet files: all its *.tar (and *.tar.gz, *.tgz),
//     else all its *.parquet, by name
//   - a folder of loose files: pictures with .txt or .json beside them, in
//     folders below it too
//   - a table: "train.csv", "train.tsv" or "train.parquet", a picture or its path a
//     row; see [TableOptions]
//
// A source that is named several times is read as often, which weighs it. A
// missing file is an error that names it. Files of folders that are no sources
// beside those that are, and hidden ones, are counted in left.
func List(sources string, left *LeftOut) ([]Source, error) {
	var found []Source
	for number, part := range strings.Split(sources, Separator) {
		part = strings.TrimSpace(part)
		if part == "" {
			return nil, fmt.Errorf("%w: %q has an empty part: parts are joined by one \"::\"", ErrSources, sources)
		}
		paths := []string{part}
		if _, err := os.Stat(part); err != nil { // a name may have braces in it
			if paths, err = expandBraces(part); err != nil {
				return nil, err
			}
		}
		for _, path := range paths {
			more, err := expandPath(path, left)
			if err != nil {
				return nil, err
			}
			for _, s := range more {
				s.Part = number
				found = append(found, s)
			}
		}
		if err := limits.Check("the number of shards", sources, int64(len(found)), limits.Shards, "name fewer, larger shards"); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// expandPath lists the sources at one path without braces.
func expandPath(path string, left *LeftOut) ([]Source, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return expandFolder(path, left)
	case err == nil && slices.Contains(tableExtensions, strings.ToLower(filepath.Ext(path))):
		return []Source{{Path: path, Kind: Table}}, nil
	case err == nil:
		return []Source{{Path: path}}, nil
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?["):
		matches, err := filepath.Glob(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSources, path, err)
		}
		if len(matches) == 0 {
			return nil, fmt.Errorf("%w: %s: no file is named so", ErrSources, path)
		}
		slices.Sort(matches)
		var found []Source
		for _, m := range matches {
			more, err := expandPath(m, left)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
		return found, nil
	}
	return nil, fmt.Errorf("%w: shard or folder: %w", ErrSources, err)
}

// expandFolder lists a folder's shards, else its Parquet files; or, where it has
// neither, the folder itself or the shards or Parquet files below it.
func expandFolder(path string, left *LeftOut) ([]Source, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSources, err)
	}
	var shards, tables []Source
	folders := map[string]bool{}
	for _, e := range entries {
		folders[e.Name()] = e.IsDir()
	}
	for _, e := range entries {
		name := e.Name()
		kind, ok := sourceKind(name)
		switch {
		case e.IsDir() || !ok:
		case kind == Shard:
			shards = append(shards, Source{Path: filepath.Join(path, name)})
		case !folders[strings.TrimSuffix(name, filepath.Ext(name))]: // else img2dataset's list of a folder
			tables = append(tables, Source{Path: filepath.Join(path, name), Kind: Table})
		}
	}
	taken := shards
	if len(taken) == 0 {
		taken = tables
	}
	if len(taken) > 0 {
		for _, s := range taken {
			folders[filepath.Base(s.Path)] = true // used
		}
		for _, e := range entries {
			if !folders[e.Name()] {
				left.AddFile(e.Name())
			}
		}
		return taken, nil
	}
	return expandTree(path, left)
}

// endings are those of shards.
var endings = []string{".tar", ".tar.gz", ".tgz"}

// TrimEnding returns the name of a shard without ".tar", ".tar.gz" or ".tgz".
func TrimEnding(name string) string {
	for _, ending := range endings {
		if n := len(name) - len(ending); n > 0 && strings.EqualFold(name[n:], ending) {
			return name[:n]
		}
	}
	return name
}

// IsParquet reports whether a file is called as Parquet files are.
func IsParquet(path string) bool { return strings.EqualFold(filepath.Ext(path), ".parquet") }

// sourceKind tells shards and Parquet files in a folder by their names.
func sourceKind(name string) (Kind, bool) {
	switch {
	case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"):
		return 0, false
	case TrimEnding(name) != name:
		return Shard, true
	case IsParquet(name):
		return Table, true
	}
	return 0, false
}

// expandTree lists the Parquet files below a folder that has no picture in it or
// below, as programs lay out those that are parted by a column ("year=2020/…"), else
// the folder itself.
func expandTree(root string, left *LeftOut) ([]Source, error) {
	var tables []Source
	loose := false
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch kind, ok := sourceKind(d.Name()); {
		case err != nil || d.IsDir():
			return nil // told where the folder is read
		case imaging.IsPhoto(d.Name()):
			loose = true
			return fs.SkipAll
		case ok && kind == Table:
			tables = append(tables, Source{Path: path, Kind: Table})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSources, err)
	}
	if loose || len(tables) == 0 {
		return []Source{{Path: root, Kind: Folder}}, nil
	}
	return tables, nil
}

// expandBraces replaces the first {a..b} or {a,b} by each of its values, and
// the further ones in turn.
func expandBraces(text string) ([]string, error) {
	open := strings.IndexByte(text, '{')
	if open < 0 {
		return []string{text}, nil
	}
	length := strings.IndexByte(text[open:], '}')
	if length < 0 {
		return nil, fmt.Errorf("%w: %q: the brace at byte %d is not closed", ErrSources, text, open)
	}
	values, err := braceValues(text[open+1 : open+length])
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrSources, text, err)
	}
	rest, err := expandBraces(text[open+length+1:])
	if err != nil {
		return nil, err
	}
	if err := limits.Check("the number of shards", text, int64(len(values))*int64(len(rest)), limits.Shards, "write a smaller range"); err != nil {
		return nil, err
	}
	var all []string
	for _, v := range values {
		for _, r := range rest {
			all = append(all, text[:open]+v+r)
		}
	}
	return all, nil
}

func braceValues(inside string) ([]string, error) {
	low, high, ok := strings.Cut(inside, "..")
	if !ok {
		if !strings.Contains(inside, ",") {
			return nil, fmt.Errorf("{%s}: write a range {0000..0003} or choices {a,b}", inside)
		}
		return strings.Split(inside, ","), nil
	}
	from, err1 := strconv.ParseUint(low, 10, 40)
	to, err2 := strconv.ParseUint(high, 10, 40)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("{%s}: a range is two whole numbers, as in {0000..0003}", inside)
	}
	if from > to {
		return nil, fmt.Errorf("{%s}: the range runs backwards", inside)
	}
	if err := limits.Check("the number of shards", "{"+inside+"}", int64(to-from)+1, limits.Shards, "write a smaller range"); err != nil {
		return nil, err
	}
	width := 0
	if low[0] == '0' && len(low) > 1 || high[0] == '0' && len(high) > 1 {
		width = max(len(low), len(high))
	}
	values := make([]string, 0, to-from+1)
	for n := from; n <= to; n++ {
		values = append(values, fmt.Sprintf("%0*d", width, n))
	}
	return values, nil
}
