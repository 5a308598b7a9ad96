package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/groupvit/groupvit/internal/imaging"
)

// settle is how long a file must have stayed the same to be taken for whole. One that is
// written on after a longer pause is done again, since its stamp is another.
const settle = time.Second

// Watcher finds the photos that appear in folders, or change there, as the system reports
// them. It is not safe for concurrent use.
type Watcher struct {
	folder *Folder
	system *fsnotify.Watcher
	// growing are files that may still be written, by path.
	growing map[string]*growth
	// counted are files that are no photos and have been counted as left out.
	counted map[string]bool
}

// growth is a file's stamp, and since when it has had it.
type growth struct {
	stamp string
	since time.Time
}

// Watch begins to watch the folders that were named and those below, so that no photo
// is missed that appears while [Folder.Items] lists what is there. From then on Items
// leaves files that are still being written to the Watcher.
func (f *Folder) Watch() (*Watcher, error) {
	system, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching folders: %w", err)
	}
	w := &Watcher{folder: f, system: system, growing: map[string]*growth{}, counted: map[string]bool{}}
	for _, p := range f.paths {
		if info, err := os.Stat(p); err != nil || !info.IsDir() {
			continue
		}
		if err := w.add(p, false); err != nil {
			return nil, errors.Join(err, system.Close())
		}
	}
	f.watcher = w
	return w, nil
}

// Close ends the watch.
func (w *Watcher) Close() error {
	w.folder.watcher = nil
	return w.system.Close()
}

// add watches a folder and those below. found says that files in them are new. What
// vanishes meanwhile does not matter.
func (w *Watcher) add(root string, found bool) error {
	return filepath.WalkDir(asFolder(root), func(path string, d fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		switch {
		case err != nil:
			return nil // Items tells of folders that cannot be read
		case !d.IsDir():
			if found {
				w.note(path)
			}
			return nil
		case !w.folder.isRoot(path) && skipped(path, d.Name()) != "":
			return fs.SkipDir
		}
		err = w.system.Add(path)
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w: the system watches no more folders; on Linux, raise fs.inotify.max_user_watches", err)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("watching %s: %w", path, err)
		}
		return nil
	})
}

// note remembers a file that has appeared or changed.
func (w *Watcher) note(path string) {
	if name := filepath.Base(path); isBook(name) || strings.HasPrefix(name, ".") || w.folder.isResult(name) {
		return
	}
	w.growing[filepath.Clean(path)] = &growth{since: time.Now()}
}

// takes reports whether a file that a list comes upon is the Watcher's, since it may
// still be written.
func (w *Watcher) takes(path string, info fs.FileInfo) bool {
	if w == nil || time.Since(info.ModTime()) > settle {
		return false
	}
	w.note(path)
	return true
}

// Next waits until photos have appeared or changed, and are whole, and returns their
// paths, sorted. An error is ctx's or the system's.
func (w *Watcher) Next(ctx context.Context) ([]string, error) {
	tick := time.NewTicker(settle / 4)
	defer tick.Stop()
	for {
		look := tick.C
		if len(w.growing) == 0 {
			look = nil // sleep until something happens
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case e, open := <-w.system.Events:
			if !open {
				return nil, fsnotify.ErrClosed
			}
			if err := w.event(e); err != nil {
				return nil, err
			}
		case err := <-w.system.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return nil, fmt.Errorf("watching folders: %w", err)
			}
			for _, p := range w.folder.paths { // some events are lost: look at everything
				if err := w.add(p, true); err != nil {
					return nil, err
				}
			}
		case now := <-look:
			if whole := w.whole(now); len(whole) > 0 {
				return whole, nil
			}
		}
	}
}

func (w *Watcher) event(e fsnotify.Event) error {
	switch {
	case e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename):
		delete(w.growing, filepath.Clean(e.Name))
	case e.Has(fsnotify.Create) || e.Has(fsnotify.Write):
		info, err := os.Lstat(e.Name)
		if err != nil {
			return nil // it is gone again
		}
		if info.IsDir() {
			return w.add(e.Name, true)
		}
		w.note(e.Name)
	}
	return nil
}

// whole takes out the files that have stayed the same for long enough. Empty ones are
// forgotten: what is written into them is reported again.
func (w *Watcher) whole(now time.Time) []string {
	var list []string
	for path, g := range w.growing {
		info, err := os.Stat(path)
		switch {
		case err != nil || info.Size() == 0:
			delete(w.growing, path)
		case stamp(info) != g.stamp:
			g.stamp, g.since = stamp(info), now
		case now.Sub(g.since) >= settle:
			delete(w.growing, path)
			list = append(list, path)
		}
	}
	list = slices.DeleteFunc(list, func(path string) bool {
		if imaging.IsPhoto(path) {
			return false
		}
		if !w.counted[path] {
			w.counted[path] = true
			w.leave(path)
		}
		return true
	})
	slices.Sort(list)
	return list
}

// leave counts a file that is no photo as left out.
func (w *Watcher) leave(path string) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if isOutput(dir) && isWritten(dir, path) {
			w.folder.left.Add(kindResult)
			return
		}
		if w.folder.isRoot(dir) || dir == filepath.Dir(dir) {
			w.folder.left.AddFile(filepath.Base(path))
			return
		}
	}
}

// Items lists files that [Watcher.Next] has returned, as [Folder.Items] lists those of
// its folders.
func (w *Watcher) Items(ctx context.Context, log *Log, files []string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		walk := walk{folder: w.folder, log: log, seen: map[string]bool{}, names: newNames(), yield: yield}
		for _, file := range files {
			if ctx.Err() != nil {
				return
			}
			info, err := os.Lstat(file)
			if err != nil {
				continue // it is gone
			}
			if err := walk.file(file, fs.FileInfoToDirEntry(info)); err != nil {
				return
			}
		}
	}
}
