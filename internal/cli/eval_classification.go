package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/evaluate"
)

type evalClassificationFlags struct {
	root, model string
	data        bench.Options
	options     evaluate.ClassificationOptions
	json        jsonFlag
}

func newEvalClassificationCommand(env *environment) *cobra.Command {
	f := &evalClassificationFlags{}
	cmd := &cobra.Command{
		Use:   "classification --root DIR",
		Short: "Measure how often a model finds the class of a whole photo by its name",
		Long: `classification asks for the class of every photo by name alone (zero-shot), with
the paper's seven prompts a name, and reports the share of photos whose class
comes first (top 1) or among the first five (top 5), beside chance.

DIR has one folder of photos a class, named as the class; underscores stand for
spaces. A file DIR/classes.txt gives other names, a line "FOLDER: name" each.
At most 256 classes.`,
		Example: `  groupvit eval classification --root animals
  groupvit eval classification --root animals --model runs/photos/final --json report.json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.root, "root", "", "folder with one folder of photos a class")
	modelFlag(cmd, &f.model)
	flags.IntVar(&f.data.Limit, "limit", 0, "use so many photos, at even steps; 0 is all")
	flags.IntVar(&f.options.Workers, "workers", 0, "photos worked on at once; 0 is one a processor")
	f.json.add(cmd)
	return cmd
}

func (f *evalClassificationFlags) run(cmd *cobra.Command, env *environment) error {
	if f.root == "" {
		return usagef("name the folder of the classes' folders with --root")
	}
	if f.options.Workers < 0 {
		return usagef("--workers %d: it must be 0 (one a processor) or more", f.options.Workers)
	}
	if err := f.json.check(); err != nil {
		return err
	}
	folders, err := bench.OpenFolders(f.root, f.data)
	if errors.Is(err, bench.ErrUsage) {
		return usagef("%w", err)
	}
	if err != nil {
		return err
	}
	m, err := env.open(cmd, f.model)
	if err != nil {
		return err
	}
	defer m.Close()
	bar := env.progress("photos", len(folders.Photos))
	f.options.Progress = bar.set
	r, err := evaluate.MeasureClassification(cmd.Context(), folders, m, f.options)
	bar.done()
	if cmd.Context().Err() != nil {
		return fmt.Errorf("interrupted: nothing is reported for a part of the photos: %w", cmd.Context().Err())
	}
	if err != nil {
		return err
	}
	info := m.Info()
	r.Model, r.Engine, r.Threads = evaluate.Model{Name: info.Name, SHA256: info.SHA256}, m.Engine(), env.engine.Threads
	r.Command = commandLine(cmd)
	return f.json.write(env, r, r.WriteText)
}
