package datasets

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/training"
	"github.com/groupvit/groupvit/internal/pairs"
)

// findingJSON is a line of --json: one finding.
type findingJSON struct {
	Source string `json:"source"`
	Key    string `json:"key"`
	Kind   string `json:"kind"`
	Note   bool   `json:"note"`
	Detail string `json:"detail"`
}

func newDataValidateCommand(env *command.Environment) *cobra.Command {
	var table pairs.TableOptions
	var o pairs.CheckOptions
	var notes bool
	cmd := &cobra.Command{
		Use:   "validate SOURCES…",
		Short: "Check that every sample can be trained on",
		Long: `validate decodes every picture, reads every caption, and looks whether the files
of each sample stand together. It prints what is bad, one line each, and a summary;
exit code 3 where anything is.

` + sourcesHelp + `

Bad are: no picture, no caption, a picture that does not decode, broken JSON or
text (no UTF-8, control characters, no letters), files beyond the limits, shards
that are cut, a name that comes again because its files do not stand together.
Notes, printed with --notes, are counted: captions longer than the context, links
and markup in captions, equal captions of one picture, strips and specks. Files that
are no part of a sample are counted by what they are.

With --json each finding is a line {source, key, kind, note, detail}, and the last
line is the summary {samples, good, bad, notes, left_out}.`,
		Example: `  groupvit data validate 'shards/*.tar'
  groupvit data validate captions.csv --json > findings.jsonl`,
		Args: needSources,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if o.Context < 0 || o.Context > 4096 {
				return command.Usagef("--context %d: it must be 0 (CLIP's 77) to 4096", o.Context)
			}
			x, err := openSources(ctx, args, table)
			if err != nil {
				return err
			}
			bar := env.Progress("samples", x.Len())
			o.Progress = bar.Set
			r, err := pairs.Check(ctx, x, o, func(f pairs.Finding) {
				switch {
				case env.JSON:
					_ = env.Print(findingJSON{f.Source, f.Problem.Key, f.Kind, f.Note, f.Err.Error()})
				case !f.Note || notes:
					env.ClearLine()
					fmt.Fprintln(env.Stdout, f.Problem)
				}
			})
			bar.Done()
			if ctx.Err() != nil {
				return fmt.Errorf("interrupted: %w", ctx.Err())
			}
			if err != nil {
				return err
			}
			if env.JSON {
				err = env.Print(r)
			} else {
				env.Warn("%s, %d good", command.Count(r.Samples, "sample"), r.Good)
				for _, part := range []struct {
					name   string
					counts map[string]int
				}{{"bad", r.Bad}, {"note", r.Notes}} {
					for _, kind := range slices.Sorted(maps.Keys(part.counts)) {
						env.Warn("  %s: %d %s", part.name, part.counts[kind], kind)
					}
				}
				if left := r.LeftOut.String(); left != "" {
					env.Warn("  %s", left)
				}
			}
			if n := r.TotalBad(); err == nil && n > 0 {
				return fmt.Errorf("%w: %s in %s", command.ErrPartial, command.Count(n, "finding"), command.Count(r.Samples, "sample"))
			}
			return err
		},
	}
	training.TableFlags(cmd.Flags(), &table)
	cmd.Flags().IntVar(&o.Context, "context", 0, "token ids of a caption that are used (default CLIP's 77)")
	cmd.Flags().BoolVar(&notes, "notes", false, "print notes, too")
	return cmd
}
