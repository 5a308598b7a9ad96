package models

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
)

func NewModelCommand(env *command.Environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Fetch models, list, describe, convert and export them",
		Example: `  groupvit model pull nvidia/groupvit-gcc-yfcc
  groupvit model show nvidia/groupvit-gcc-yfcc`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelListCommand(env), newModelPullCommand(env), newModelShowCommand(env),
		newModelConvertCommand(env), newModelExportCommand(env), newModelRemoveCommand(env))
	return cmd
}

func newModelShowCommand(env *command.Environment) *cobra.Command {
	words := false
	cmd := &cobra.Command{
		Use:   "show [MODEL]",
		Short: "Say what a model is: sizes, hash, protocol",
		Example: `  groupvit model show
  groupvit model show --words
  groupvit model show runs/photos/final --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: command.CompleteFirst(command.ModelNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := groupvit.DefaultModel
			if len(args) == 1 {
				name = args[0]
			}
			m, err := env.Open(cmd, name)
			if err != nil {
				return err
			}
			defer m.Close()
			if words {
				return printWords(env, m)
			}
			s := m.Summary()
			if env.JSON {
				return env.Print(s)
			}
			w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
			for _, row := range []struct {
				name  string
				value any
			}{
				{"model", s.Name}, {"sha256", s.SHA256}, {"the paper's network", s.Paper}, {"parameters", s.Parameters},
				{"image size", s.ImageSize}, {"patch size", s.PatchSize}, {"width", s.Width}, {"blocks a stage", s.Depths},
				{"groups a stage", s.Groups}, {"embedding width", s.EmbedWidth}, {"vocabulary", s.Vocabulary},
				{"context", s.Context}, {"map from", s.Map}, {"protocol", s.Protocol}, {"mean", s.Mean}, {"std", s.Std},
			} {
				fmt.Fprintf(w, "%s\t%v\n", row.name, row.value)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&words, "words", false, "list the words that the model proposes by itself, with what counts as them")
	return cmd
}

// printWords lists a model's vocabulary, the most frequent words first.
func printWords(env *command.Environment, m *groupvit.Model) error {
	words, trained := m.Vocabulary()
	slices.SortStableFunc(words, func(a, b groupvit.Word) int { return cmp.Compare(b.Captions, a.Captions) })
	if env.JSON {
		for _, w := range words {
			if err := env.Print(w); err != nil {
				return err
			}
		}
		return nil
	}
	if !trained {
		env.Say("the model has no list of words: these are built-in ones")
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "word\tcaptions\tkind\tsynonyms")
	for _, word := range words {
		kind := "thing"
		if word.Scenery {
			kind = "scenery"
		}
		names := strings.Join(word.Synonyms[:min(len(word.Synonyms), shownSynonyms)], ", ")
		if len(word.Synonyms) > shownSynonyms {
			names += ", …"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", word.Name, word.Captions, kind, names)
	}
	return w.Flush()
}

// shownSynonyms keeps a line of [printWords] short.
const shownSynonyms = 6
