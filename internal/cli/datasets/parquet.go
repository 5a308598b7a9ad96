package datasets

import (
	"context"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/pairs"
)

// parquetConverter reads Parquet files with pictures.
func parquetConverter() converter {
	return converter{
		Name: "parquet",
		what: "Parquet with pictures, as Hugging Face's datasets have it: a file, a folder, a pattern",
		run: func(ctx context.Context, env *command.Environment, f *packFlags, from string) error {
			if err := f.check(); err != nil {
				return err
			}
			x, err := openSources(ctx, []string{from}, pairs.TableOptions{})
			if err != nil {
				return err
			}
			return f.writeIndex(ctx, env, x, x.Samples(ctx), PackJSON{Layout: "parquet"})
		},
	}
}
