package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
)

// techniqueFlags are --quality, --with and --calibration, for all commands that
// segment.
type techniqueFlags struct {
	quality, with, calibration string
}

func (f *techniqueFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.quality, "quality", "", "what protocol best does: fast, balanced or best (default best)")
	flags.StringVar(&f.with, "with", "", `techniques to add to the quality's, or with "-" to leave out: "pamr=10,-contrast"; one of `+strings.Join(groupvit.TechniqueNames(), ", "))
	flags.StringVar(&f.calibration, "calibration", "", "`FILE` of groupvit calibrate, instead of the model's own")
}

// set puts what the flags say into options.
func (f *techniqueFlags) set(o *groupvit.SegmentOptions) error {
	var err error
	if o.Quality, err = groupvit.ParseQuality(f.quality); err != nil {
		return usagef("--quality: %w", err)
	}
	if f.with == "" {
		return nil
	}
	if _, err = groupvit.ParseTechniques(f.with, groupvit.Techniques{}); err != nil {
		return usagef("--with: %w", err)
	}
	o.With = f.with
	return nil
}

// warnRare says of labels that the model hardly met in training.
func (e *environment) warnRare(words []groupvit.RareWord) {
	for _, w := range words {
		captions := fmt.Sprintf("%d captions had", w.Captions)
		switch w.Captions {
		case 0:
			captions = "no caption had"
		case 1:
			captions = "one caption had"
		}
		e.warn("note: the model hardly met %q in training: %s the word, its regions are guesses", w.Label, captions)
	}
}
