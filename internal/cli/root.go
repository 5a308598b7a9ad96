// Package cli is the groupvit command. The commands lie in rooms below it, one file a
// command, each of which reads its flags, makes one call and writes the result; nothing
// is computed here. This package puts them together: the tree of commands, completions,
// the manual, exit codes, and the tests that run the real program.
//
// stdout carries data only; progress and warnings go to stderr. Exit codes: 0
// done, 1 failed, 2 wrong usage, 3 part of a batch failed.
package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/datasets"
	"github.com/groupvit/groupvit/internal/cli/measure"
	"github.com/groupvit/groupvit/internal/cli/models"
	"github.com/groupvit/groupvit/internal/cli/photos"
	"github.com/groupvit/groupvit/internal/cli/server"
	"github.com/groupvit/groupvit/internal/cli/training"
)

// Exit codes of the program.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
)

// The help lists commands in the order in which they are useful.
func init() { cobra.EnableCommandSorting = false }

// commandGroup is a part of the list of commands in the help.
type commandGroup struct {
	id, title string
	commands  []*cobra.Command
}

// commandGroups lists every command. A new one is added here.
func commandGroups(env *command.Environment) []commandGroup {
	return []commandGroup{
		{"photos", "With photos:", []*cobra.Command{
			photos.NewSegmentCommand(env), photos.NewExplainCommand(env), photos.NewGroupsCommand(env), photos.NewClassifyCommand(env), photos.NewEmbedCommand(env), server.NewServeCommand(env),
			photos.NewVideoCommand(env), photos.NewJoinCommand(env),
		}},
		{"train", "To train and to measure:", []*cobra.Command{
			training.NewTrainCommand(env), training.NewTuneCommand(env), measure.NewEvalCommand(env), measure.NewCalibrateCommand(env), measure.NewExperimentCommand(env), measure.NewBenchCommand(env), datasets.NewDataCommand(env), training.NewConfigCommand(env),
		}},
		{"program", "Models and the program itself:", []*cobra.Command{
			models.NewModelCommand(env), newDoctorCommand(env), newManCommand(env), newVersionCommand(env),
		}},
	}
}

// newRootCommand builds the program's tree of commands.
func newRootCommand(env *command.Environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "groupvit",
		Short: "Segment photos with any text labels",
		Long: `groupvit segments photos with any text labels (zero-shot, open vocabulary), with
GroupViT (Xu et al., CVPR 2022), and trains such models from photos with captions.
It needs no network connection and no other program.

Results go to stdout and files; progress and warnings to stderr. Exit codes: 0
done, 1 failed, 2 wrong usage, 3 a part of a batch failed. Ctrl-C stops cleanly.`,
		Example: `  # Segment a photo: a picture to look at, a mask, JSON
  groupvit segment cat.jpg --labels "cat,sofa" -o out

  # A folder, one line of JSON a photo
  groupvit segment photos/ --labels-file words.txt --json > found.jsonl

  # What the model groups by itself, without words
  groupvit groups cat.jpg --model nvidia/groupvit-gcc-yfcc -o groups.png

  # The whole way in minutes on a CPU: draw scenes, train on their captions,
  # measure against their masks
  groupvit data synth --output scenes
  groupvit train --config recipes/scenes.yaml --train-data scenes/train --output runs/scenes
  groupvit eval segmentation --dataset scenes --root scenes/test --model runs/scenes/final`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkValues(cmd); err != nil {
				return err
			}
			env.Started = true
			return nil
		},
	}
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.BoolVar(&env.JSON, "json", false, "print results as one JSON object a line")
	flags.BoolVarP(&env.Quiet, "quiet", "q", false, "print results, warnings and errors alone")
	flags.StringVar(&env.Engine.Kind, "engine", "", "compute engine: auto, simd, go or xla (default $GROUPVIT_ENGINE, then auto)")
	flags.IntVar(&env.Engine.Threads, "threads", 0, "threads of one computation; 0 means all that this process may use")
	flags.StringVar(&env.Engine.Precision, "precision", "", "arithmetic precision: float32, bf16, or for inference int8, or auto, the fastest whose masks are those of float32 (default $GROUPVIT_PRECISION, then float32)")
	for _, g := range commandGroups(env) {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.SetHelpCommandGroupID("program")
	root.SetCompletionCommandGroupID("program")
	addCompletionCommand(root)
	addCompletions(root)
	command.TeachArguments(root)
	return root
}

// Main runs the program and returns its exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &command.Environment{Stdin: stdin, Stdout: stdout, Stderr: stderr, Version: versionName()}
	env.Terminal = command.IsTerminal(stderr)
	root := newRootCommand(env)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	env.Warn("groupvit: %v", err)
	switch {
	case errors.Is(err, command.ErrUsage) || !env.Started:
		env.Warn("groupvit: see %s --help", called.CommandPath())
		return exitUsage
	case errors.Is(err, command.ErrPartial):
		return exitPartial
	}
	return exitFailed
}
