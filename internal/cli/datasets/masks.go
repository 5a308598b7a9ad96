package datasets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// MasksJSON is the line of --json.
type MasksJSON struct {
	PackJSON
	// Classes are the classes of the masks with their words.
	Classes []MaskClassJSON `json:"classes"`
	// Notes say what of the annotations is not used, or taken otherwise.
	Notes []string `json:"notes,omitempty"`
}

// MaskClassJSON is a class of masks: the word that stands for it, or what else it is.
type MaskClassJSON struct {
	Name       string `json:"name"`
	Word       string `json:"word,omitempty"`
	Background bool   `json:"background,omitempty"`
	Ignored    bool   `json:"ignored,omitempty"`
}

func newDataMasksCommand(env *command.Environment) *cobra.Command {
	f := &packFlags{}
	var o masks.Options
	var vocabulary string
	cmd := &cobra.Command{
		Use:   "masks FOLDER|COCO.json --output DIR",
		Short: "Make training samples of photos with masks that people made",
		Long: `masks writes photos and their masks into shards that train reads: the photo, its
label map in KEY.labels.png and the classes by name in its JSON (docs/training.md,
label maps). It reads

  a folder with classes.txt   one class a line, mask value = line number from 0; masks
                              (indexed PNG) beside the photos: NAME.jpg with NAME.png or
                              NAME_mask.png; or masks/NAME.png with images/NAME.jpg
  a VOC folder                JPEGImages and SegmentationClass; VOC's classes without
                              a classes.txt
  COCO.json                   polygons and run lengths; photos in --photos, or in images/
                              beside the file, or beside it
  other layouts               by --layout: those of eval segmentation, the training part

255 is ignored, and so are classes called void, ignore or unlabelled; "background" is
none of the classes. Training learns nothing, in either direction, about words that are
no class of the masks. With --vocabulary a class is written as the word that the list
has for it or a synonym; classes that share one become one.

Captions are those of NAME.txt beside a photo; without it the photo's classes are named
("a photo of cow and grass", with tags). What is not used is counted and reported; photos
or masks that cannot be read are left out (exit code 3).`,
		Example: `  groupvit data masks my-photos --output shards
  groupvit data masks VOCdevkit/VOC2012 --split train --output shards
  groupvit data masks instances.json --photos photos --output shards`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path = args[0]
			return runMasks(cmd.Context(), env, f, o, vocabulary)
		},
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringVar(&o.Layout, "layout", "", "layout: "+strings.Join(masks.Layouts(), ", ")+" (default: found out)")
	flags.StringVar(&o.Split, "split", "", "part of a layout that has several (default: the one for training)")
	flags.StringVar(&o.Photos, "photos", "", "folder of the photos of a JSON file")
	flags.IntVar(&o.Limit, "limit", 0, "take this many photos, at even steps; 0 means all")
	flags.StringVar(&vocabulary, "vocabulary", "", "file of words (data vocabulary makes one): classes become its words")
	return cmd
}

func runMasks(ctx context.Context, env *command.Environment, f *packFlags, o masks.Options, vocabulary string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if vocabulary != "" {
		words, err := ReadVocabulary(vocabulary)
		if err != nil {
			return err
		}
		if o.Words, err = nouns.List(words); err != nil {
			return err
		}
	}
	result := MasksJSON{PackJSON: PackJSON{Skipped: map[string]int{}}}
	problems := problemList{env: env}
	o.Skip = func(p pairs.Problem) {
		result.Skipped[p.Reason()]++
		problems.add(p)
	}
	set, err := masks.Open(ctx, o)
	problems.end()
	if err != nil {
		return MasksUsage(err)
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	for _, note := range set.Notes {
		env.Warn("%s", note)
	}
	result.Layout, result.Notes = set.Layout, set.Notes
	for _, c := range set.Classes {
		result.Classes = append(result.Classes, MaskClassJSON{c.Name, c.Word, c.Background(), c.Ignored})
	}
	result.PackJSON, err = f.pack(ctx, env, set.Samples(ctx), set.Len(), result.PackJSON)
	if err != nil {
		return err
	}
	if env.JSON {
		err = env.Print(result)
	} else {
		env.Warn("%s of %s in %s", command.Count(result.Samples, "photo"), counted(len(masks.Words(set.Classes)), "class", "classes"), command.Count(result.Shards, "shard"))
		_, err = fmt.Fprintln(env.Stdout, f.output)
	}
	return errors.Join(err, leftOut(result.Skipped))
}

// MasksUsage makes errors of what was asked for errors of usage.
func MasksUsage(err error) error {
	if errors.Is(err, bench.ErrUsage) {
		return command.Usagef("%w", err)
	}
	return err
}
