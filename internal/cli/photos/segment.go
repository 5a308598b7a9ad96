package photos

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/output"
)

type segmentFlags struct {
	labels                                  command.LabelFlags
	model, protocol, background, out, files string
	templates, labelIDs, root               string
	shortSide                               int
	minArea                                 string
	instances                               bool
	overwrite                               bool
	proposed                                groupvit.ProposeOptions
	techniques                              command.TechniqueFlags
	batch                                   batchFlags
}

func NewSegmentCommand(env *command.Environment) *cobra.Command {
	f := &segmentFlags{}
	cmd := &cobra.Command{
		Use:   "segment PATH…",
		Short: "Segment photos with any text labels",
		Long: `Segment photos with any text labels (zero-shot, open vocabulary). PATH is a photo, a
folder (with all photos below it), a pattern, or - for one photo on stdin.

For NAME.jpg it writes, as --format asks (overlay, mask and json if it does not),

` + formatHelp() + `
Single photos are written anew by every call; a second photo of the same name is
NAME-2, and so on. The results of a folder keep its tree, and a done-log beside them
lets the same command go on after a stop of any kind, without doing a photo twice;
photos that have changed are done again. Files in it that are no photos are counted.

With --watch a run over folders does not end: photos that appear there, or change, are
done once they have stayed the same for a second, until Ctrl-C.

For very many photos, --manifest reads their paths from a file and --shards photos
out of tar files; both go on in the same way. --shard i/n does one share of n of them.
Results go into a tar if --output ends in .tar.

Without --labels (or with --labels auto) the model names what it sees itself, at most
--top words of its vocabulary ("groupvit model show --words") with a score of --least or
more. Each photo then has labels of its own, so that numbers in its mask are those of its
own JSON.

An output remembers the labels, the model and the other settings of its results; a
run with others is refused, unless --overwrite starts it over.

Exit code 3 says that some photos failed; the others are done.`,
		Example: `  # What does the model see by itself?
  groupvit segment dog.jpg -o out

  # A picture to look at, in the folder out
  groupvit segment dog.jpg --labels "dog,grass" -o out

  # A folder: one JSON object a photo, no files
  groupvit segment photos/ --labels-file words.txt --json --format "" > found.jsonl

  # Whatever is put into a folder, until Ctrl-C
  groupvit segment inbox/ --labels "dog,grass" --watch -o out

  # Quick, for many photos; or with a technique more
  groupvit segment photos/ --labels dog --quality fast -o out
  groupvit segment dog.jpg --labels dog --with pamr=10

  # One word: "nothing found" where it is not there
  groupvit segment photos/ --labels zebra --format ""

  # The dog on a transparent background; each dog by itself, without specks
  groupvit segment dog.jpg --labels dog --format cutout -o out
  groupvit segment dogs.jpg --labels dog --instances --min-area 0.1% --format json,coco -o out

  # Synonyms, every pixel named, scores for further work
  groupvit segment dog.jpg --labels "dog|puppy,lawn|grass" --background off --format npy

  # A million photos: worker 3 of 16, masks alone; the same command goes on after a stop
  groupvit segment --manifest photos.txt --shard 3/16 --labels-file words.txt --format mask -o masks
  groupvit segment --shards 'photos-{0000..0999}.tar' --labels dog --format mask -o masks.tar

  # From another program
  curl -s https://example.org/dog.jpg | groupvit segment - --labels dog --json --format ""
  find photos -name '*.jpg' | groupvit segment --manifest - --labels dog --format mask -o masks`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case !f.batch.asked():
				return cobra.MinimumNArgs(1)(cmd, args)
			case len(args) > 0:
				return command.Usagef("--manifest and --shards say which photos: leave %q out", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	f.labels.Add(cmd)
	cmd.Flags().Lookup("labels").Usage += "; without it, or with auto, the model proposes them"
	cmd.Flags().IntVar(&f.proposed.Top, "top", groupvit.DefaultTop, "most words that the model proposes for a photo, without --labels")
	cmd.Flags().Float64Var(&f.proposed.Least, "least", groupvit.DefaultLeast, "score from 0 to 1 that a proposed word must reach")
	command.ModelFlag(cmd, &f.model)
	flags := cmd.Flags()
	flags.StringVar(&f.protocol, "protocol", "", "paper, hf, tcl, sclip or best (default: paper for the paper's network, else best)")
	flags.StringVar(&f.background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.StringVarP(&f.out, "output", "o", ".", "folder for the results; made if missing")
	flags.StringVar(&f.files, "format", "overlay,mask,json", "files to write, any of "+strings.Join(output.Names(output.Files()), ", ")+`; "" for none`)
	flags.StringVar(&f.templates, "templates", "", "prompts by name, as simple, subset, short, tcl (default: the protocol's)")
	flags.StringVar(&f.labelIDs, "label-ids", "", "for --format cityscapes: CSV file of name,number lines (default: Cityscapes' own)")
	flags.IntVar(&f.shortSide, "short-side", 0, "input resolution: the short side in pixels (default: the protocol's)")
	flags.StringVar(&f.minArea, "min-area", "", "smallest connected part that is kept, in pixels (200) or as a share of the photo (0.1%); smaller ones go to the label around them (default: masks keep all, pictures leave out specks below 0.02%; 0: pictures keep specks too)")
	flags.BoolVar(&f.instances, "instances", false, "each connected part of a label by itself: in the JSON as instances, in coco, coco-polygons, rle and polygons as a region")
	command.MaxPixelsFlag(cmd, env)
	flags.StringVar(&f.root, "root", "", "folder that COCO's file_name is relative to (default: the folder that is segmented; lines of a manifest stay as they are)")
	flags.BoolVar(&f.overwrite, "overwrite", false, "start an output over that holds results of other settings")
	f.techniques.Add(cmd)
	f.batch.add(cmd)
	return cmd
}

func (f *segmentFlags) run(cmd *cobra.Command, env *command.Environment, args []string) error {
	if err := f.checkStdin(args); err != nil {
		return err
	}
	job := &segmentJob{env: env, turns: make(chan struct{}, computedAtOnce), keepSpecks: f.minArea != "", instances: f.instances}
	var err error
	if f.labels.Auto() {
		job.proposed = &f.proposed
	} else if job.labels, err = f.labels.Read(env); err != nil {
		return err
	}
	if job.options, err = f.options(); err != nil {
		return err
	}
	if job.files, err = parseFormats(f.files); err != nil {
		return err
	}
	if err := job.checkAuto(cmd); err != nil {
		return err
	}
	if job.ids, err = f.ids(job); err != nil {
		return err
	}
	for _, file := range job.files {
		job.options.Scores = job.options.Scores || file.Scores
	}
	if f.batch.asked() {
		if err := f.checkWatch(false); err != nil {
			return err
		}
		return f.runBatch(cmd, job, nil)
	}
	if f.batch.part != wholePart {
		return command.Usagef("--shard is for --manifest and --shards")
	}
	paths, folders, err := command.Expand(args)
	if err != nil {
		return err
	}
	if err := f.checkWatch(folders); err != nil {
		return err
	}
	if folders && (f.batch.watch || len(job.files) > 0) {
		return f.runBatch(cmd, job, paths)
	}
	return f.runPhotos(cmd, job, paths)
}

// checkStdin refuses calls that read stdin for two things.
func (f *segmentFlags) checkStdin(args []string) error {
	var users []string
	for _, a := range args {
		if a == command.StdinName {
			users = append(users, "a photo")
			break
		}
	}
	if f.labels.File == command.StdinName {
		users = append(users, "--labels-file")
	}
	if f.batch.manifest == command.StdinName {
		users = append(users, "--manifest")
	}
	if len(users) > 1 {
		return command.Usagef("stdin (-) can be one of them alone: %s", strings.Join(users, ", "))
	}
	return nil
}

func (f *segmentFlags) options() (groupvit.SegmentOptions, error) {
	o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: f.shortSide}, QueryOptions: groupvit.QueryOptions{Templates: f.templates}}
	var err error
	if o.Protocol, err = groupvit.ParseProtocol(f.protocol); err != nil {
		return o, command.Usagef("--protocol: %w", err)
	}
	if o.Background, err = groupvit.ParseBackground(f.background); err != nil {
		return o, command.Usagef("--background: %w", err)
	}
	if o.MinArea, err = groupvit.ParseMinArea(f.minArea); err != nil {
		return o, command.Usagef("--min-area: %w", err)
	}
	err = f.techniques.Set(&o)
	return o, err
}
