package passes

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

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/selftrain"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Options say what [Run] does.
type Options struct {
	// Recipe is the file, Passes what train.Passes read from it. Environ and
	// Overrides stand above every pass; see train.Load.
	Recipe    string
	Passes    []settings.Pass
	Environ   []string
	Overrides []settings.Override
	// Output is the folder of all passes.
	Output string
	// Resume goes on where an earlier run in Output was.
	Resume bool
	// Progress gets progress and warnings; nil is os.Stderr.
	Progress io.Writer
}

// Result says how the passes went: the last one's result, and what was skipped of
// all passes.
type Result struct {
	*train.Result
	// Final is the directory of the last pass's model.
	Final string
	// Skipped are samples that a labelling could not use.
	Skipped []pairs.Problem
}

// pass is one pass that is ready to run.
type pass struct {
	settings.Pass
	loaded *settings.Loaded
	label  *label
	folder string
}

// Run trains all passes of a recipe, one after the other. What an earlier run
// finished is kept. Errors are those of train.Run and selftrain.Run, with the pass's
// name.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	passes, err := plan(o)
	if err != nil {
		return nil, err
	}
	if err := o.prepare(passes); err != nil {
		return nil, err
	}
	result := &Result{Final: settings.Final(o.Output)}
	for i, p := range passes {
		o.say("pass %d of %d: %s", i+1, len(passes), p.Name)
		if result.Result, err = o.run(ctx, p, result); err != nil {
			return result, fmt.Errorf("pass %d (%s): %w", i+1, p.Name, err)
		}
	}
	return result, publish(settings.Final(passes[len(passes)-1].folder), result.Final)
}

func (o Options) say(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }

// plan loads all passes, so that a mistake in the last is told before the first
// begins.
func plan(o Options) ([]pass, error) {
	var passes []pass
	var names []string
	for i, p := range o.Passes {
		next := pass{Pass: p, folder: filepath.Join(o.Output, p.Folder(i))}
		overrides := o.Overrides
		if i > 0 {
			init := settings.Override{Key: "init", Value: settings.Final(passes[i-1].folder), Origin: "pass " + passes[i-1].Name}
			overrides = append(slices.Clone(overrides), init)
		}
		var err error
		if p.Label != nil {
			if next.label, err = parseLabel(p, names); err != nil {
				return nil, err
			}
			if next.label.Sources == "" {
				loaded, err := settings.LoadPass(o.Recipe, p, o.Environ, overrides)
				if err != nil {
					return nil, err
				}
				next.label.Sources = loaded.Settings.Data.Train
			}
			masks := settings.Override{Key: "data.train", Value: next.masks(), Origin: "label"}
			overrides = append(slices.Clone(overrides), masks, settings.Override{Key: "data.upsampling_factors", Value: "[]", Origin: "label"})
		}
		if next.loaded, err = settings.LoadPass(o.Recipe, p, o.Environ, overrides); err != nil {
			return nil, err
		}
		passes, names = append(passes, next), append(names, p.Name)
	}
	return passes, nil
}

// masks is the folder of a pass's pseudo masks.
func (p pass) masks() string { return filepath.Join(p.folder, "masks") }

// prepare refuses a folder with other passes, or with these where they are not to be
// resumed.
func (o Options) prepare(passes []pass) error {
	if err := os.MkdirAll(o.Output, 0o777); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	entries, err := os.ReadDir(o.Output)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporaryPrefix) { // of a killed run
			if err := os.RemoveAll(filepath.Join(o.Output, e.Name())); err != nil {
				return fmt.Errorf("output: %w", err)
			}
			continue
		}
		ours := e.Name() == filepath.Base(settings.Final(o.Output)) ||
			slices.ContainsFunc(passes, func(p pass) bool { return filepath.Base(p.folder) == e.Name() })
		switch {
		case !ours:
			return fmt.Errorf("output: %s holds %s, which is no pass of the recipe: name another directory", o.Output, e.Name())
		case !o.Resume:
			return fmt.Errorf("output: %s holds a run already: continue it with --resume or name another directory", o.Output)
		}
	}
	return nil
}

// run labels, where the pass asks for it, and trains.
func (o Options) run(ctx context.Context, p pass, result *Result) (*train.Result, error) {
	if p.label != nil {
		if err := o.labels(ctx, p, result); err != nil {
			return nil, err
		}
	}
	return train.Run(ctx, train.Options{Loaded: p.loaded, Output: p.folder, Resume: true, Progress: o.Progress})
}

// labels makes the pass's pseudo masks.
func (o Options) labels(ctx context.Context, p pass, result *Result) error {
	s := p.loaded.Settings
	words, err := s.Words()
	if err != nil {
		return err
	}
	var models []string
	for _, name := range p.label.Models {
		i := slices.IndexFunc(o.Passes, func(q settings.Pass) bool { return q.Name == name })
		models = append(models, settings.Final(filepath.Join(o.Output, o.Passes[i].Folder(i))))
	}
	done := -1
	made, err := selftrain.Run(ctx, selftrain.Options{
		Sources: p.label.Sources, Table: pairs.TableOptions{Image: s.Data.CSVImgKey, Caption: s.Data.CSVCaptionKey, Separator: s.Data.CSVSeparator},
		Models: models, Compute: groupvit.Options{Engine: s.Engine, Threads: s.Threads},
		Vocabulary: words, Settings: p.label.settings, Output: p.masks(),
		Share: p.label.Share, Limit: p.label.Limit, Seed: s.Seed,
		Stage: func(text string) { o.say("%s", text) },
		Skip:  func(problem pairs.Problem) { result.Skipped = append(result.Skipped, problem) },
		Progress: func(n, of int) {
			if percent := 10 * n / max(of, 1); percent > done {
				done = percent
				o.say("labelled %d of %d photos", n, of)
			}
		},
	})
	if err != nil {
		return err
	}
	if left := made.LeftOut.String(); left != "" {
		o.say("%s", left)
	}
	places := float64(max(made.Foreground+made.Stuff+made.Background+made.Ignored, 1))
	o.say("masks of %d of %d photos: %.0f%% things, %.0f%% background, %.0f%% ignored", made.Labelled, made.Photos,
		100*float64(made.Foreground)/places, 100*float64(made.Stuff+made.Background)/places, 100*float64(made.Ignored)/places)
	return nil
}

const temporaryPrefix = ".final.tmp-"

// publish copies the last pass's model to where one run would leave it, whole or not
// at all.
func publish(from, to string) error {
	temporary, err := os.MkdirTemp(filepath.Dir(to), temporaryPrefix)
	if err != nil {
		return fmt.Errorf("final model: %w", err)
	}
	defer os.RemoveAll(temporary)
	whole := filepath.Join(temporary, "model")
	err = os.CopyFS(whole, os.DirFS(from))
	if err == nil {
		if err = os.RemoveAll(to); err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(whole, to)
		}
	}
	if err != nil {
		return fmt.Errorf("final model: %w", err)
	}
	return nil
}
