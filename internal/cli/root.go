// Package cli is the groupvit command: one file a command, each of which reads
// its flags, makes one call and writes the result. Nothing is computed here.
//
// stdout carries data only; progress and warnings go to stderr. Exit codes: 0
// done, 1 failed, 2 wrong usage, 3 part of a batch failed.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/groupvit/groupvit/internal/engine"
)

// Exit codes of the program.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
)

var (
	// errUsage is wrapped by errors about flags and arguments: exit code 2.
	errUsage = errors.New("wrong usage")
	// errPartial is wrapped where a part of a batch failed: exit code 3.
	errPartial = errors.New("part of the work failed")
)

// usagef makes an error of exit code 2.
func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

// environment is what every command shares: where it reads and writes, and the
// flags that all commands have.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// terminal says that stderr is a terminal: progress bars are welcome.
	terminal bool
	// quiet leaves out what is neither a result nor a warning: --quiet.
	quiet bool
	// json says that results go to stdout as one JSON object a line.
	json bool
	// engine says what computes.
	engine engine.Options
	// started is set once flags and arguments have been understood.
	started bool
}

// The help lists commands in the order in which they are useful.
func init() { cobra.EnableCommandSorting = false }

// commandGroup is a part of the list of commands in the help.
type commandGroup struct {
	id, title string
	commands  []*cobra.Command
}

// commandGroups lists every command. A new one is added here.
func commandGroups(env *environment) []commandGroup {
	return []commandGroup{
		{"photos", "With photos:", []*cobra.Command{
			newSegmentCommand(env), newExplainCommand(env), newGroupsCommand(env), newClassifyCommand(env), newEmbedCommand(env), newServeCommand(env),
			newVideoCommand(env), newJoinCommand(env),
		}},
		{"train", "To train and to measure:", []*cobra.Command{
			newTrainCommand(env), newEvalCommand(env), newCalibrateCommand(env), newExperimentCommand(env), newBenchCommand(env), newDataCommand(env), newConfigCommand(env),
		}},
		{"program", "Models and the program itself:", []*cobra.Command{
			newModelCommand(env), newDoctorCommand(env), newManCommand(env), newVersionCommand(env),
		}},
	}
}

// print writes a result as one line of JSON to stdout.
func (e *environment) print(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(append(b, '\n'))
	return err
}

// warn writes a line to stderr.
func (e *environment) warn(format string, args ...any) {
	fmt.Fprintf(e.stderr, format+"\n", args...)
}

// say writes a line about the course of things to stderr, unless that is to be quiet.
func (e *environment) say(format string, args ...any) {
	if !e.quiet {
		e.warn(format, args...)
	}
}

// newRootCommand builds the program's tree of commands.
func newRootCommand(env *environment) *cobra.Command {
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
  groupvit groups cat.jpg -o groups.png

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
			env.started = true
			return nil
		},
	}
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.BoolVar(&env.json, "json", false, "print results as one JSON object a line")
	flags.BoolVarP(&env.quiet, "quiet", "q", false, "print results, warnings and errors alone")
	flags.StringVar(&env.engine.Kind, "engine", "", "compute engine: auto, simd, go or xla (default $GROUPVIT_ENGINE, then auto)")
	flags.IntVar(&env.engine.Threads, "threads", 0, "threads of one computation; 0 means all that this process may use")
	flags.StringVar(&env.engine.Precision, "precision", "", "arithmetic precision: float32, bf16, or for inference int8 (default $GROUPVIT_PRECISION, then float32)")
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
	teachArguments(root)
	return root
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Main runs the program and returns its exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &environment{stdin: stdin, stdout: stdout, stderr: stderr}
	env.terminal = isTerminal(stderr)
	root := newRootCommand(env)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	env.warn("groupvit: %v", err)
	switch {
	case errors.Is(err, errUsage) || !env.started:
		env.warn("groupvit: see %s --help", called.CommandPath())
		return exitUsage
	case errors.Is(err, errPartial):
		return exitPartial
	}
	return exitFailed
}
