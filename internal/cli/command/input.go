package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/output"
	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/internal/vocab"
)

// StdinName is the argument that stands for a photo on stdin.
const StdinName = "-"

// Expand replaces patterns, where the shell has left any, by what they match; folders
// reports whether a folder is among the paths.
func Expand(args []string) (paths []string, folders bool, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil && arg != StdinName && strings.ContainsAny(arg, "*?[") {
			matches, err := filepath.Glob(arg)
			if err != nil {
				return nil, false, Usagef("pattern %s: %w", arg, err)
			}
			if len(matches) == 0 {
				return nil, false, fmt.Errorf("pattern %s matches no file", arg)
			}
			for _, m := range matches {
				folders = folders || isDir(m)
			}
			paths = append(paths, matches...)
			continue
		}
		folders = folders || err == nil && info.IsDir()
		paths = append(paths, arg)
	}
	if folders && slices.Contains(paths, StdinName) {
		return nil, false, Usagef("%s (stdin) cannot be named beside folders", StdinName)
	}
	return paths, folders, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// PhotoItems are the photos of files and folders, "-" for stdin; it warns of files of
// folders that are none.
func (e *Environment) PhotoItems(ctx context.Context, paths []string) ([]batch.Item, error) {
	if slices.Contains(paths, StdinName) {
		return e.itemsWithStdin(ctx, paths)
	}
	var left batch.LeftOut
	folder, err := batch.NewFolder(paths, output.IsResult, &left)
	if err != nil {
		return nil, err
	}
	named := map[string]bool{}
	for _, p := range paths {
		named[p] = true
	}
	var items []batch.Item
	for item, err := range folder.Items(ctx, nil) {
		if err != nil && item.Photo == "" {
			return nil, err
		}
		if err != nil { // a folder that cannot be read fails as a photo does
			item.Read = func() ([]byte, error) { return nil, err }
		} else if named[item.Photo] {
			item.Read = func() ([]byte, error) { return e.readFile(ctx, item.Photo) }
		}
		items = append(items, item)
	}
	e.TellLeftOut(&left)
	if len(items) == 0 {
		return nil, fmt.Errorf("there are no photos in %s (%s)", strings.Join(paths, ", "), strings.Join(imaging.Extensions(), ", "))
	}
	return items, nil
}

// itemsWithStdin is [Environment.photoItems] where stdin is among the photos.
func (e *Environment) itemsWithStdin(ctx context.Context, paths []string) ([]batch.Item, error) {
	others := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p == StdinName })
	var items []batch.Item
	if len(others) > 0 {
		var err error
		if items, err = e.PhotoItems(ctx, others); err != nil {
			return nil, err
		}
	}
	stdin := batch.Item{Photo: StdinName, ID: StdinName, Relative: "stdin", Read: func() ([]byte, error) { return e.readFile(ctx, StdinName) }}
	return slices.Insert(items, min(slices.Index(paths, StdinName), len(items)), stdin), nil
}

// TellLeftOut warns of files that are not done because of what they are.
func (e *Environment) TellLeftOut(left *batch.LeftOut) {
	if s := left.String(); s != "" {
		e.Warn("%s", s)
		for _, hint := range left.Hints() {
			e.Warn("%s", hint)
		}
	}
}

// FindPhotos returns the paths of the photos that arguments name: files, and what lies
// in folders and below.
func (e *Environment) FindPhotos(ctx context.Context, args []string) ([]string, error) {
	paths, _, err := Expand(args)
	if err != nil {
		return nil, err
	}
	items, err := e.PhotoItems(ctx, paths)
	if err != nil {
		return nil, err
	}
	photos := make([]string, len(items))
	for i, item := range items {
		photos[i] = item.Photo
	}
	return photos, nil
}

// ReadPhoto reads and decodes a photo, or stdin for "-".
func (e *Environment) ReadPhoto(ctx context.Context, path string) (*imaging.Image, error) {
	data, err := e.readFile(ctx, path)
	if err != nil {
		return nil, err
	}
	name := path
	if path == StdinName {
		name = "stdin"
	}
	return e.Decode(data, name)
}

// Decode decodes a photo and warns of what a user should know of it: that values were
// made brighter, bands left out, or a part is missing.
func (e *Environment) Decode(data []byte, name string) (*imaging.Image, error) {
	o := imaging.Options{Name: name, MaxPixels: e.MaxPixels, Note: func(note string) { e.Warn("%s: %s", name, note) }}
	if e.MaxPixels > 0 {
		o.Mend = "make it smaller, or raise the limit with --max-pixels"
	}
	return imaging.DecodeBytes(data, o)
}

// MaxPixelsFlag adds --max-pixels.
func MaxPixelsFlag(cmd *cobra.Command, env *Environment) {
	env.MaxPixels = limits.ImagePixels
	cmd.Flags().Var((*pixels)(&env.MaxPixels), "max-pixels", fmt.Sprintf("largest photo that is read, in pixels, as 100M, at most %dM; each pixel takes some 25 bytes of memory", limits.MostPixels/1_000_000))
}

// pixels is a number of pixels as a flag has it: 96000000, or 96M.
type pixels int64

// String is what Set reads.
func (p *pixels) String() string {
	if *p%1_000_000 == 0 {
		return fmt.Sprintf("%dM", *p/1_000_000)
	}
	return strconv.FormatInt(int64(*p), 10)
}

// Set implements pflag.Value.
func (p *pixels) Set(s string) error {
	number, mega := strings.CutSuffix(strings.ToUpper(strings.TrimSpace(s)), "M")
	v, err := strconv.ParseFloat(number, 64)
	if mega {
		v *= 1_000_000
	}
	if err != nil || !(v >= 1 && v <= limits.MostPixels) || v != math.Trunc(v) {
		return fmt.Errorf("give a number of pixels from 1 to %dM, as 96M", limits.MostPixels/1_000_000)
	}
	*p = pixels(v)
	return nil
}

// Type implements pflag.Value.
func (p *pixels) Type() string { return "pixels" }

// readFile reads a file that was named by itself, which may be a pipe, or stdin for
// "-". It leaves when ctx ends, though nothing may ever come from a pipe.
func (e *Environment) readFile(ctx context.Context, path string) ([]byte, error) {
	if path == StdinName {
		return readPipe(ctx, func() (io.ReadCloser, error) { return io.NopCloser(e.Stdin), nil })
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, not a photo", path)
	case info.Mode().IsRegular():
		return batch.ReadFile(path)
	}
	return readPipe(ctx, func() (io.ReadCloser, error) { return os.Open(path) })
}

// readPipe reads what is opened, one byte more than a photo may have at most.
func readPipe(ctx context.Context, open func() (io.ReadCloser, error)) ([]byte, error) {
	type outcome struct {
		data []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := open()
		if err != nil {
			done <- outcome{nil, err}
			return
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, batch.MostBytes+1))
		done <- outcome{data, err}
	}()
	select {
	case o := <-done:
		return o.data, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// LabelFlags are --labels and --labels-file.
type LabelFlags struct {
	lists []string
	File  string
}

func (l *LabelFlags) Add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&l.lists, "labels", nil, `labels to look for: "dog,grass", with synonyms "dog|puppy,grass", quoted as in CSV where they hold commas, or as a JSON list; may be repeated`)
	cmd.Flags().StringVar(&l.File, "labels-file", "", "file with one label a line, its synonyms after commas, or with a JSON list; - is stdin")
}

// AutoLabels is the label that leaves the words to the model.
const AutoLabels = "auto"

// Auto reports whether the words are left to the model: no label is named, or auto alone.
func (l *LabelFlags) Auto() bool {
	return l.File == "" && (len(l.lists) == 0 || len(l.lists) == 1 && strings.TrimSpace(l.lists[0]) == AutoLabels)
}

// Given reports whether there are any.
func (l *LabelFlags) Given() bool { return len(l.lists) > 0 || l.File != "" }

// Read returns the labels as the library takes them, and warns of those that may have
// been meant otherwise.
func (l *LabelFlags) Read(env *Environment) ([]string, error) {
	classes, notes, err := l.classes(env.Stdin)
	if err != nil {
		return nil, Usagef("%w", err)
	}
	for _, n := range notes {
		env.Warn("note: %s", n)
	}
	var labels []string
	for _, c := range classes {
		labels = append(labels, strings.Join(c.Names(), "|"))
	}
	return labels, nil
}

// classes reads the labels, with notes on what they may mean.
func (l *LabelFlags) classes(stdin io.Reader) ([]vocab.Class, []string, error) {
	if l.File == "" {
		classes, err := vocab.ParseLabels(l.lists...)
		return classes, vocab.LabelNotes(classes), err
	}
	if strings.TrimSpace(strings.Join(l.lists, "")) != "" {
		return nil, nil, errors.New("--labels and --labels-file exclude each other")
	}
	from := stdin
	if l.File != StdinName {
		f, err := os.Open(l.File)
		if err != nil {
			return nil, nil, fmt.Errorf("--labels-file: %w", err)
		}
		defer f.Close()
		from = f
	}
	classes, err := vocab.ReadLabels(textio.NewReader(from))
	return classes, vocab.FileNotes(classes), err
}

// ModelFlag adds --model.
func ModelFlag(cmd *cobra.Command, model *string) {
	cmd.Flags().StringVar(model, "model", groupvit.DefaultModel, `model: "default", a Hugging Face directory, an official .pth, or a name on the Hub (nvidia/groupvit-gcc-yfcc)`)
}

// Open opens a model with the engine that the flags name. A model of the Hub
// that is not in the cache yet is fetched first.
func (e *Environment) Open(cmd *cobra.Command, model string) (*groupvit.Model, error) {
	return e.OpenWith(cmd, model, "")
}

// OpenWith opens a model with a calibration file; "" is the model's own.
func (e *Environment) OpenWith(cmd *cobra.Command, model, calibration string) (*groupvit.Model, error) {
	if err := e.FetchMissing(cmd.Context(), model); err != nil {
		return nil, err
	}
	m, err := groupvit.Open(cmd.Context(), model, &groupvit.Options{Engine: e.Engine.Kind, Threads: e.Engine.Threads, Precision: e.Engine.Precision, Calibration: calibration})
	if errors.Is(err, groupvit.ErrOption) { // of the engine, or a calibration that is not there
		err = Usagef("%w", err)
	}
	return m, err
}
