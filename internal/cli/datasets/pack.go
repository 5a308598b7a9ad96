package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/training"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/shards"
)

// packFlags are the flags of what writes shards.
type packFlags struct {
	output, prefix string
	shardSize      int
	options        pairs.PackOptions
}

func (f *packFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&f.output, "output", "o", "", "folder for the shards; new or empty")
	flags.StringVar(&f.prefix, "prefix", "part", "beginning of the shards' names")
	flags.IntVar(&f.shardSize, "shard-size", 1000, "samples of a shard")
	flags.IntVar(&f.options.ShortSide, "short-side", 0, "shrink pictures to this short side, in pixels; 0 keeps their bytes")
	flags.IntVar(&f.options.Quality, "quality", 90, "JPEG quality of what is shrunk, 1 to 100")
}

// check looks for mistakes before anything is read.
func (f *packFlags) check() error {
	if f.output == "" {
		return command.Usagef("name a folder for the shards with --output")
	}
	if err := f.options.Validate(); err != nil {
		return command.Usagef("%w", err)
	}
	entries, err := os.ReadDir(f.output)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("folder %s is not empty: name a new one with --output or remove it", f.output)
	}
	return nil
}

// PackJSON is the line of --json.
type PackJSON struct {
	Output  string         `json:"output"`
	Shards  int            `json:"shards"`
	Samples int            `json:"samples"`
	Skipped map[string]int `json:"skipped"`
	Layout  string         `json:"layout,omitempty"`
	// LeftOut counts files that are no part of any sample.
	LeftOut *shards.LeftOut `json:"left_out,omitempty"`
}

// write writes samples into shards, and says what it has written.
func (f *packFlags) write(ctx context.Context, env *command.Environment, samples iter.Seq2[*pairs.Sample, error], about int, result PackJSON) error {
	result, err := f.pack(ctx, env, samples, about, result)
	if err != nil {
		return err
	}
	if env.JSON {
		err = env.Print(result)
	} else {
		env.Warn("%s in %s", command.Count(result.Samples, "sample"), command.Count(result.Shards, "shard"))
		_, err = fmt.Fprintln(env.Stdout, f.output)
	}
	return errors.Join(err, leftOut(result.Skipped))
}

// leftOut is the error of a run that left samples out, nil where there are none.
func leftOut(skipped map[string]int) error {
	if n := total(skipped); n > 0 {
		return fmt.Errorf("%w: %s left out", command.ErrPartial, counted(n, "sample was", "samples were"))
	}
	return nil
}

// pack writes samples into shards, about so many, 0 where that is not known, and
// returns the result with what it has written and left out.
func (f *packFlags) pack(ctx context.Context, env *command.Environment, samples iter.Seq2[*pairs.Sample, error], about int, result PackJSON) (PackJSON, error) {
	w, err := pairs.NewShardWriter(f.output, f.prefix, f.shardSize)
	if err != nil {
		return result, dataUsage(err)
	}
	if about > 0 {
		bar := env.Progress("samples", about)
		f.options.Progress = bar.Set
		defer bar.Done()
	}
	problems := problemList{env: env}
	if result.Skipped == nil {
		result.Skipped = map[string]int{}
	}
	err = pairs.Pack(ctx, samples, w, f.options, func(p pairs.Problem) {
		result.Skipped[p.Reason()]++
		problems.add(p)
	})
	problems.end()
	if left := result.LeftOut.String(); left != "" {
		env.Warn("%s", left)
	}
	switch {
	case ctx.Err() != nil:
		return result, fmt.Errorf("interrupted: %d shards in %s are whole: %w", len(w.Shards()), f.output, ctx.Err())
	case err != nil:
		return result, dataUsage(err)
	case w.Written() == 0:
		return result, fmt.Errorf("%w: nothing is written", pairs.ErrNoSamples)
	}
	result.Output, result.Shards, result.Samples = f.output, len(w.Shards()), w.Written()
	return result, nil
}

// writeIndex writes samples of an index into shards, and tells what listing it found
// unusable.
func (f *packFlags) writeIndex(ctx context.Context, env *command.Environment, x *pairs.Index, samples iter.Seq2[*pairs.Sample, error], result PackJSON) error {
	result.Skipped, result.LeftOut = map[string]int{}, x.LeftOut()
	problems := problemList{env: env}
	for _, p := range x.Problems() {
		result.Skipped[p.Reason()]++
		problems.add(p)
	}
	problems.end()
	return f.write(ctx, env, samples, x.Len(), result)
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func newDataPackCommand(env *command.Environment) *cobra.Command {
	f := &packFlags{}
	var table pairs.TableOptions
	var shuffle bool
	var seed uint64
	cmd := &cobra.Command{
		Use:   "pack SOURCES… --output DIR",
		Short: "Pack pictures with captions into shards",
		Long: `pack writes pictures with their captions into webdataset shards, which train reads
fastest: one file for a thousand samples, read from front to back.

` + sourcesHelp + `

Every picture is decoded; what cannot be used is left out and told (exit code 3).
Pictures keep their bytes unless --short-side shrinks them: training at 112 pixels
needs no more than 144 or so, and decodes such pictures several times as fast.
Give --shuffle where the sources are sorted: a batch should hold many things.`,
		Example: `  groupvit data pack photos/ --output shards
  groupvit data pack captions.csv --short-side 144 --shuffle --output shards
  groupvit data pack 'big/{0000..0099}.tar' --short-side 256 --output small`,
		Args: needSources,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			x, err := openSources(cmd.Context(), args, table)
			if err != nil {
				return err
			}
			samples := x.Samples(cmd.Context())
			if shuffle {
				samples = x.Shuffled(cmd.Context(), seed)
			}
			return f.writeIndex(cmd.Context(), env, x, samples, PackJSON{})
		},
	}
	f.register(cmd.Flags())
	training.TableFlags(cmd.Flags(), &table)
	cmd.Flags().BoolVar(&shuffle, "shuffle", false, "write samples in random order")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "seed of that order")
	return cmd
}
