package measure

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

type evalRetrievalFlags struct {
	data, model string
	options     evaluate.RetrievalOptions
	json        jsonFlag
}

func newEvalRetrievalCommand(env *command.Environment) *cobra.Command {
	f := &evalRetrievalFlags{}
	cmd := &cobra.Command{
		Use:   "retrieval --data SHARDS",
		Short: "Measure how well a model finds captions for pictures, and pictures for captions",
		Long: `retrieval embeds the pictures and captions of a set and searches both ways. R@K is
the share of searches whose right answer is among the first K, in percent, beside
what chance gives. With several captions a picture there are two forms: among
first captions only, and among all (the usual one of Flickr8k and COCO).

--data takes what train takes: shards, ranges, folders, joined by "::".`,
		Example: `  groupvit eval retrieval --data val/flickr8k-val-000000.tar
  groupvit eval retrieval --data 'val/*.tar' --model runs/photos/final --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", "", "shards or folders of pictures with captions")
	command.ModelFlag(cmd, &f.model)
	flags.IntVar(&f.options.Limit, "limit", 0, "evaluate this many evenly spaced samples; 0 means all")
	flags.IntVar(&f.options.Workers, "workers", 0, "pictures processed at once; 0 means one per processor")
	f.json.add(cmd)
	return cmd
}

func (f *evalRetrievalFlags) run(cmd *cobra.Command, env *command.Environment) error {
	if f.data == "" {
		return command.Usagef("name shards or folders of pictures with captions with --data")
	}
	if f.options.Limit < 0 || f.options.Workers < 0 {
		return command.Usagef("--limit %d and --workers %d must be 0 or more", f.options.Limit, f.options.Workers)
	}
	if err := f.json.check(); err != nil {
		return err
	}
	index, err := openPairs(cmd.Context(), env, f.data)
	if err != nil {
		return err
	}
	m, err := env.Open(cmd, f.model)
	if err != nil {
		return err
	}
	defer m.Close()
	n := index.Len()
	if f.options.Limit > 0 {
		n = min(n, f.options.Limit)
	}
	bar := env.Progress("pictures", n)
	f.options.Progress = bar.Set
	r, err := evaluate.MeasureRetrieval(cmd.Context(), index, m, f.options)
	bar.Done()
	reportUnused(env, index)
	switch {
	case cmd.Context().Err() != nil:
		return fmt.Errorf("interrupted: nothing is reported for a part of the set: %w", cmd.Context().Err())
	case errors.Is(err, evaluate.ErrOptions):
		return command.Usagef("%w", err)
	case err != nil:
		return err
	}
	info := m.Info()
	r.Model, r.Engine, r.Threads = evaluate.Model{Name: info.Name, SHA256: info.SHA256}, m.Engine(), env.Engine.Threads
	r.Data, r.Command = f.data, commandLine(cmd)
	return f.json.write(env, r, r.WriteText)
}
