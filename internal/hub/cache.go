package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Cache is the folder of models, shared with the Hub's other clients.
type Cache struct {
	// Dir is the folder that holds "models--OWNER--NAME".
	Dir string
}

// DefaultCache is where the Hub's own clients cache: HF_HUB_CACHE, else
// HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else
// ~/.cache/huggingface/hub.
func DefaultCache() (Cache, error) {
	if dir := os.Getenv("HF_HUB_CACHE"); dir != "" {
		return Cache{Dir: expand(dir)}, nil
	}
	home, err := home()
	if err != nil {
		return Cache{}, err
	}
	return Cache{Dir: filepath.Join(home, "hub")}, nil
}

// home is the Hub's folder of this user, where the token lies too.
func home() (string, error) {
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return expand(dir), nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(expand(dir), "huggingface"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("where models are cached: %w: set HF_HOME to a folder", err)
	}
	return filepath.Join(user, ".cache", "huggingface"), nil
}

// expand puts the user's folder for "~".
func expand(dir string) string {
	if rest, ok := strings.CutPrefix(dir, "~"); ok && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		if user, err := os.UserHomeDir(); err == nil {
			return user + rest
		}
	}
	return dir
}

// Model is a model in the cache.
type Model struct {
	// Ref is its name and the revision that was asked for.
	Ref Ref
	// Commit is the revision's commit.
	Commit string
	// Dir is its folder of files, which package weights opens.
	Dir string
	// Bytes is the size of its files.
	Bytes int64
	// Used is when its newest file was written.
	Used time.Time
	// License is what its card says, "" where it says nothing.
	License string
	// Unchecked are the files that came without a hash: only their sizes are as
	// announced.
	Unchecked []string
}

// Find returns a model that is in the cache whole. Errors wrap [ErrNotCached].
func (c Cache) Find(r Ref) (Model, error) {
	missing := fmt.Errorf("%s: %w: fetch it with `groupvit model pull %s`", r, ErrNotCached, r)
	root := filepath.Join(c.Dir, r.folder())
	id, err := resolve(root, r)
	if err != nil {
		return Model{}, err
	}
	if id == "" {
		return Model{}, missing
	}
	m := Model{Ref: r, Commit: id, Dir: filepath.Join(root, "snapshots", id)}
	files, err := filesOf(m.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Model{}, missing
	}
	if err != nil {
		return Model{}, err
	}
	for _, info := range files {
		m.Bytes += info.Size()
		if info.ModTime().After(m.Used) {
			m.Used = info.ModTime()
		}
	}
	if !whole(files) {
		return Model{}, missing
	}
	m.License = cardLicense(filepath.Join(m.Dir, cardFile))
	return m, nil
}

// Locate returns the path of a model: the path itself, or where the cache has the
// model of that name. What is on the disk goes before the Hub; of a folder that is laid
// out as the cache (models--OWNER--NAME) it is the snapshot. It asks no network.
func Locate(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return inFolder(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	r, err := Parse(path)
	if err != nil {
		return path, nil // no name of the Hub's, so a path that is not there
	}
	cache, err := DefaultCache()
	if err != nil {
		return "", err
	}
	m, err := cache.Find(r)
	return m.Dir, err
}

// List returns the models in the cache that are whole and look like GroupViT,
// by name. A cache that is not there is empty.
func (c Cache) List() ([]Model, error) {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var models []Model
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "models--")
		owner, name, two := strings.Cut(rest, "--")
		if !ok || !two {
			continue
		}
		for _, rev := range c.revisions(e.Name()) {
			r, err := Parse(owner + "/" + name + "@" + rev)
			if err != nil {
				continue
			}
			if m, err := c.Find(r); err == nil && m.isGroupViT() {
				models = append(models, m)
			}
		}
	}
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.Ref.String(), b.Ref.String()) })
	return models, nil
}

func (m Model) isGroupViT() bool {
	f, err := os.Open(filepath.Join(m.Dir, "config.json"))
	if err != nil {
		return false
	}
	defer f.Close()
	return isGroupViT(f)
}

// revisions are the names under refs, and the commits that no name points to.
func (c Cache) revisions(folder string) []string {
	var names []string
	named := map[string]bool{}
	refs := filepath.Join(c.Dir, folder, "refs")
	_ = filepath.WalkDir(refs, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if b, err := os.ReadFile(path); err == nil {
			if rel, err := filepath.Rel(refs, path); err == nil {
				names = append(names, filepath.ToSlash(rel))
				named[strings.TrimSpace(string(b))] = true
			}
		}
		return nil
	})
	snapshots, _ := os.ReadDir(filepath.Join(c.Dir, folder, "snapshots"))
	for _, s := range snapshots {
		if !named[s.Name()] {
			names = append(names, s.Name())
		}
	}
	return names
}

// Remove deletes a model with all of its revisions and returns how many bytes
// that freed. Errors wrap [ErrNotCached] where there is none.
func (c Cache) Remove(r Ref) (freed int64, err error) {
	root := filepath.Join(c.Dir, r.folder())
	if _, err := os.Lstat(root); errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s: %w", r.ID(), ErrNotCached)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	unlock, err := c.lock(ctx, r, modelLock)
	if err != nil {
		return 0, err
	}
	defer unlock()
	err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			freed += info.Size()
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return freed, os.RemoveAll(root)
}
