package datasets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/pairs"
)

// sourcesHelp says what commands about data read.
const sourcesHelp = `SOURCES are what train takes: webdataset shards ('a/{0000..0099}.tar'), Parquet
files with pictures (Hugging Face's, img2dataset's), folders of either or of
pictures with captions (.txt or .json) beside them, and tables (CSV, TSV, Parquet)
of paths and captions. Several are read one after the other.`

// openSources lists the samples of a command's arguments.
func openSources(ctx context.Context, args []string, o pairs.TableOptions) (*pairs.Index, error) {
	x, err := pairs.OpenIndexWith(ctx, strings.Join(args, "::"), o)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return x, err
}

// needSources refuses a command without arguments.
func needSources(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.Usagef("name shards, folders or tables: %s", cmd.UseLine())
	}
	return nil
}

// mostProblems is how many problems a command prints; the rest is counted.
const mostProblems = 20

// problemList prints the first of the problems to stderr.
type problemList struct {
	env *command.Environment
	n   int
}

func (l *problemList) add(p pairs.Problem) {
	if l.n++; l.n <= mostProblems {
		l.env.ClearLine()
		l.env.Warn("%s", p)
	}
}

func (l *problemList) end() {
	if more := l.n - mostProblems; more > 0 {
		l.env.Warn("… and %d more", more)
	}
}

// dataUsage makes errors of options errors of usage.
func dataUsage(err error) error {
	if errors.Is(err, pairs.ErrOptions) {
		return command.Usagef("%w", err)
	}
	return err
}
