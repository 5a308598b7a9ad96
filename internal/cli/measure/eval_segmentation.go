package measure

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

type evalSegmentationFlags struct {
	dataset, root, model, protocol, background, templates string
	shortSide                                             int
	options                                               bench.Options
	choose                                                bool
	sweep, oracle                                         string
	workers                                               int
	output                                                segmentationOutput
	json                                                  jsonFlag
	techniques                                            command.TechniqueFlags
}

func newEvalSegmentationCommand(env *command.Environment) *cobra.Command {
	f := &evalSegmentationFlags{}
	cmd := &cobra.Command{
		Use:   "segmentation --dataset NAME --root DIR",
		Short: "Measure the mean IoU of a model's segmentations",
		Long: `segmentation compares a model's segmentations with a dataset's masks and reports
intersection over union by class and their mean (mIoU, in percent), pixel accuracy,
the F-score of boundaries within 3 pixels, and beside them what one class everywhere
would give.

Datasets (--dataset), each below --root in its official layout; "groupvit data
convert" makes the masks that some need:

  voc12, voc20          PASCAL VOC 2012 with and without background (21, 20)
  context60, context59  PASCAL Context with and without background
  coco-object           COCO val2017, 80 things and background
  coco-stuff            COCO-Stuff 164k, 171
  ade20k                ADE20K, 150
  cityscapes            Cityscapes, 19
  scenes                VOC's folders and classes.txt; from "groupvit data synth"
  camvid                CamVid, 11, as SegNet's authors publish it (test/,
                        testannot/), or as folder
  folder                images/NAME.jpg, masks/NAME.png (value = line of
                        classes.txt, from 0; 255 is ignored), classes.txt: one
                        class a line, its synonyms after commas

Photos may be of any kind that segment reads; masks are PNG: indexed, grey of up to
16 bits, or of colours with equal channels.

Protocols (--protocol): paper, hf, tcl, sclip, best; docs/measuring.md tells each.

--classes measures on some classes only: pixels of the others count as background
where background is named, else they are ignored.

--choose-threshold chooses the background threshold on every other photo for the
others, and the other way round, so that no photo is measured with a threshold
that was chosen on it. --sweep background shows what each threshold would give.

--oracle regions gives each region that the model cuts out its best true class,
--oracle labels asks each photo for the classes alone that it has: the first tells
what grouping loses, the second what words for absent things cost.

--output keeps all in a folder: report.json, report.txt, predictions/ (indexed PNG),
and index.html, a page of pictures, the worst photos first. The same command goes on
there after it was stopped.`,
		Example: `  groupvit eval segmentation --dataset voc12 --root VOCdevkit/VOC2012 --protocol paper --output runs/voc
  groupvit eval segmentation --dataset voc12 --root VOCdevkit/VOC2012 \
    --classes background,cat,cow,dog,horse,person,sheep --choose-threshold --json report.json
  groupvit eval segmentation --dataset voc12 --root VOCdevkit/VOC2012 --sweep background --plot sweep.png
  groupvit eval segmentation --dataset ade20k --root ADEChallengeData2016 --protocol tcl --oracle labels
  groupvit eval segmentation --dataset scenes --root scenes/test --model runs/scenes/final --short-side 64`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.dataset, "dataset", "", "layout of the dataset: "+strings.Join(bench.Layouts(), ", "))
	flags.StringVar(&f.root, "root", "", "folder of the dataset")
	flags.StringSliceVar(&f.options.Classes, "classes", nil, "classes to tell apart, by name or synonym (default all)")
	flags.StringVar(&f.options.Split, "split", "", "list or folder of the photos, as val, val2017 (default: the validation set)")
	flags.IntVar(&f.options.Limit, "limit", 0, "evaluate this many evenly spaced photos; 0 means all")
	flags.StringVar(&f.options.Half, "half", "", "even or odd: every other photo, to tune on one half and report the other")
	command.ModelFlag(cmd, &f.model)
	flags.StringVar(&f.protocol, "protocol", "", "paper, hf, tcl, sclip or best (default: paper for the paper's network, else best)")
	flags.StringVar(&f.background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.BoolVar(&f.choose, "choose-threshold", false, "choose the background threshold on half of the photos for the other half")
	flags.StringVar(&f.sweep, "sweep", "", "background: measure with many background thresholds too")
	flags.StringVar(&f.oracle, "oracle", "", "give a part of the truth: regions or labels")
	flags.StringVar(&f.templates, "templates", "", "prompts by name, as simple, subset, short, tcl (default: the protocol's)")
	flags.IntVar(&f.shortSide, "short-side", 0, "input resolution: the short side in pixels (default: the protocol's)")
	flags.IntVar(&f.workers, "workers", 0, "photos processed at once; 0 means one per processor")
	f.techniques.Add(cmd)
	f.output.add(cmd)
	f.json.add(cmd)
	return cmd
}

// check looks for mistakes in the flags and makes the options of the model.
func (f *evalSegmentationFlags) check() (groupvit.SegmentOptions, error) {
	o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: f.shortSide}, QueryOptions: groupvit.QueryOptions{Templates: f.templates}}
	var err error
	switch {
	case f.dataset == "":
		return o, command.Usagef("name the dataset's layout with --dataset: %s", strings.Join(bench.Layouts(), ", "))
	case f.root == "":
		return o, command.Usagef("name the dataset's folder with --root")
	case f.workers < 0:
		return o, command.Usagef("--workers %d: it must be 0 (one a processor) or more", f.workers)
	case f.choose && f.background != "auto":
		return o, command.Usagef("--choose-threshold and --background %s both say what is background: give one", f.background)
	case f.sweep != "" && f.sweep != "background":
		return o, command.Usagef("--sweep %s: there is --sweep background", f.sweep)
	case f.sweep != "" && f.choose:
		return o, command.Usagef("--choose-threshold tells the grid of its thresholds itself: leave out --sweep")
	case f.oracle == string(evaluate.OracleRegions) && (f.choose || f.sweep != ""):
		return o, command.Usagef("--oracle regions names regions by the truth: no threshold has a say, leave out --choose-threshold and --sweep")
	}
	if err := f.output.check(f); err != nil {
		return o, err
	}
	if o.Protocol, err = groupvit.ParseProtocol(f.protocol); err != nil {
		return o, command.Usagef("--protocol: %w", err)
	}
	if o.Background, err = groupvit.ParseBackground(f.background); err != nil {
		return o, command.Usagef("--background: %w", err)
	}
	err = f.techniques.Set(&o)
	return o, err
}

func (f *evalSegmentationFlags) run(cmd *cobra.Command, env *command.Environment) error {
	o, err := f.check()
	if err != nil {
		return err
	}
	d, err := openDataset(env, f.dataset, f.root, f.options)
	if err != nil {
		return err
	}
	if err := f.json.check(); err != nil {
		return err
	}
	m, err := env.OpenWith(cmd, f.model, f.techniques.Calibration)
	if err != nil {
		return err
	}
	defer m.Close()
	p, err := evaluate.NewModelPredictor(m, d, o, env.Engine.Threads)
	if err != nil {
		return f.usage(err)
	}
	r, err := f.measure(cmd.Context(), env, d, p)
	if err != nil {
		return f.usage(err)
	}
	r.Command = commandLine(cmd)
	if err := f.output.write(cmd.Context(), env, d, r); err != nil {
		return err
	}
	return f.json.write(env, r, r.WriteText)
}

// measure measures with a bar of progress.
func (f *evalSegmentationFlags) measure(ctx context.Context, env *command.Environment, d *bench.Dataset, p *evaluate.ModelPredictor) (*evaluate.Report, error) {
	bar := env.Progress("photos", len(d.Samples))
	defer bar.Done()
	r, err := evaluate.Segmentation(ctx, d, p, evaluate.Options{
		Workers: f.workers, SplitThreshold: f.choose, Sweep: f.sweep != "", Oracle: evaluate.Oracle(f.oracle), Progress: bar.Set,
		Folder: f.output.folder, Question: p.Question(),
	})
	if ctx.Err() != nil {
		kept := "nothing is reported for a part of the photos"
		if f.output.folder != "" {
			kept = "the same command goes on in " + filepath.Clean(f.output.folder)
		}
		return nil, fmt.Errorf("interrupted: %s: %w", kept, ctx.Err())
	}
	return r, err
}

// usage marks errors about what was asked for.
func (f *evalSegmentationFlags) usage(err error) error {
	for _, wrong := range []error{groupvit.ErrOption, groupvit.ErrLabels, evaluate.ErrOptions, evaluate.ErrOtherQuestion} {
		if errors.Is(err, wrong) {
			return command.Usagef("%w", err)
		}
	}
	return err
}
