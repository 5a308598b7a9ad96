package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Weight files, the better first.
const (
	safetensorsFile = "model.safetensors"
	torchFile       = "pytorch_model.bin"
)

// small are the other files that a model of ours may have, by name.
var small = []string{
	"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt",
	"special_tokens_map.json", cardFile, "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE",
}

// further small files are taken by their form: what this program keeps beside
// a model (how it is measured, statistics of its words).
var further = regexp.MustCompile(`^[a-z0-9_]{1,64}\.json$`)

// maxFurther is how many of them are taken.
const maxFurther = 16

// modelLock is the lock of a whole model among this program's runs.
const modelLock = "groupvit"

// Pull downloads a model, or what of it is missing, and returns where it is.
// Two pulls of one model, in one program or in several, do each file once.
//
// Errors wrap [ErrRefused], [ErrHash], [ErrOffline] or [limits.ErrTooLarge], or
// are the network's or the file system's. After any of them the next call goes
// on where this one stopped.
func (c *Client) Pull(ctx context.Context, r Ref) (Model, error) {
	if c.Offline {
		m, err := c.Cache.Find(r)
		if err != nil {
			return m, fmt.Errorf("%w, and %w", ErrOffline, err)
		}
		return m, nil
	}
	if isCommit(r.Revision) { // never changes
		if m, err := c.Cache.Find(r); err == nil {
			return m, nil
		}
	}
	in, err := c.info(ctx, r)
	if err != nil {
		return Model{}, err
	}
	files, err := choose(r, in.Files)
	if err != nil {
		return Model{}, err
	}
	unlock, err := c.Cache.lock(ctx, r, modelLock)
	if err != nil {
		return Model{}, err
	}
	defer unlock()
	var unchecked []string
	for _, f := range files {
		if f, err = c.identify(ctx, r, in.Commit, f); err == nil {
			err = limits.Check("the size in bytes", f.Name, f.size(), sizeLimit(f.Name), "it cannot belong to a GroupViT")
		}
		if err == nil {
			err = c.fetch(ctx, r, in.Commit, f)
		}
		if err != nil {
			return Model{}, fmt.Errorf("%s: %s: %w", r, f.Name, err)
		}
		if f.tag != "" {
			unchecked = append(unchecked, f.Name)
		}
	}
	if !isCommit(r.Revision) {
		if err := c.Cache.setRef(r, in.Commit); err != nil {
			return Model{}, err
		}
	}
	m, err := c.Cache.Find(r)
	if m.License == "" {
		m.License = licenseText(in.Card.License, in.Card.Name, in.Card.Link)
	}
	m.Unchecked = unchecked
	return m, err
}

// choose picks the files of a GroupViT: the weights and the small ones, the
// small ones first, so that a wrong model shows before its weights come.
func choose(r Ref, all []file) ([]file, error) {
	byName := map[string]file{}
	var more []string
	for _, f := range all {
		byName[f.Name] = f
		if further.MatchString(f.Name) && !slices.Contains(small, f.Name) && f.size() <= limits.ConfigBytes && len(more) < maxFurther {
			more = append(more, f.Name)
		}
	}
	var files []file
	for _, name := range append(slices.Clone(small), more...) {
		if f, ok := byName[name]; ok {
			if err := limits.Check("the size in bytes", r.String()+": "+name, f.size(), limits.TokenizerBytes, "it cannot belong to a GroupViT"); err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	if _, ok := byName["config.json"]; !ok {
		return nil, fmt.Errorf("%s: %w: it has no config.json: it is no model in Hugging Face's layout", r, ErrRefused)
	}
	names, size := weightFiles(byName), int64(0)
	for _, name := range names {
		files, size = append(files, byName[name]), size+byName[name].size()
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w: it has neither %s nor %s, in one file or in all of its parts", r, ErrRefused, safetensorsFile, torchFile)
	}
	return files, limits.Check("the size in bytes", r.String()+": "+names[len(names)-1], size, limits.WeightsBytes, "it cannot belong to a GroupViT")
}

// sizeLimit is the largest size of a file of that name.
func sizeLimit(name string) int64 {
	if strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin") {
		return limits.WeightsBytes
	}
	return limits.TokenizerBytes
}

// size is the file's size in bytes.
func (f file) size() int64 {
	if f.LFS != nil {
		return f.LFS.Size
	}
	return f.Size
}

// setRef notes which commit a branch or tag points to.
func (c Cache) setRef(r Ref, commit string) error {
	path := filepath.Join(c.Dir, r.folder(), "refs", filepath.FromSlash(r.Revision))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".ref-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.WriteString(commit)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(temporary.Name(), path)
}
