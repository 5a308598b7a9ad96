package datasets

import (
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
)

func NewDataCommand(env *command.Environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "Make, check and describe data to train and to measure on",
		Example: `  groupvit data synth --output scenes
  groupvit data validate 'photos/*.tar'
  groupvit data pack captions.csv --short-side 144 --output shards`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newDataSynthCommand(env), newDataPackCommand(env), newDataValidateCommand(env), newDataStatsCommand(env),
		newDataConvertCommand(env), newDataVocabularyCommand(env), newDataLabelCommand(env), newDataMasksCommand(env), newDataSpeedCommand(env),
	)
	return cmd
}
