package datasets

import (
	"context"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/pairs"
)

// img2datasetConverter reads what img2dataset wrote.
func img2datasetConverter() converter {
	return converter{
		Name: "img2dataset",
		what: "what img2dataset wrote: webdataset, files or parquet; what it failed to fetch is left out",
		run: func(ctx context.Context, env *command.Environment, f *packFlags, from string) error {
			if err := f.check(); err != nil {
				return err
			}
			layout, samples, err := pairs.Img2dataset(ctx, from)
			if err != nil {
				return err
			}
			return f.writeIndex(ctx, env, samples, samples.Samples(ctx), PackJSON{Layout: layout})
		},
	}
}
