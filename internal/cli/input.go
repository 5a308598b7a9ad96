package cli

import (
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
// patterns, where the shell has left any, to what they match.
func findPhotos(args []string) ([]string, error) {
	var list []string
	for _, arg := range args {
		if arg == stdinName {
			list = append(list, arg)
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err == nil && info.IsDir():
			found, err := photosBelow(arg)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("folder %s has no photos (%s)", arg, strings.Join(photoEndings, ", "))
			}
			list = append(list, found...)
		case err == nil:
			list = append(list, arg)
		case strings.ContainsAny(arg, "*?["):
			found, globErr := filepath.Glob(arg)
			if globErr != nil {
				return nil, usagef("pattern %s: %w", arg, globErr)
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("pattern %s matches no file", arg)
			}
			list = append(list, found...)
		default:
			list = append(list, arg) // its own error comes when it is read
		}
	}
	return list, nil
}

func photosBelow(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains(photoEndings, strings.ToLower(filepath.Ext(path))) {
			found = append(found, path)
		}
		return err
	})
	return found, err
}

// readPhoto reads and decodes a photo, or stdin for "-".
func (e *environment) readPhoto(path string) (*imaging.Image, error) {
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
type labelFlags struct{ list, file string }

func (l *labelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.list, "labels", "", `words to look for: "dog,grass", with synonyms "dog|puppy,grass"`)
	cmd.Flags().StringVar(&l.file, "labels-file", "", "file with one label a line, its synonyms after commas")
}

// read returns the labels as the library takes them.
func (l *labelFlags) read() ([]string, error) {
	var classes []vocab.Class
	var err error
	switch {
	case l.list != "" && l.file != "":
		return nil, usagef("--labels and --labels-file exclude each other")
	case l.file != "":
		f, openErr := os.Open(l.file)
		if openErr != nil {
			return nil, usagef("--labels-file: %w", openErr)
		}
		defer f.Close()
		classes, err = vocab.ReadLabels(f)
	default:
		classes, err = vocab.ParseLabels(l.list)
	}
	if err != nil {
		return nil, usagef("%w", err)
	}
	var labels []string
	for _, c := range classes {
		labels = append(labels, strings.Join(c.Names(), "|"))
	}
	return labels, nil
}

// modelFlag adds --model.
func modelFlag(cmd *cobra.Command, model *string) {
	cmd.Flags().StringVar(model, "model", groupvit.DefaultModel, `model: "default", a Hugging Face directory, or an official .pth`)
}

// open opens a model with the engine that the flags name.
func (e *environment) open(cmd *cobra.Command, model string) (*groupvit.Model, error) {
	return groupvit.Open(cmd.Context(), model, &groupvit.Options{Engine: e.engine.Kind, Threads: e.engine.Threads})
}

// writeFile writes a file under another name beside it and renames it.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
