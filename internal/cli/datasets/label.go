package datasets

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/training"
	"github.com/groupvit/groupvit/internal/selftrain"
	"github.com/groupvit/groupvit/internal/shards"
)

// labelSetting is a number of the recipe of pseudo masks with its flag.
type labelSetting struct {
	flag, help string
	field      func(*selftrain.Settings) any // a pointer
}

var labelSettings = []labelSetting{
	{"views", "sides, in pixels, that a photo is squashed to and seen at; several are averaged", func(s *selftrain.Settings) any { return &s.Views }},
	{"grid", "side of a mask, in places", func(s *selftrain.Settings) any { return &s.Grid }},
	{"temperature", "what cosines are multiplied by; 0 is each model's own", func(s *selftrain.Settings) any { return &s.Temperature }},
	{"things", "largest number of things of a photo", func(s *selftrain.Settings) any { return &s.Things }},
	{"named-stuff", "how many times as probable named stuff is", func(s *selftrain.Settings) any { return &s.NamedStuff }},
	{"person-parts", "named clothes and parts of the body count as the person", func(s *selftrain.Settings) any { return &s.PersonParts }},
	{"vote-superpixels", "size of superpixels that vote, in patches; 0 is no vote", func(s *selftrain.Settings) any { return &s.VoteSuperpixels }},
	{"vote-spread", "weight of superpixels that look alike, 0 to 1", func(s *selftrain.Settings) any { return &s.VoteSpread }},
	{"vote-levels", "coarser cuts whose means count too", func(s *selftrain.Settings) any { return &s.VoteLevels }},
	{"high", "foreground from this share of the mean of a thing's largest tenth on", func(s *selftrain.Settings) any { return &s.High }},
	{"low", "background where all things are below this share", func(s *selftrain.Settings) any { return &s.Low }},
	{"least", "probability that foreground must have in captioned photos", func(s *selftrain.Settings) any { return &s.Least }},
	{"faint", "probability below which all things are background in captioned photos", func(s *selftrain.Settings) any { return &s.Faint }},
	{"evenness", "things compete by probability over this power of the mean of their largest tenth", func(s *selftrain.Settings) any { return &s.Evenness }},
	{"stuff-confidence", "share of all stuff that a stuff word must exceed to be written", func(s *selftrain.Settings) any { return &s.StuffConfidence }},
	{"named-stuff-only", "write no stuff word that is not named", func(s *selftrain.Settings) any { return &s.NamedStuffOnly }},
	{"balance", "how words are balanced: none, bonus or calibrate", func(s *selftrain.Settings) any { return &s.Balance }},
	{"balance-photos", "photos naming a word that its balance is fitted on", func(s *selftrain.Settings) any { return &s.BalancePhotos }},
	{"balance-cap", "largest bonus", func(s *selftrain.Settings) any { return &s.BalanceCap }},
	{"balance-stuff", "most of a bonus that counts against stuff", func(s *selftrain.Settings) any { return &s.BalanceStuff }},
	{"balance-named-stuff", "named stuff words have bonuses among stuff", func(s *selftrain.Settings) any { return &s.BalanceNamedStuff }},
	{"balance-person", "the person may have a bonus too", func(s *selftrain.Settings) any { return &s.BalancePerson }},
}

// labelRecipe are the flags of the recipe.
type labelRecipe struct {
	round int
	given selftrain.Settings
}

func (l *labelRecipe) register(flags *pflag.FlagSet) {
	flags.IntVar(&l.round, "round", 1, "1: the model learnt from captions alone; 2 and on: from masks. Decides the defaults of what follows")
	l.given = selftrain.Default()
	for _, s := range labelSettings {
		switch p := s.field(&l.given).(type) {
		case *int:
			flags.IntVar(p, s.flag, *p, s.help)
		case *float64:
			flags.Float64Var(p, s.flag, *p, s.help)
		case *bool:
			flags.BoolVar(p, s.flag, *p, s.help)
		case *string:
			flags.StringVar(p, s.flag, *p, s.help)
		case *[]int:
			flags.IntSliceVar(p, s.flag, *p, s.help)
		}
	}
}

// settings are those of the round with what is given.
func (l *labelRecipe) settings(flags *pflag.FlagSet) (selftrain.Settings, error) {
	out := selftrain.Default()
	switch {
	case l.round < 1:
		return out, command.Usagef("--round %d: rounds are counted from 1", l.round)
	case l.round > 1:
		out = selftrain.Later()
	}
	for _, s := range labelSettings {
		if !flags.Changed(s.flag) {
			continue
		}
		switch to := s.field(&out).(type) {
		case *int:
			*to = *s.field(&l.given).(*int)
		case *float64:
			*to = *s.field(&l.given).(*float64)
		case *bool:
			*to = *s.field(&l.given).(*bool)
		case *string:
			*to = *s.field(&l.given).(*string)
		case *[]int:
			*to = *s.field(&l.given).(*[]int)
		}
	}
	return out, nil
}

// LabelledJSON is the line of --json.
type LabelledJSON struct {
	Output string   `json:"output"`
	Shards []string `json:"shards"`
	Kept   int      `json:"kept"`
	selftrain.Summary
	Bonuses map[string][2]float64 `json:"bonuses,omitempty"`
	LeftOut *shards.LeftOut       `json:"left_out"`
}

func newDataLabelCommand(env *command.Environment) *cobra.Command {
	var o selftrain.Options
	var recipe labelRecipe
	var sheet, vocabulary string
	cmd := &cobra.Command{
		Use:   "label SOURCES… --model MODEL --output DIR",
		Short: "Make pseudo masks of photos with captions or tags",
		Long: `label makes, of each photo, a mask of what its captions and tags name, with a model:
pseudo masks, on which a student learns where things are. The model is only asked
where the named things are, and what is ground or scenery; it need not find out what
a photo shows, so its masks are far better than its answers.

` + sourcesHelp + `

A photo is written with its picture and texts as they were, the labels in its JSON
and the mask in KEY.labels.png: 0 is background, 255 is ignored, i is the i-th label.
Photos that name no word are written without a mask. Broken ones are told and left
out (exit code 3). An interrupted run goes on where it was when it is started again;
a folder that was made with other settings is refused.

Several models (--model twice) are averaged. --threads is how many photos are worked
on side by side. The summary says how much is foreground and how often each word is
found: a word that floods all masks, or is found in none, is seen there, and in
--sheet FILE.png.`,
		Example: `  groupvit data label 'photos/*.tar' --model runs/one/final --output masks
  groupvit data label 'photos/*.tar' --model runs/two/final --round 2 --sheet masks.png --output masks2
  groupvit data label my-photos --model default --limit 100 --sheet look.png --output try`,
		Args: needSources,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Settings, err = recipe.settings(cmd.Flags()); err != nil {
				return err
			}
			if o.Vocabulary, err = ReadVocabulary(vocabulary); err != nil {
				return err
			}
			o.Sources = strings.Join(args, "::")
			return runLabel(cmd, env, o, sheet)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Models, "model", []string{groupvit.DefaultModel}, "model that labels; several are averaged")
	flags.StringVar(&vocabulary, "vocabulary", "", "file of words (data vocabulary makes one); the built-in list of 77 without")
	flags.StringVarP(&o.Output, "output", "o", "", "folder for the shards: new, or of an interrupted run")
	flags.StringVar(&o.Prefix, "prefix", "labelled", "beginning of the shards' names")
	flags.IntVar(&o.ShardSize, "shard-size", 1000, "samples of a shard")
	flags.Float64Var(&o.Share, "share", 0, "label a random share of the photos, 0 to 1; 0 is all")
	flags.IntVar(&o.Limit, "limit", 0, "label at most so many photos, at random; 0 is all")
	flags.Uint64Var(&o.Seed, "seed", 0, "seed of what is taken at random")
	flags.StringVar(&sheet, "sheet", "", "draw some photos with their masks into this PNG")
	recipe.register(flags)
	training.TableFlags(flags, &o.Table)
	return cmd
}

func runLabel(cmd *cobra.Command, env *command.Environment, o selftrain.Options, sheet string) error {
	if o.Output == "" {
		return command.Usagef("name a folder for the shards with --output")
	}
	if strings.HasSuffix(o.Output, ".tar") {
		return command.Usagef("--output %s: name a folder: shards are written into it one by one, so that an interrupted run can go on", o.Output)
	}
	for _, m := range o.Models {
		if err := env.FetchMissing(cmd.Context(), m); err != nil {
			return err
		}
	}
	o.Compute = groupvit.Options{Engine: env.Engine.Kind, Threads: env.Engine.Threads, Precision: env.Engine.Precision}
	problems := problemList{env: env}
	o.Skip = problems.add
	var bar *command.Progress
	o.Progress = func(done, of int) {
		if bar == nil {
			bar = env.Progress("photos", of)
		}
		bar.Set(done)
	}
	o.Stage = func(text string) { env.Warn("%s", text) }
	r, err := selftrain.Run(cmd.Context(), o)
	if bar != nil {
		bar.Done()
	}
	problems.end()
	if err != nil {
		return labelError(cmd.Context(), o, err)
	}
	if sheet != "" {
		if err := writeLabelSheet(cmd.Context(), sheet, r); err != nil {
			return err
		}
	}
	if left := r.LeftOut.String(); left != "" {
		env.Warn("%s", left)
	}
	if err := printLabelled(env, r); err != nil {
		return err
	}
	if n := total(r.Broken); n > 0 {
		return fmt.Errorf("%w: %s left out", command.ErrPartial, counted(n, "sample was", "samples were"))
	}
	return nil
}

func labelError(ctx context.Context, o selftrain.Options, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: the shards in %s that are whole are kept; start the same command again to go on: %w", o.Output, ctx.Err())
	case errors.Is(err, selftrain.ErrSettings), errors.Is(err, groupvit.ErrOption):
		return command.Usagef("%w", err)
	}
	return dataUsage(err)
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// wordsInSummary is how many words the summary lists.
const wordsInSummary = 40

func printLabelled(env *command.Environment, r *selftrain.Result) error {
	if env.JSON {
		return env.Print(LabelledJSON{r.Output, r.Shards, r.Kept, r.Summary, r.Bonuses, r.LeftOut})
	}
	foreground, stuff, background, ignored := r.Shares()
	env.Warn("%s in %s (%d kept from before), %d with a mask", counted(r.Photos, "photo", "photos"), counted(len(r.Shards), "shard", "shards"), r.Kept, r.Labelled)
	env.Warn("of all places %.1f %% are things, %.1f %% named stuff, %.1f %% background, %.1f %% ignored", 100*foreground, 100*stuff, 100*background, 100*ignored)
	names := r.ByNaming()
	env.Warn("%-20s %7s %7s %7s %6s", "word", "named", "found", "share", "bonus")
	for _, name := range names[:min(len(names), wordsInSummary)] {
		c := r.Words[name]
		env.Warn("%-20s %7d %7d %6.1f%% %6.2f", name, c.Named, c.Found, 100*float64(c.Places)/float64(max(c.Of, 1)), r.Bonuses[name][0])
	}
	if len(names) > wordsInSummary {
		env.Warn("… and %d more words (all with --json)", len(names)-wordsInSummary)
	}
	lost := slices.DeleteFunc(names, func(n string) bool { return r.Words[n].Found > 0 || r.Words[n].Named < 10 })
	if len(lost) > 0 {
		env.Warn("found nowhere, though 10 photos or more name them: %s", strings.Join(lost, ", "))
	}
	_, err := fmt.Fprintln(env.Stdout, r.Output)
	return err
}

// photosOnSheet is how many photos --sheet draws.
const photosOnSheet = 60

func writeLabelSheet(ctx context.Context, path string, r *selftrain.Result) error {
	im, err := selftrain.Sheet(ctx, r.Shards, photosOnSheet)
	if err != nil {
		return err
	}
	return command.WriteFile(path, func(w io.Writer) error { return png.Encode(w, im) })
}
