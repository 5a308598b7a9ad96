package datasets

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/training"
	"github.com/groupvit/groupvit/internal/pairs"
)

// SpeedJSON is the line of --json.
type SpeedJSON struct {
	PicturesPerSecond    float64 `json:"pictures_per_second"`
	PicturesPerCPUSecond float64 `json:"pictures_per_cpu_second"`
	Pictures             int     `json:"pictures"`
	Seconds              float64 `json:"seconds"`
	CPUSeconds           float64 `json:"cpu_seconds"`
	DecodeMS             float64 `json:"decode_ms"`
	PictureMS            float64 `json:"picture_ms"`
	WordsMS              float64 `json:"words_ms"`
	MeanWidth            float64 `json:"mean_width"`
	MeanHeight           float64 `json:"mean_height"`
	ImageSize            int     `json:"image_size"`
	Workers              int     `json:"workers"`
}

func newDataSpeedCommand(env *command.Environment) *cobra.Command {
	settings := training.SettingsFlags{}
	var size, workers int
	var seconds float64
	cmd := &cobra.Command{
		Use:   "speed [SOURCES…]",
		Short: "Measure how fast batches are made, without training",
		Long: `speed makes batches as train does, with the recipe's crops, augmentation and
prompts, and throws them away: is the loader fast enough for the network?

It prints pictures a second; pictures a second of one processor, which other
programs on the machine change little; and milliseconds of one processor for a
picture: to read and decode it, to crop, resize and vary it, and for its texts.

` + sourcesHelp,
		Example: `  groupvit data speed 'shards/*.tar' --image-size 112
  groupvit data speed 'shards/*.tar' --config recipes/photos.yaml --workers 2 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(seconds > 0 && seconds <= 3600) {
				return command.Usagef("--seconds %g: it must be above 0, at most 3600", seconds)
			}
			loaded, err := settings.Load(cmd, env)
			if err != nil {
				return err
			}
			o, err := loaded.Settings.LoaderOptions()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				o.Sources = strings.Join(args, "::")
			}
			if o.Sources == "" {
				return command.Usagef("name shards, folders or tables to read, or --train-data")
			}
			if cmd.Flags().Changed("image-size") {
				o.ImageSize = size
			}
			if cmd.Flags().Changed("workers") {
				o.Workers = workers
			}
			if !cmd.Flags().Changed("batch") {
				o.Batch = min(o.Batch, 64)
			}
			s, err := pairs.MeasureSpeed(cmd.Context(), o, time.Duration(seconds*float64(time.Second)))
			if cmd.Context().Err() != nil {
				return fmt.Errorf("interrupted: %w", cmd.Context().Err())
			}
			if err != nil {
				return dataUsage(err)
			}
			if !s.Data.AllUsed() {
				env.Warn("data: %s", s.Data)
			}
			if env.JSON {
				return env.Print(SpeedJSON{
					s.PerSecond(), s.PerCPUSecond(), s.Pictures, s.Seconds, s.CPUSeconds, s.Decode, s.Picture, s.Words, s.Width, s.Height, o.ImageSize, o.Workers,
				})
			}
			fmt.Fprintf(env.Stdout, "%.0f pictures/s", s.PerSecond())
			if cpu := s.PerCPUSecond(); cpu > 0 {
				fmt.Fprintf(env.Stdout, ", %.0f for each second of a processor", cpu)
			}
			_, err = fmt.Fprintf(env.Stdout, "\n%.0f×%.0f to %d pixels, ms of a processor each: decode %.2f, crop and vary %.2f, texts %.2f\n",
				s.Width, s.Height, o.ImageSize, s.Decode, s.Picture, s.Words)
			return err
		},
	}
	settings.Register(cmd.Flags())
	cmd.Flags().IntVar(&size, "image-size", 0, "side of the pictures made, in pixels (default: the recipe's)")
	cmd.Flags().IntVar(&workers, "workers", 0, "goroutines that decode; 0 is one a processor")
	cmd.Flags().Float64Var(&seconds, "seconds", 5, "how long to measure")
	return cmd
}
