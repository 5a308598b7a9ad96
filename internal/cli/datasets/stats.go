package datasets

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/training"
	"github.com/groupvit/groupvit/internal/pairs"
)

func newDataStatsCommand(env *command.Environment) *cobra.Command {
	var table pairs.TableOptions
	o := pairs.StatsOptions{}
	cmd := &cobra.Command{
		Use:   "stats SOURCES…",
		Short: "Count words, sizes and duplicates",
		Long: `stats reads a data set and tells what is in it: sizes of pictures, words and nouns
of captions, and how much comes twice: pictures with the same bytes, pictures that
look the same, captions that fit several pictures. Equal captions in a batch are
false negatives for the loss; loss.soft_targets mends that.

` + sourcesHelp,
		Example: `  groupvit data stats 'shards/*.tar'
  groupvit data stats captions.csv --top 50 --json`,
		Args: needSources,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Top < 0 {
				return command.Usagef("--top %d: it must not be negative", o.Top)
			}
			x, err := openSources(cmd.Context(), args, table)
			if err != nil {
				return err
			}
			bar := env.Progress("samples", x.Len())
			o.Progress = bar.Set
			s, err := pairs.Describe(cmd.Context(), x, o)
			bar.Done()
			if cmd.Context().Err() != nil {
				return fmt.Errorf("interrupted: %w", cmd.Context().Err())
			}
			if err != nil {
				return err
			}
			if env.JSON {
				return env.Print(s)
			}
			return writeStats(env.Stdout, s)
		},
	}
	training.TableFlags(cmd.Flags(), &table)
	cmd.Flags().IntVar(&o.Top, "top", 20, "length of the lists of words, nouns, tags and captions")
	return cmd
}

// writeStats writes a data set's numbers for people.
func writeStats(w io.Writer, s pairs.Stats) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	spread := func(name string, p pairs.Spread) {
		line(name, "%g to %g, mean %g, median %g", p.Least, p.Most, p.Mean, p.Median)
	}
	list := func(name string, counts []pairs.Count) {
		if len(counts) == 0 {
			return
		}
		var parts []string
		for _, c := range counts {
			parts = append(parts, fmt.Sprintf("%s %d", c.Text, c.N))
		}
		line(name, "%s", strings.Join(parts, ", "))
	}
	line("samples", "%d, %.1f MB of pictures", s.Samples, float64(s.Bytes)/1e6)
	for reason, n := range s.Skipped {
		line("skipped", "%d %s", n, reason)
	}
	if left := s.LeftOut.String(); left != "" {
		line("left out", "%s", left)
	}
	spread("width", s.Width)
	spread("height", s.Height)
	spread("width/height", s.Aspect)
	line("captions", "%d, %d distinct", s.Captions, s.Distinct)
	spread("captions each", s.CaptionsEach)
	spread("words each", s.Words)
	line("vocabulary", "%d words, %d at least 3 times, %d at least 5 times", s.Vocabulary, s.Vocabulary3, s.Vocabulary5)
	list("words", s.TopWords)
	list("nouns (samples)", s.TopNouns)
	list("tags (samples)", s.TopTags)
	list("captions of several", s.TopCaptions)
	line("duplicates", "%d pictures with the bytes of another, %d more that look the same", s.SameBytes, s.LookAlike)
	for _, pair := range s.Examples {
		line("", "%s = %s", pair[0], pair[1])
	}
	return t.Flush()
}
