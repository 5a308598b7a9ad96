package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/vocab"
)

// stdinName is the argument that stands for a photo on stdin.
const stdinName = "-"

// photoEndings are the files that are taken from a folder. Files named one by
// one may have any name: what they are decides their content.
var photoEndings = []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}

// findPhotos expands arguments: folders to the photos in them and below, sorted;
// patterns, where the shell has left any, to what they match. A photo that is
// named twice is taken once.
func findPhotos(args []string) ([]string, error) {
	var list []string
	seen := map[string]bool{}
	for _, arg := range args {
		found, err := expand(arg)
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			if clean := filepath.Clean(path); !seen[clean] {
				seen[clean] = true
				list = append(list, path)
			}
		}
	}
	return list, nil
}

// expand returns the photos that one argument stands for.
func expand(arg string) ([]string, error) {
	if arg == stdinName {
		return []string{arg}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		found, err := photosBelow(arg)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("folder %s has no photos (%s)", arg, strings.Join(photoEndings, ", "))
		}
		return found, err
	case err == nil || !strings.ContainsAny(arg, "*?["):
		return []string{arg}, nil // a missing one fails when it is read
	}
	matches, err := filepath.Glob(arg)
	if err != nil {
		return nil, usagef("pattern %s: %w", arg, err)
	}
	if len(matches) == 0 {
		return nil, fmt.Errorf("pattern %s matches no file", arg)
	}
	var list []string
	for _, m := range matches {
		info, err := os.Stat(m)
		if err != nil || !info.IsDir() {
			list = append(list, m)
			continue
		}
		found, err := photosBelow(m)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// photosBelow returns the photos of a folder, links to photos among them. Hidden
// files and folders are left out, and what segment itself has written.
func photosBelow(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case isPhotoName(d.Name()) && isFile(path, d):
			found = append(found, path)
		}
		return nil
	})
	return found, err
}

func isPhotoName(name string) bool {
	name = strings.ToLower(name)
	for _, ending := range []string{".overlay.png", ".mask.png", "_labelids.png"} {
		if strings.HasSuffix(name, ending) {
			return false
		}
	}
	return slices.Contains(photoEndings, filepath.Ext(name))
}

func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// readPhoto reads and decodes a photo, or stdin for "-". It leaves when ctx ends,
// though nothing may ever come from a pipe.
func (e *environment) readPhoto(ctx context.Context, path string) (*imaging.Image, error) {
	type outcome struct {
		photo *imaging.Image
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		photo, err := e.decodePhoto(path)
		done <- outcome{photo, err}
	}()
	select {
	case o := <-done:
		return o.photo, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *environment) decodePhoto(path string) (*imaging.Image, error) {
	if path == stdinName {
		return imaging.Decode(e.stdin, imaging.Options{Name: "stdin"})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, not a photo", path)
	}
	return imaging.Decode(f, imaging.Options{Name: path})
}

// labelFlags are --labels and --labels-file.
type labelFlags struct {
	lists []string
	file  string
}

func (l *labelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&l.lists, "labels", nil, `labels to look for: "dog,grass", with synonyms "dog|puppy,grass", quoted as in CSV where they hold commas, or as a JSON list; may be repeated`)
	cmd.Flags().StringVar(&l.file, "labels-file", "", "file with one label a line, its synonyms after commas, or with a JSON list; - is stdin")
}

// given reports whether there are any.
func (l *labelFlags) given() bool { return len(l.lists) > 0 || l.file != "" }

// read returns the labels as the library takes them, and warns of those that may have
// been meant otherwise.
func (l *labelFlags) read(env *environment) ([]string, error) {
	classes, notes, err := l.classes(env.stdin)
	if err != nil {
		return nil, usagef("%w", err)
	}
	for _, n := range notes {
		env.warn("note: %s", n)
	}
	var labels []string
	for _, c := range classes {
		labels = append(labels, strings.Join(c.Names(), "|"))
	}
	return labels, nil
}

// classes reads the labels, with notes on what they may mean.
func (l *labelFlags) classes(stdin io.Reader) ([]vocab.Class, []string, error) {
	if l.file == "" {
		classes, err := vocab.ParseLabels(l.lists...)
		return classes, vocab.LabelNotes(classes), err
	}
	if strings.TrimSpace(strings.Join(l.lists, "")) != "" {
		return nil, nil, errors.New("--labels and --labels-file exclude each other")
	}
	from := stdin
	if l.file != stdinName {
		f, err := os.Open(l.file)
		if err != nil {
			return nil, nil, fmt.Errorf("--labels-file: %w", err)
		}
		defer f.Close()
		from = f
	}
	classes, err := vocab.ReadLabels(from)
	return classes, vocab.FileNotes(classes), err
}

// modelFlag adds --model.
func modelFlag(cmd *cobra.Command, model *string) {
	cmd.Flags().StringVar(model, "model", groupvit.DefaultModel, `model: "default", a Hugging Face directory, an official .pth, or a name on the Hub (nvidia/groupvit-gcc-yfcc)`)
}

// open opens a model with the engine that the flags name. A model of the Hub
// that is not in the cache yet is fetched first.
func (e *environment) open(cmd *cobra.Command, model string) (*groupvit.Model, error) {
	return e.openWith(cmd, model, "")
}

// openWith opens a model with a calibration file; "" is the model's own.
func (e *environment) openWith(cmd *cobra.Command, model, calibration string) (*groupvit.Model, error) {
	if err := e.fetchMissing(cmd.Context(), model); err != nil {
		return nil, err
	}
	m, err := groupvit.Open(cmd.Context(), model, &groupvit.Options{Engine: e.engine.Kind, Threads: e.engine.Threads, Precision: e.engine.Precision, Calibration: calibration})
	if errors.Is(err, groupvit.ErrOption) { // of the engine, or a calibration that is not there
		err = usagef("%w", err)
	}
	return m, err
}
