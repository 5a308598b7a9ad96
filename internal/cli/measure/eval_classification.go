package measure

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/vocab"
)

type evalClassificationFlags struct {
	root, model string
	data        bench.Options
	shards      bench.ClassShardOptions
	options     evaluate.ClassificationOptions
	json        jsonFlag
}

func newEvalClassificationCommand(env *command.Environment) *cobra.Command {
	f := &evalClassificationFlags{}
	cmd := &cobra.Command{
		Use:   "classification (--root DIR | --data SHARDS)",
		Short: "Measure how often a model finds the class of a whole photo by its name",
		Long: `classification asks for the class of every photo by name alone (zero-shot) and
reports the share of photos whose class comes first (top 1) or among the first five
(top 5), beside chance. A class's vector is the mean over templates: the paper's
seven for the paper's network, else those that the model was trained with. Of several
names of a class the best one counts.

--root has one folder of photos a class, named as the class; underscores stand for
spaces. A file DIR/classes.txt gives other names, a line "FOLDER: name, synonym"
each. ImageNet's folders (n01440764) have their names (those of CLIP) without one.

--data takes webdataset shards. The class of KEY.jpg is the number in KEY.cls, else
the first of "tags" in KEY.json, else the text of KEY.txt. --classes-file names the
classes in the order of their numbers, one a line, synonyms after commas; without it
numbers are ImageNet's.`,
		Example: `  groupvit eval classification --root imagenet/val
  groupvit eval classification --data 'imagenet-val-*.tar' --templates full
  groupvit eval classification --root animals --model runs/photos/final --json report.json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.root, "root", "", "folder with one folder of photos a class")
	command.ModelFlag(cmd, &f.model)
	flags.StringVar(&f.shards.Shards, "data", "", "shards of photos with a class, as a pattern or joined by \"::\"")
	flags.StringVar(&f.shards.ClassesFile, "classes-file", "", "names of the shards' classes, one a line")
	flags.StringVar(&f.options.Templates, "templates", "", "prompts by name, as simple, subset, full (default: the model's)")
	flags.IntVar(&f.data.Limit, "limit", 0, "evaluate this many evenly spaced photos; 0 means all")
	flags.IntVar(&f.options.Workers, "workers", 0, "photos processed at once; 0 means one per processor")
	f.json.add(cmd)
	return cmd
}

func (f *evalClassificationFlags) run(cmd *cobra.Command, env *command.Environment) error {
	switch {
	case (f.root == "") == (f.shards.Shards == ""):
		return command.Usagef("name either the folder of the classes' folders with --root or shards with --data")
	case f.shards.ClassesFile != "" && f.root != "":
		return command.Usagef("--classes-file is for --data: name folders in %s", filepath.Join(f.root, "classes.txt"))
	case f.options.Workers < 0:
		return command.Usagef("--workers %d: it must be 0 (one a processor) or more", f.options.Workers)
	}
	if _, err := vocab.Templates(f.options.Templates); f.options.Templates != "" && err != nil {
		return command.Usagef("--templates: %w", err)
	}
	if err := f.json.check(); err != nil {
		return err
	}
	photos, err := f.open(env)
	if errors.Is(err, bench.ErrUsage) {
		return command.Usagef("%w", err)
	}
	if err != nil {
		return err
	}
	m, err := env.Open(cmd, f.model)
	if err != nil {
		return err
	}
	defer m.Close()
	bar := env.Progress("photos", photos.Len())
	f.options.Progress = bar.Set
	r, err := evaluate.MeasureClassification(cmd.Context(), photos, m, f.options)
	bar.Done()
	if cmd.Context().Err() != nil {
		return fmt.Errorf("interrupted: nothing is reported for a part of the photos: %w", cmd.Context().Err())
	}
	if err != nil {
		return err
	}
	info := m.Info()
	r.Model, r.Engine, r.Threads = evaluate.Model{Name: info.Name, SHA256: info.SHA256}, m.Engine(), env.Engine.Threads
	r.Root, r.Command = cmp.Or(f.root, f.shards.Shards), commandLine(cmd)
	return f.json.write(env, r, r.WriteText)
}

// open lists the photos of folders or shards.
func (f *evalClassificationFlags) open(env *command.Environment) (photos evaluate.Labelled, err error) {
	skipped := ""
	if f.root != "" {
		folders, openErr := bench.OpenFolders(f.root, f.data)
		if photos, err = folders, openErr; err == nil {
			skipped = folders.Skipped()
		}
	} else {
		f.shards.Limit = f.data.Limit
		list, openErr := bench.OpenClassShards(f.shards)
		if photos, err = list, openErr; err == nil {
			skipped = list.Skipped()
		}
	}
	if skipped != "" {
		env.Warn("%s: %s", cmp.Or(f.root, f.shards.Shards), skipped)
	}
	return photos, err
}
