package measure

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/modelfile"
)

func NewCalibrateCommand(env *command.Environment) *cobra.Command {
	var dataset, root, model, out, captions string
	var options bench.Options
	var techniques command.TechniqueFlags
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "Fit a model's threshold and scale to a few labelled photos",
		Long: `calibrate finds the background threshold, and the scale of the words' scores, that
give the best mean IoU on labelled photos (--dataset, --root), for one choice of
techniques. It writes a small file, which "segment --calibration FILE" and "eval"
read; named calibration.json in a model directory, it is read with the model. What
the file holds already stays.

--captions counts the words of training captions: a model with word_counts.json in its
directory says which labels it hardly met.

Measure on other photos than those it was fitted to.`,
		Example: `  groupvit calibrate --dataset voc12 --root VOCdevkit/VOC2012 --limit 20 -o mine.json
  groupvit segment photos/ --labels dog --calibration mine.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}}
			if (dataset == "") != (root == "") || dataset == "" && captions == "" {
				return command.Usagef("name labelled photos with --dataset and --root (%s), or captions with --captions", strings.Join(bench.Layouts(), ", "))
			}
			if err := techniques.Set(&o); err != nil {
				return err
			}
			c, err := readOwn(out)
			if err != nil {
				return err
			}
			m, err := env.OpenWith(cmd, model, techniques.Calibration)
			if err != nil {
				return err
			}
			defer m.Close()
			if dataset != "" {
				d, err := openDataset(env, dataset, root, options)
				if err != nil {
					return err
				}
				fit, err := fitBoth(cmd, env, m, d, o)
				if err != nil {
					return err
				}
				c.Set(fit)
				if _, err := fmt.Fprintf(env.Stdout, "threshold %g, scale %.4g for %q: mIoU %.2f on %d photos\n", fit.Threshold, cmp.Or(fit.Sharpness, m.Sharpness()), fit.Techniques, fit.MIoU, fit.Photos); err != nil {
					return err
				}
			}
			if captions != "" {
				if err := countWords(cmd, env, captions, filepath.Join(filepath.Dir(out), modelfile.WordCountsName)); err != nil {
					return err
				}
			}
			return command.WriteFile(out, func(w io.Writer) error { return c.Write(w) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dataset, "dataset", "", "layout of the labelled photos: "+strings.Join(bench.Layouts(), ", "))
	flags.StringVar(&root, "root", "", "their folder")
	flags.StringSliceVar(&options.Classes, "classes", nil, "classes to tell apart, background among them (default all)")
	flags.StringVar(&options.Split, "split", "", "list of the photos (default: the validation set)")
	flags.IntVar(&options.Limit, "limit", 0, "evaluate this many evenly spaced photos; 0 means all")
	flags.StringVar(&options.Half, "half", "", "even or odd: every other photo, to tune on one half and report the other")
	flags.StringVar(&captions, "captions", "", "training shards whose words are counted, to word_counts.json beside the file")
	flags.StringVarP(&out, "output", "o", modelfile.CalibrationName, "file to write")
	command.ModelFlag(cmd, &model)
	techniques.Add(cmd)
	return cmd
}

// readOwn reads the file that will be written, if it is there.
func readOwn(path string) (*modelfile.Calibration, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &modelfile.Calibration{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return modelfile.ReadCalibration(f)
}

// scales are what the model's own scale is multiplied by: itself first, which stays
// where no other is better.
var scales = []float64{1, 0.5, math.Sqrt2 / 2, math.Sqrt2, 2}

// fitBoth tries every scale with every threshold.
func fitBoth(cmd *cobra.Command, env *command.Environment, m *groupvit.Model, d *bench.Dataset, o groupvit.SegmentOptions) (modelfile.Fit, error) {
	var best modelfile.Fit
	for i, factor := range scales {
		if o.Sharpness = 0; i > 0 {
			o.Sharpness = factor * m.Sharpness()
		}
		fit, err := fitThreshold(cmd, env, m, d, o)
		if err != nil {
			return best, err
		}
		if fit.Sharpness = o.Sharpness; i == 0 || fit.MIoU > best.MIoU {
			best = fit
		}
	}
	return best, nil
}

// fitThreshold measures all thresholds on labelled photos and takes the best.
func fitThreshold(cmd *cobra.Command, env *command.Environment, m *groupvit.Model, d *bench.Dataset, o groupvit.SegmentOptions) (modelfile.Fit, error) {
	var fit modelfile.Fit
	p, err := evaluate.NewModelPredictor(m, d, o, env.Engine.Threads)
	if err != nil {
		return fit, err
	}
	bar := env.Progress("photos", len(d.Samples))
	r, err := evaluate.Segmentation(cmd.Context(), d, p, evaluate.Options{SplitThreshold: true, Progress: bar.Set})
	bar.Done()
	if err != nil {
		return fit, err
	}
	fit = modelfile.Fit{Techniques: r.Techniques, Photos: r.Images}
	grid := slices.Clone(r.Split.Grid)
	for _, g := range grid {
		if g.MIoU != nil && *g.MIoU > fit.MIoU {
			fit.Threshold, fit.MIoU = g.Threshold, *g.MIoU
		}
	}
	return fit, nil
}

// keptWords is how many words of training are kept: less than a third of a megabyte.
const keptWords = 16_384

// countWords counts in how many captions of shards each word stands.
func countWords(cmd *cobra.Command, env *command.Environment, sources, path string) error {
	index, err := openPairs(cmd.Context(), env, sources)
	if err != nil {
		return err
	}
	var c modelfile.WordCounts
	var first error
	broken := 0
	for sample, err := range index.Samples(cmd.Context()) {
		if ctxErr := cmd.Context().Err(); ctxErr != nil {
			return ctxErr
		}
		if err != nil { // a sample that training leaves out too
			if broken++; broken == 1 {
				first = err
			}
			continue
		}
		for _, caption := range sample.Captions {
			c.Add(caption)
		}
	}
	if broken > 0 {
		env.Warn("%s left out, the first: %v", command.Count(broken, "broken sample"), first)
	}
	reportUnused(env, index)
	b, err := c.JSON(keptWords, limits.ConfigBytes)
	if err != nil {
		return err
	}
	return command.StoreBytes(path, append(b, '\n'))
}
