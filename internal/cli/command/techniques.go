package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
)

// TechniqueFlags are --quality, --with and --calibration, for all commands that
// segment.
type TechniqueFlags struct {
	quality, With, Calibration string
}

func (f *TechniqueFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.quality, "quality", "", "what protocol best does: fast, balanced or best (default best)")
	flags.StringVar(&f.With, "with", "", `techniques to add to the quality's, or with "-" to leave out: "pamr=10,-contrast"; one of `+strings.Join(groupvit.TechniqueNames(), ", "))
	flags.StringVar(&f.Calibration, "calibration", "", "`FILE` of groupvit calibrate, instead of the model's own")
}

// Set puts what the flags say into options.
func (f *TechniqueFlags) Set(o *groupvit.SegmentOptions) error {
	var err error
	if o.Quality, err = groupvit.ParseQuality(f.quality); err != nil {
		return Usagef("--quality: %w", err)
	}
	if f.With == "" {
		return nil
	}
	if _, err = groupvit.ParseTechniques(f.With, groupvit.Techniques{}); err != nil {
		return Usagef("--with: %w", err)
	}
	o.With = f.With
	return nil
}

// WarnRare says of labels that the model hardly met in training.
func (e *Environment) WarnRare(words []groupvit.RareWord) {
	for _, w := range words {
		captions := fmt.Sprintf("%d captions had", w.Captions)
		switch w.Captions {
		case 0:
			captions = "no caption had"
		case 1:
			captions = "one caption had"
		}
		near := ""
		if len(w.Near) > 0 {
			near = "; words near it that the model knows: " + strings.Join(w.Near, ", ")
		}
		e.Warn("note: the model hardly met %q in training: %s the word, its regions are guesses%s", w.Label, captions, near)
	}
}
