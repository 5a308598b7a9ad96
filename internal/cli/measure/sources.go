package measure

import (
	"context"
	"errors"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/vocab"
)

// openDataset opens a dataset with masks and reports what of its folder is not used.
func openDataset(env *command.Environment, layout, root string, o bench.Options) (*bench.Dataset, error) {
	d, err := bench.Open(layout, root, o)
	if errors.Is(err, bench.ErrUsage) || errors.Is(err, vocab.ErrClasses) {
		return nil, command.Usagef("%w", err)
	}
	if err != nil {
		return nil, err
	}
	if skipped := d.Skipped(); skipped != "" {
		env.Warn("%s: %s", root, skipped)
	}
	return d, nil
}

// openPairs lists photos with captions and reports which cannot be used;
// [reportUnused] reports the rest once they were read.
func openPairs(ctx context.Context, env *command.Environment, sources string) (*pairs.Index, error) {
	index, err := pairs.OpenIndex(ctx, sources)
	if err != nil {
		return nil, err
	}
	if problems := index.Problems(); len(problems) > 0 {
		env.Warn("%s cannot be used, the first: %s", command.Count(len(problems), "sample"), problems[0])
	}
	return index, nil
}

// reportUnused reports what of the sources of photos with captions is not used.
func reportUnused(env *command.Environment, index *pairs.Index) {
	if left := index.LeftOut().String(); left != "" {
		env.Warn("%s", left)
	}
}
