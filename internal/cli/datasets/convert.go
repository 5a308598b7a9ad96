package datasets

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// converter makes what this program reads of what another wrote. Each has a file
// of its own and stands in the list of newDataConvertCommand.
type converter struct {
	// Name is that of --from, what says in a few words what is read.
	Name, what string
	// register adds flags of its own, if it has any.
	register func(*pflag.FlagSet)
	// run converts the argument.
	run func(ctx context.Context, env *command.Environment, f *packFlags, from string) error
}

// Converters are all that there are.
func Converters() []converter {
	return append([]converter{img2datasetConverter(), parquetConverter()}, annotationConverters()...)
}

func newDataConvertCommand(env *command.Environment) *cobra.Command {
	converters := Converters()
	f := &packFlags{}
	var from string
	var names, lines []string
	for _, c := range converters {
		names = append(names, c.Name)
		lines = append(lines, fmt.Sprintf("  %-12s  %s", c.Name, c.what))
	}
	cmd := &cobra.Command{
		Use:   "convert --from KIND PATH --output DIR",
		Short: "Make shards and masks of what others published",
		Long: `convert reads what another program wrote and writes it as this one reads it best.
Kinds (--from):

` + strings.Join(lines, "\n"),
		Example: `  groupvit data convert --from img2dataset cc3m --output shards
  groupvit data convert --from img2dataset cc3m --short-side 144 --output shards
  groupvit data convert --from parquet flickr30k/data --output shards

  # Masks to measure on (docs/measuring.md): beside COCO-Stuff's pixel maps, into
  # VOC 2010 and 2012, of any COCO instances
  groupvit data convert --from coco-object coco_stuff164k
  groupvit data convert --from context trainval --output VOCdevkit/VOC2010
  groupvit data convert --from voc-aug benchmark_RELEASE --output VOCdevkit/VOC2012
  groupvit data convert --from coco-json instances_val2017.json --photos val2017 --output mine`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, c := range converters {
				if c.Name == from {
					return c.run(cmd.Context(), env, f, args[0])
				}
			}
			return command.Usagef("--from %q: one of %s", from, strings.Join(names, ", "))
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "what wrote it: "+strings.Join(names, ", "))
	f.register(cmd.Flags())
	for _, c := range converters {
		if c.register != nil {
			c.register(cmd.Flags())
		}
	}
	return cmd
}
