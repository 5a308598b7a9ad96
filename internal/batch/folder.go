package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/shards"
)

// Folder is the photos below a root: those of folders, and single ones.
type Folder struct {
	// Root is the folder that names are relative to, an absolute path.
	Root string
	// paths are what was named: folders and files.
	paths []string
	// results reports whether a file looks like a result of an earlier run.
	results func(name string) bool
	left    *LeftOut
	// watcher is set while [Folder.Watch] lasts.
	watcher *Watcher
}

// NewFolder returns the photos of folders and files. Their root is the folder, if one
// alone is named, else the deepest that all have in common. Files for which results
// answers true are not taken for photos; they and all else that is none are counted in
// left.
func NewFolder(paths []string, results func(name string) bool, left *LeftOut) (*Folder, error) {
	f := &Folder{paths: paths, results: results, left: left}
	for _, p := range paths {
		whole, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(p); err != nil || !info.IsDir() {
			whole = filepath.Dir(whole)
		}
		f.Root = common(f.Root, whole)
	}
	return f, nil
}

// common is the deepest folder that two absolute paths have in common; "" is no path.
func common(a, b string) string {
	if a == "" {
		return b
	}
	for {
		rel, err := filepath.Rel(a, b)
		if err != nil {
			return a // another volume: its photos keep whole paths
		}
		if rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return a
		}
		a = filepath.Dir(a)
	}
}

// Items lists the photos, those of a folder in the order of their paths. A photo that
// is named twice is taken once. Results keep the tree below the root; where two photos
// have one name but for the ending, the second gets a number, the same in every run
// that goes on with the log.
//
// A folder that cannot be read gives an error beside an item that names it, and the
// list goes on.
func (f *Folder) Items(ctx context.Context, log *Log) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		w := walk{folder: f, watcher: f.watcher, log: log, seen: map[string]bool{}, names: newNames(), yield: yield}
		for _, p := range f.paths {
			if err := w.path(ctx, p); err != nil {
				if !errors.Is(err, errEnough) {
					yield(Item{}, err)
				}
				return
			}
		}
	}
}

// errEnough ends a walk whose caller wants no more.
var errEnough = errors.New("no more is wanted")

// walk is a list of photos that is being made.
type walk struct {
	folder *Folder
	// watcher gets files that are still being written; nil where none does.
	watcher *Watcher
	log     *Log
	seen    map[string]bool // by absolute path
	output  string          // folder that an earlier run wrote into, "" outside of one
	names   names
	yield   func(Item, error) bool
}

// path lists a folder or a file that was named.
func (w *walk) path(ctx context.Context, named string) error {
	if info, err := os.Stat(named); err != nil || !info.IsDir() {
		return w.photo(named) // a missing one fails when it is read
	}
	return filepath.WalkDir(asFolder(named), func(file string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			file = filepath.Clean(file)
			if !w.yield(Item{Photo: file, ID: file, Name: file}, err) {
				return errEnough
			}
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return w.enter(file, d.Name())
		}
		return w.file(file, d)
	})
}

// asFolder is the path of a folder whose files are listed where it is a link, too.
func asFolder(path string) string {
	if end := string(filepath.Separator); !strings.HasSuffix(path, end) {
		return path + end
	}
	return path
}

// isRoot reports whether a folder is one that was named.
func (f *Folder) isRoot(dir string) bool {
	return slices.ContainsFunc(f.paths, func(p string) bool { return filepath.Clean(p) == filepath.Clean(dir) })
}

// isResult reports whether a file looks like a result of an earlier run.
func (f *Folder) isResult(name string) bool { return f.results != nil && f.results(name) }

// enter decides whether photos of a folder are taken. Of one that an earlier run wrote
// into they are, but for YOLO's copies of them: the run may have written beside its
// photos.
func (w *walk) enter(dir, name string) error {
	dir = filepath.Clean(dir)
	if w.output != "" && !below(w.output, dir) {
		w.output = ""
	}
	if kind := skipped(dir, name); kind != "" && !w.folder.isRoot(dir) {
		w.folder.left.Add(kind)
		return fs.SkipDir
	}
	if isOutput(dir) {
		w.output = dir
	}
	return nil
}

// yoloPhotos is the folder of an output with the photos that lie beside YOLO's labels.
const yoloPhotos = "images"

// skipped is as what a folder below one that was named is left out; "" says that it is
// not.
func skipped(dir, name string) string {
	switch parent := filepath.Dir(dir); {
	case strings.HasPrefix(name, "."):
		return shards.KindHidden
	case name == yoloPhotos && isOutput(parent) && isFolder(filepath.Join(parent, "labels")):
		return kindResult
	}
	return ""
}

// isWritten reports whether a file of an output that is no photo is, by its name, one that
// segment writes there.
func isWritten(output, file string) bool {
	relative, err := filepath.Rel(output, file)
	if err != nil {
		return false
	}
	first, _, below := strings.Cut(filepath.ToSlash(relative), "/")
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json", ".npy", ".geojson":
		return true
	case ".txt":
		return below && first == "labels" || relative == "classes.txt"
	}
	return relative == "data.yaml"
}

// isOutput reports whether an earlier run wrote into a folder.
func isOutput(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, SettingsName))
	return err == nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// file takes a file of a folder, or counts it as left out.
func (w *walk) file(file string, d fs.DirEntry) error {
	left := w.folder.left
	switch name := d.Name(); {
	case isBook(name):
		return nil
	case w.folder.isResult(name):
		left.Add(kindResult)
		return nil
	case strings.HasPrefix(name, "."):
		left.Add(shards.KindHidden)
		return nil
	case d.Type()&fs.ModeSymlink != 0:
		return w.link(file)
	case !d.Type().IsRegular():
		left.Add(shards.KindSpecial)
		return nil
	case !imaging.IsPhoto(name) && w.output != "" && isWritten(w.output, file):
		left.Add(kindResult)
		return nil
	case !imaging.IsPhoto(name):
		left.AddFile(name)
		return nil
	}
	if info, err := d.Info(); err == nil && w.watcher.takes(file, info) {
		return nil
	}
	return w.photo(file)
}

// isBook reports whether a file is one with which runs keep their books.
func isBook(name string) bool {
	for _, begin := range []string{SettingsName, ".done", ".summary", temporary} {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}

// link takes a link to a photo elsewhere; one to a photo that is listed anyway counts
// as left out, as do links to folders, which may lead in circles.
func (w *walk) link(file string) error {
	left := w.folder.left
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		left.Add(kindFolder)
		return nil
	case !imaging.IsPhoto(file):
		left.AddFile(file)
		return nil
	case err == nil && !info.Mode().IsRegular():
		left.Add(shards.KindSpecial)
		return nil
	}
	if target, err := filepath.EvalSymlinks(file); err == nil && slices.ContainsFunc(w.folder.paths, func(p string) bool { return below(p, target) }) {
		left.Add(kindLink)
		return nil
	}
	return w.photo(file) // one that leads nowhere fails when it is read
}

// below reports whether a file lies in a folder or below it.
func below(folder, file string) bool {
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return false
	}
	a, err1 := filepath.Abs(folder)
	b, err2 := filepath.Abs(file)
	if err1 != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(a, b)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// photo hands a photo over, once.
func (w *walk) photo(file string) error {
	whole, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if w.seen[whole] {
		return nil
	}
	w.seen[whole] = true
	relative, err := filepath.Rel(w.folder.Root, whole)
	if err != nil {
		relative = whole
	}
	relative = filepath.ToSlash(relative)
	item := fileItem(file, relative, relative)
	name, err := resultName(relative)
	if err != nil {
		item.Name = relative
		if !w.yield(failed(item, err), err) {
			return errEnough
		}
		return nil
	}
	item.Name = w.name(name, item.ID)
	item.Renamed = item.Name != name
	if !w.yield(item, nil) {
		return errEnough
	}
	return nil
}

// name returns the name of a photo's results: the one that it has in the log, else the
// first of name, name-2, … that no photo has.
func (w *walk) name(name, id string) string {
	candidate := func(n int) string {
		if n == 1 {
			return name
		}
		return path.Clean(fmt.Sprintf("%s-%d", name, n))
	}
	for n := 1; w.log.owned(candidate(n)); n++ {
		if w.log.owner(candidate(n)) == keyOf(id) {
			w.names.take(candidate(n))
			return candidate(n)
		}
	}
	for n := 1; ; n++ {
		if c := candidate(n); !w.log.owned(c) && !w.names.has(c) {
			w.names.take(c)
			return c
		}
	}
}
