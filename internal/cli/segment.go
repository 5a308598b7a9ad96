package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
)

type segmentFlags struct {
	labels                                  labelFlags
	model, protocol, background, out, files string
	templates, labelIDs                     string
	shortSide                               int
	techniques                              techniqueFlags
	batch                                   batchFlags
}

func newSegmentCommand(env *environment) *cobra.Command {
	f := &segmentFlags{}
	cmd := &cobra.Command{
		Use:   "segment PATH…",
		Short: "Cut photographs into regions named by words",
		Long: `Cut photographs into regions named by words. PATH is a photo, a folder (with all
photos below it), a pattern, or - for one photo on stdin.

For NAME.jpg it writes, as --format asks (overlay, mask and json if it does not),

` + formatHelp() + `
A second photo of the same name is NAME-2, and so on. Results (*.overlay.png,
*.mask.png) and hidden files in a folder are not taken for photos.

For very many photos, --manifest reads their paths from a file and --shards photos
out of tar files; --shard i/n does one share of n of them. Results keep their folders
below --output (or go into a tar, if that ends in .tar), and a done-log beside them
lets the same command go on after a stop of any kind, without doing a photo twice.

Exit code 3 says that some photos failed; the others are done.`,
		Example: `  # A picture to look at, in the folder out
  groupvit segment dog.jpg --labels "dog,grass" -o out

  # A folder: one JSON object a photo, no files
  groupvit segment photos/ --labels-file words.txt --json --format "" > found.jsonl

  # Quick, for many photos; or with a technique more
  groupvit segment photos/ --labels dog --quality fast
  groupvit segment dog.jpg --labels dog --with pamr=10

  # One word: "nothing found" where it is not there
  groupvit segment photos/ --labels zebra --format ""

  # Synonyms, every pixel named, scores for further work
  groupvit segment dog.jpg --labels "dog|puppy,lawn|grass" --background off --format npy

  # A million photos: worker 3 of 16, masks alone; the same command goes on after a stop
  groupvit segment --manifest photos.txt --shard 3/16 --labels-file words.txt --format mask -o masks
  groupvit segment --shards 'photos-{0000..0999}.tar' --labels dog --format mask -o masks.tar

  # From another program
  curl -s https://example.org/dog.jpg | groupvit segment - --labels dog --json --format ""`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case !f.batch.asked():
				return cobra.MinimumNArgs(1)(cmd, args)
			case len(args) > 0:
				return usagef("--manifest and --shards say which photos: leave %q out", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	f.labels.add(cmd)
	modelFlag(cmd, &f.model)
	flags := cmd.Flags()
	flags.StringVar(&f.protocol, "protocol", "", "paper, hf, tcl, sclip or best (default: paper for the paper's network, else best)")
	flags.StringVar(&f.background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.StringVarP(&f.out, "output", "o", ".", "folder for the results; made if missing")
	flags.StringVar(&f.files, "format", "overlay,mask,json", "files to write, any of "+strings.Join(formatNames(), ", ")+`; "" for none`)
	flags.StringVar(&f.templates, "templates", "", "prompts by name, as simple, subset, short, tcl (default: the protocol's)")
	flags.StringVar(&f.labelIDs, "label-ids", "", "for --format cityscapes: CSV file of name,number lines (default: Cityscapes' own)")
	flags.IntVar(&f.shortSide, "short-side", 0, "size to look at, in pixels of the short side (default: the protocol's)")
	f.techniques.add(cmd)
	f.batch.add(cmd)
	return cmd
}

// segmentJob is what a call of segment does to each photo.
type segmentJob struct {
	env     *environment
	model   *groupvit.Model
	labels  []string
	options groupvit.SegmentOptions
	files   []format
	// ids are the numbers of the labels where a format asks for them.
	ids []uint8
	// turns has a place for each photo that may be computed at a time.
	turns chan struct{}
}

func (f *segmentFlags) run(cmd *cobra.Command, env *environment, args []string) error {
	job := &segmentJob{env: env, turns: make(chan struct{}, computedAtOnce)}
	var err error
	if job.labels, err = f.labels.read(env); err != nil {
		return err
	}
	if job.options, err = f.options(); err != nil {
		return err
	}
	if job.files, err = parseFormats(f.files); err != nil {
		return err
	}
	if job.ids, err = f.ids(job); err != nil {
		return err
	}
	for _, file := range job.files {
		job.options.Scores = job.options.Scores || file.name == "npy"
	}
	if f.batch.asked() {
		return f.runBatch(cmd, job)
	}
	photos, err := findPhotos(args)
	if err != nil {
		return err
	}
	names, renamed := outputNames(photos)
	if len(job.files) > 0 {
		if err := makeFolder(f.out); err != nil {
			return err
		}
		env.tellRenamed(photos, names, renamed)
	}
	if job.model, err = env.openWith(cmd, f.model, f.techniques.calibration); err != nil {
		return err
	}
	defer job.model.Close()
	bases := make([]string, len(names))
	for i, n := range names {
		bases[i] = filepath.Join(f.out, n)
	}
	if err := job.writeClasses(filepath.Join(f.out, classesName)); err != nil {
		return err
	}
	return job.all(cmd.Context(), photos, bases)
}

func (f *segmentFlags) options() (groupvit.SegmentOptions, error) {
	o := groupvit.SegmentOptions{Templates: f.templates, ShortSide: f.shortSide}
	var err error
	if o.Protocol, err = groupvit.ParseProtocol(f.protocol); err != nil {
		return o, usagef("--protocol: %w", err)
	}
	if o.Background, err = groupvit.ParseBackground(f.background); err != nil {
		return o, usagef("--background: %w", err)
	}
	err = f.techniques.set(&o)
	return o, err
}

// tellRenamed warns of photos whose results have another name than theirs.
func (e *environment) tellRenamed(photos, names []string, renamed []int) {
	const most = 5
	for k, i := range renamed {
		if k == most {
			e.warn("and %d more; the JSON of each says which photo it is", len(renamed)-most)
			return
		}
		e.warn("%s: another photo has its name: the results are %s", photos[i], names[i])
	}
}

// all segments the photos, some side by side, and prints their results in order.
func (j *segmentJob) all(ctx context.Context, photos, bases []string) error {
	bar := j.bar(len(photos))
	failed, noted, most := 0, false, mostAtOnce
	if j.options.Scores { // up to a gigabyte each
		most = 1
	}
	err := inOrder(ctx, len(photos), most, func(i int) (groupvit.Record, error) {
		return j.one(ctx, photos[i], bases[i])
	}, func(i int, result groupvit.Record, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return fmt.Errorf("interrupted after %d of %d photos: %w", i, len(photos), ctxErr)
		}
		if isOption(err) {
			return usagef("%w", err)
		}
		defer bar(i + 1)
		if err != nil {
			failed++
			if len(photos) > 1 {
				j.env.clearLine()
				j.env.warn("%v", err)
				return nil
			}
			return err
		}
		if !noted {
			noted = true
			j.env.clearLine()
			if note := result.Report.Note; note != "" {
				j.env.warn("note: %s", note)
			}
			j.env.warnRare(result.RareWords)
		}
		if j.env.json {
			return j.env.print(result)
		}
		return j.env.tell(result)
	})
	j.env.clearLine()
	switch {
	case err != nil || failed == 0:
		return err
	case failed == len(photos):
		return fmt.Errorf("all %d photos failed", failed)
	}
	return fmt.Errorf("%d of %d photos failed: %w", failed, len(photos), errPartial)
}

// isOption says whether what was asked for is wrong, for any photo.
func isOption(err error) bool {
	return errors.Is(err, groupvit.ErrOption) || errors.Is(err, groupvit.ErrLabels)
}

// bar returns what shows that so many photos are done: a bar on a terminal, unless
// the results themselves appear there, or nothing.
func (j *segmentJob) bar(photos int) func(done int) {
	if photos < 2 || !j.env.terminal || isTerminal(j.env.stdout) {
		return func(int) {}
	}
	return j.env.progress("photos", photos).set
}

// one segments a photo and writes its results to files that begin with base. Its
// errors name the photo or the file.
func (j *segmentJob) one(ctx context.Context, path, base string) (groupvit.Record, error) {
	photo, err := j.env.readPhoto(ctx, path)
	if err != nil {
		return groupvit.Record{}, err
	}
	place, err := j.placeOfFile(path)
	if err != nil {
		return groupvit.Record{}, err
	}
	a, err := j.ask(ctx, path, photo)
	if err != nil {
		return groupvit.Record{}, err
	}
	a.place = place
	for _, f := range j.files {
		if err := writeFile(base+f.ending, func(w io.Writer) error { return f.write(ctx, w, a) }); err != nil {
			return groupvit.Record{}, err
		}
	}
	return a.result, nil
}

// ask segments a photo that has been read. Its errors name the photo.
func (j *segmentJob) ask(ctx context.Context, path string, photo *imaging.Image) (*answer, error) {
	s, seconds, err := j.compute(ctx, photo)
	if isOption(err) { // the photo does not matter
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &answer{photo: photo, found: s, ids: j.ids, result: j.model.Record(path, photo.Width, photo.Height, s, seconds)}, nil
}

// computedAtOnce is how many photos are computed side by side: where one works on a
// single thread (resizing, deciding), the other has the rest of the machine.
const computedAtOnce = 2

// compute asks the model, and says how long it took, beside another photo or not.
func (j *segmentJob) compute(ctx context.Context, photo *imaging.Image) (*groupvit.Segmentation, float64, error) {
	j.turns <- struct{}{}
	defer func() { <-j.turns }()
	start := time.Now()
	s, err := j.model.Segment(ctx, photo, j.labels, &j.options)
	return s, float64(time.Since(start).Milliseconds()) / 1000, err
}

// tell writes what was found as a line of text.
func (e *environment) tell(r groupvit.Record) error {
	var found []string
	for _, s := range r.Segments {
		share := fmt.Sprintf("%.1f%%", 100*s.Area)
		if s.Area < 0.0005 {
			share = "<0.1%"
		}
		found = append(found, s.Label+" "+share)
	}
	if len(found) == 0 {
		found = []string{"nothing found"}
	}
	_, err := fmt.Fprintf(e.stdout, "%s: %s\n", r.Photo, strings.Join(found, ", "))
	return err
}
