package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shortCommit is the beginning of a commit, long enough to name it.
var shortCommit = regexp.MustCompile(`^[0-9a-f]{7,39}$`)

// resolve returns the commit that a revision of a model's folder root means: what
// refs says of it, a commit or the beginning of one that is there, or, for the
// revision that no name tells, the only whole snapshot of a folder without refs, as a
// download of one commit or a copy leaves it. An empty commit means that the model is
// not there.
func resolve(root string, r Ref) (commit string, err error) {
	if isCommit(r.Revision) {
		return r.Revision, nil
	}
	path := filepath.Join(root, "refs", filepath.FromSlash(r.Revision))
	b, err := os.ReadFile(path)
	if err == nil {
		if commit = strings.TrimSpace(string(b)); !isCommit(commit) {
			return "", fmt.Errorf("%s: %s is damaged: remove it with `groupvit model rm %s`", r, path, r.ID())
		}
		return commit, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var fit []string
	for _, s := range snapshots(root) {
		if shortCommit.MatchString(r.Revision) && strings.HasPrefix(s, r.Revision) || r.Revision == Main {
			fit = append(fit, s)
		}
	}
	switch {
	case len(fit) == 0:
		return "", nil
	case len(fit) == 1:
		return fit[0], nil
	}
	return "", fmt.Errorf("%s: %w under that name: the cache has %d snapshots of it and does not say which is %s; name one: %s@%s", r, ErrNotCached,
		len(fit), r.Revision, r.ID(), strings.Join(fit, ", "+r.ID()+"@"))
}

// snapshots are the commits of a model's folder that are there whole.
func snapshots(root string) []string {
	entries, _ := os.ReadDir(filepath.Join(root, "snapshots"))
	var commits []string
	for _, e := range entries {
		if isCommit(e.Name()) {
			if files, err := filesOf(filepath.Join(root, "snapshots", e.Name())); err == nil && whole(files) {
				commits = append(commits, e.Name())
			}
		}
	}
	return commits
}

// filesOf are the files of a folder, with what links point to.
func filesOf(dir string) (map[string]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string]fs.FileInfo{}
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			files[e.Name()] = info
		}
	}
	return files, nil
}

// partName is the name of one of several weight files.
var partName = regexp.MustCompile(`^(model|pytorch_model)-(\d{5})-of-(\d{5})\.(safetensors|bin)$`)

// weightFiles are the names of a model's weight files among all: those of one file,
// else an index and its parts; none where they are not there or not all.
func weightFiles[T any](files map[string]T) []string {
	for _, name := range []string{safetensorsFile, torchFile} {
		if _, ok := files[name]; ok {
			return []string{name}
		}
		if _, ok := files[name+".index.json"]; !ok {
			continue
		}
		kind, found := strings.TrimSuffix(name, filepath.Ext(name)), []string{name + ".index.json"}
		count := -1
		for file := range files {
			if m := partName.FindStringSubmatch(file); m != nil && m[1] == kind && strings.HasSuffix(name, "."+m[4]) {
				count, _ = strconv.Atoi(m[3])
				found = append(found, file)
			}
		}
		if len(found) == 1+count {
			slices.Sort(found[1:])
			return found
		}
	}
	return nil
}

// whole reports whether a folder has what a model needs.
func whole[T any](files map[string]T) bool {
	_, config := files["config.json"]
	return config && len(weightFiles(files)) > 0
}

// inFolder returns the snapshot in a folder of the cache's layout that is named as a
// path, or path itself where it is no such folder.
func inFolder(path string) (string, error) {
	if _, err := os.Stat(filepath.Join(path, "config.json")); err == nil {
		return path, nil
	}
	if info, err := os.Stat(filepath.Join(path, "snapshots")); err != nil || !info.IsDir() {
		return path, nil
	}
	r := Ref{Owner: "folder", Name: "model", Revision: Main}
	if owner, name, ok := strings.Cut(strings.TrimPrefix(filepath.Base(path), "models--"), "--"); ok {
		r.Owner, r.Name = owner, name
	}
	commit, err := resolve(path, r)
	if err == nil && commit == "" {
		err = fmt.Errorf("%s: %w: the folder is laid out as the Hub's cache and has no whole snapshot: fetch it with `groupvit model pull %s`", path, ErrNotCached, r.ID())
	}
	return filepath.Join(path, "snapshots", commit), err
}
