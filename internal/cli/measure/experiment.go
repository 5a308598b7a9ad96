package measure

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/experiment"
	"github.com/groupvit/groupvit/internal/train/settings"
)

func NewExperimentCommand(env *command.Environment) *cobra.Command {
	var o experiment.Options
	var labels command.LabelFlags
	var photos []string
	var page string
	var seeds []uint
	cmd := &cobra.Command{
		Use:   "experiment NAME --scale small|full",
		Short: "Run the paper's tables and figures: train, measure, write the table",
		Long: `experiment runs a table or figure of the paper as a recipe: it trains the models
that are compared, measures them, and writes the table, with the spread over seeds,
what the paper says beside it, and a picture. "groupvit experiment list" tells what
there is.

  --scale small  synthetic scenes, drawn where they are not there, three seeds: within
                 an hour on two cores
  --scale full   the paper's setting, for a machine that has the data; what is missing
                 is told before anything is trained
  --scale tiny   a try from end to end within a minute; its numbers say nothing

It leaves in the folder --output:

  NAME-SCALE/report.md, report.json, pictures
  runs/     every trained model, by what decides it: experiments that share the folder
            share models
  scenes-…/ the scenes
  recipes/  the recipes that were used

Every finished run and measurement is kept. After Ctrl-C, or a kill, the same command
goes on.

--write PAGE.md puts the report into a page, in place of what an earlier call wrote
there between its markers; the rest of the page stays as it is.`,
		Example: `  groupvit experiment list
  groupvit experiment table3 --scale small

  # A part now, the rest later: what is there is not done again
  groupvit experiment table3 --scale small --seeds 0
  groupvit experiment table3 --scale small
  groupvit experiment table4 --scale small --output runs/experiments --write docs/experiments.md

  # Figures of a model that is there
  groupvit experiment figure7 --model runs/scenes/final
  groupvit experiment transfer --scale full --model nvidia/groupvit-gcc-yfcc \
    --photos cat.jpg --labels "cat,sofa"

  # The paper's setting
  groupvit experiment table1 --scale full --train-data 'cc12m/{000000..001100}.tar' --eval-root VOC2012`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append(experiment.Names(), "list"), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "list" {
				return listExperiments(env)
			}
			o.Name, o.Progress, o.Command = args[0], env.Stderr, experimentCommand(cmd, args[0])
			o.Engine, o.Threads = env.Engine.Kind, env.Engine.Threads
			for _, s := range seeds {
				o.Seeds = append(o.Seeds, uint64(s))
			}
			var err error
			if len(photos) > 0 {
				if o.Photos, err = env.FindPhotos(cmd.Context(), photos); err != nil {
					return err
				}
			}
			if labels.Given() {
				if o.Labels, err = labels.Read(env); err != nil {
					return err
				}
			}
			if o.Model != "" {
				if err := env.FetchMissing(cmd.Context(), o.Model); err != nil {
					return err
				}
			}
			return runExperiment(cmd, env, o, page)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Scale, "scale", experiment.Small, "small, full or tiny")
	f.StringVarP(&o.Output, "output", "o", filepath.Join("runs", "experiments"), "folder for scenes, runs and results")
	f.StringVar(&o.Train, "train-data", "", "training data instead of the scale's own, as in groupvit train")
	f.StringVar(&o.Eval, "eval-root", "", "folder of a segmentation set instead of the scale's own")
	f.StringVar(&o.Dataset, "eval-dataset", "", "its layout (default voc12)")
	f.StringVar(&o.Model, "model", "", "figures: a model to show instead of one that is trained")
	f.StringSliceVar(&photos, "photos", nil, "figures: photos or folders instead of the segmentation set's")
	labels.Add(cmd)
	f.UintSliceVar(&seeds, "seeds", nil, "seeds instead of the scale's own, as 0 or 0,1: the rest can follow later")
	f.StringArrayVar(&o.Rows, "row", nil, "a table: only this row; may be repeated")
	f.IntVar(&o.Parallel, "parallel", 0, "models trained at once (default 2 at small, 1 at full)")
	f.StringVar(&page, "write", "", "page of Markdown to put the report into, as docs/experiments.md")
	return cmd
}

// experimentCommand is the command as it can be typed again.
func experimentCommand(cmd *cobra.Command, name string) string {
	parts := []string{cmd.CommandPath(), name}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{flagValue(f)}
		if rows, ok := f.Value.(pflag.SliceValue); ok && f.Name == "row" { // names hold commas
			values = rows.GetSlice()
		}
		for _, v := range values {
			if f.Name != "json" {
				parts = append(parts, "--"+f.Name+"="+shellQuote(v))
			}
		}
	})
	return strings.Join(parts, " ")
}

func runExperiment(cmd *cobra.Command, env *command.Environment, o experiment.Options, page string) error {
	if o.Parallel < 0 {
		return command.Usagef("--parallel %d: it must be 1 or more", o.Parallel)
	}
	r, folder, err := experiment.Run(cmd.Context(), o)
	switch {
	case errors.Is(err, experiment.ErrRequest), errors.Is(err, settings.ErrSettings), errors.Is(err, groupvit.ErrOption):
		return command.Usagef("%w", err)
	case err != nil:
		return err
	}
	if page != "" {
		if err := r.Write(page, folder); err != nil {
			return err
		}
		env.Warn("written into %s", page)
	}
	if env.JSON {
		return env.Print(r)
	}
	_, err = fmt.Fprintf(env.Stdout, "%s\n%s\n", r.Markdown(filepath.ToSlash(folder)+"/"), filepath.Join(folder, "report.md"))
	return err
}

func listExperiments(env *command.Environment) error {
	if env.JSON {
		for _, name := range experiment.Names() {
			r, err := experiment.Load(name)
			if err == nil {
				err = env.Print(map[string]any{"name": r.Name, "title": r.Title, "paper": r.Paper, "needs": r.Scales[experiment.Full].Needs})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, name := range experiment.Names() {
		r, err := experiment.Load(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", r.Name, r.Title)
		fmt.Fprintf(w, "\tthe paper: %s\n", r.Paper)
		for _, v := range r.Variations {
			note := ""
			if v.Note != "" {
				note = " (" + v.Note + ")"
			}
			fmt.Fprintf(w, "\t- %s%s\n", v.Name, note)
		}
		fmt.Fprintf(w, "\t--scale full needs %s\n\n", r.Scales[experiment.Full].Needs)
	}
	return w.Flush()
}
