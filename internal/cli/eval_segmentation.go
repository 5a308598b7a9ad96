package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/vocab"
)

type evalSegmentationFlags struct {
	dataset, root, model, protocol, background, templates string
	shortSide                                             int
	options                                               bench.Options
	choose, perImage                                      bool
	workers                                               int
	json                                                  jsonFlag
}

func newEvalSegmentationCommand(env *environment) *cobra.Command {
	f := &evalSegmentationFlags{}
	cmd := &cobra.Command{
		Use:   "segmentation --dataset NAME --root DIR",
		Short: "Measure the mean IoU of a model's segmentations",
		Long: `segmentation compares a model's segmentations with a dataset's masks and reports
intersection over union by class and their mean (mIoU, in percent), pixel
accuracy, and beside them what one class everywhere would give.

Datasets (--dataset), each below --root:

  voc12           PASCAL VOC 2012: JPEGImages/, SegmentationClass/,
                  ImageSets/Segmentation/SPLIT.txt; 255 is ignored
  scenes          the same folders and classes.txt; from "groupvit data synth"
  camvid, folder  images/NAME.jpg or .png, masks/NAME.png (value = line of
                  classes.txt, from 0; 255 is ignored), classes.txt

--classes measures on some classes only: pixels of the others count as
background where background is named, else they are ignored.

--choose-threshold chooses the background threshold on every other photo for the
others, and the other way round, so that no photo is measured with a threshold
that was chosen on it.`,
		Example: `  groupvit eval segmentation --dataset voc12 --root VOCdevkit/VOC2012
  groupvit eval segmentation --dataset voc12 --root VOCdevkit/VOC2012 \
    --classes background,cat,cow,dog,horse,person,sheep --choose-threshold --json report.json
  groupvit eval segmentation --dataset scenes --root scenes/test --model runs/scenes/final --short-side 64`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.dataset, "dataset", "", "layout of the dataset: "+strings.Join(bench.Layouts(), ", "))
	flags.StringVar(&f.root, "root", "", "folder of the dataset")
	flags.StringSliceVar(&f.options.Classes, "classes", nil, "classes to tell apart, by name or synonym (default all)")
	flags.StringVar(&f.options.Split, "split", "", "list of photos of the VOC layouts: ImageSets/Segmentation/SPLIT.txt (default val)")
	flags.IntVar(&f.options.Limit, "limit", 0, "measure on so many photos, at even steps through the list; 0 is all")
	modelFlag(cmd, &f.model)
	flags.StringVar(&f.protocol, "protocol", "", "paper, hf or best (default: paper for the paper's network, else best)")
	flags.StringVar(&f.background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.BoolVar(&f.choose, "choose-threshold", false, "choose the background threshold on half of the photos for the other half")
	flags.StringVar(&f.templates, "templates", "", "prompts by name, as simple, subset, short, tcl (default: the protocol's)")
	flags.IntVar(&f.shortSide, "short-side", 0, "size to look at, in pixels of the short side (default: the protocol's)")
	flags.BoolVar(&f.perImage, "per-image", false, "add the areas of every photo to the JSON report")
	flags.IntVar(&f.workers, "workers", 0, "photos worked on at once; 0 is one a processor")
	f.json.add(cmd)
	return cmd
}

// check looks for mistakes in the flags and makes the options of the model.
func (f *evalSegmentationFlags) check() (groupvit.SegmentOptions, error) {
	o := groupvit.SegmentOptions{Templates: f.templates, ShortSide: f.shortSide}
	var err error
	switch {
	case f.dataset == "":
		return o, usagef("name the dataset's layout with --dataset: %s", strings.Join(bench.Layouts(), ", "))
	case f.root == "":
		return o, usagef("name the dataset's folder with --root")
	case f.workers < 0:
		return o, usagef("--workers %d: it must be 0 (one a processor) or more", f.workers)
	case f.choose && f.background != "auto":
		return o, usagef("--choose-threshold and --background %s both say what is background: give one", f.background)
	case f.choose && f.perImage:
		return o, usagef("--per-image needs one threshold for all photos: give --background instead of --choose-threshold")
	}
	if o.Protocol, err = groupvit.ParseProtocol(f.protocol); err != nil {
		return o, usagef("--protocol: %w", err)
	}
	if o.Background, err = groupvit.ParseBackground(f.background); err != nil {
		return o, usagef("--background: %w", err)
	}
	return o, nil
}

func (f *evalSegmentationFlags) run(cmd *cobra.Command, env *environment) error {
	o, err := f.check()
	if err != nil {
		return err
	}
	d, err := bench.Open(f.dataset, f.root, f.options)
	if errors.Is(err, bench.ErrUsage) || errors.Is(err, vocab.ErrClasses) {
		return usagef("%w", err)
	}
	if err != nil {
		return err
	}
	if err := f.json.check(); err != nil {
		return err
	}
	m, err := env.open(cmd, f.model)
	if err != nil {
		return err
	}
	defer m.Close()
	p, err := evaluate.NewModelPredictor(m, d, o, env.engine.Threads)
	if errors.Is(err, groupvit.ErrOption) || errors.Is(err, groupvit.ErrLabels) {
		return usagef("%w", err)
	}
	if err != nil {
		return err
	}
	bar := env.progress("photos", len(d.Samples))
	r, err := evaluate.Segmentation(cmd.Context(), d, p, evaluate.Options{
		Workers: f.workers, SplitThreshold: f.choose, PerImage: f.perImage, Progress: bar.set,
	})
	bar.done()
	switch {
	case cmd.Context().Err() != nil:
		return fmt.Errorf("interrupted: nothing is reported for a part of the photos: %w", cmd.Context().Err())
	case errors.Is(err, groupvit.ErrOption) || errors.Is(err, evaluate.ErrOptions):
		return usagef("%w", err)
	case err != nil:
		return err
	}
	r.Command = commandLine(cmd)
	return f.json.write(env, r, r.WriteText)
}
