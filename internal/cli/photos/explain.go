package photos

import (
	"fmt"
	"image/png"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
)

func NewExplainCommand(env *command.Environment) *cobra.Command {
	var model, background, templates, out string
	var labels command.LabelFlags
	var shortSide int
	var techniques command.TechniqueFlags
	cmd := &cobra.Command{
		Use:   "explain PHOTO",
		Short: "Draw why each part of a photo got its label",
		Long: `Draw on one picture why each part of a photo got its label under protocol best:

  the answer      the regions, how probable they are, which label comes next, and
                  which rule made background of the rest
  the groups      those of each grouping stage with the words that fit them best (for
                  a model without groups, its patches by their best word)
  the labels      for each the map of its probability, and the words that compete
                  with it there: other labels, and background words, which compete and
                  name nothing

A label that covers too much: its map says whether it is probable there, or only the
least bad of the labels asked (add what is really there to --labels). One that is
missing: its rivals say which word took its place, the rule whether a lower
--background would show it.

--json prints the same facts as numbers.`,
		Example: `  groupvit explain cat.jpg --labels "cat,sofa"
  groupvit explain street.jpg --labels-file words.txt -o street.why.png
  groupvit explain cat.jpg --labels dog --json | jq '.rules'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			names, err := labels.Read(env)
			if err != nil {
				return err
			}
			o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: shortSide}, QueryOptions: groupvit.QueryOptions{Templates: templates}}
			if o.Background, err = groupvit.ParseBackground(background); err != nil {
				return command.Usagef("--background: %w", err)
			}
			if err := techniques.Set(&o); err != nil {
				return err
			}
			photo, err := env.ReadPhoto(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			m, err := env.OpenWith(cmd, model, techniques.Calibration)
			if err != nil {
				return err
			}
			defer m.Close()
			x, err := m.Explain(cmd.Context(), photo, names, &o)
			if isOption(err) {
				return command.Usagef("%w", err)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			env.WarnRare(x.Segmentation.RareWords)
			if out == "" && !env.JSON {
				base := filepath.Base(args[0])
				out = strings.TrimSuffix(base, filepath.Ext(base)) + ".why.png"
				if args[0] == command.StdinName {
					out = "stdin.why.png"
				}
			}
			if out != "" {
				picture, err := explainPicture(filepath.Base(args[0]), photo, m, x)
				if err != nil {
					return err
				}
				if err := command.WriteFile(out, func(w io.Writer) error { return png.Encode(w, picture) }); err != nil {
					return err
				}
			}
			if env.JSON {
				return env.Print(newExplainJSON(args[0], out, m, x))
			}
			_, err = fmt.Fprintln(env.Stdout, out)
			return err
		},
	}
	labels.Add(cmd)
	command.ModelFlag(cmd, &model)
	flags := cmd.Flags()
	flags.StringVar(&background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.StringVarP(&out, "output", "o", "", "the picture to write (default NAME.why.png here; with --json none)")
	flags.StringVar(&templates, "templates", "", "prompts by name, as simple, subset, short, tcl (default: the model's)")
	flags.IntVar(&shortSide, "short-side", 0, "input resolution: the short side in pixels (default: the model's)")
	techniques.Add(cmd)
	command.MaxPixelsFlag(cmd, env)
	return cmd
}

// explainJSON is the line of --json.
type explainJSON struct {
	Photo     string                     `json:"photo"`
	Width     int                        `json:"width"`
	Height    int                        `json:"height"`
	Picture   string                     `json:"picture,omitempty"`
	Model     groupvit.Info              `json:"model"`
	Threshold float64                    `json:"threshold"`
	Segments  []groupvit.Segment         `json:"segments"`
	Labels    []groupvit.ExplainedLabel  `json:"labels"`
	Rules     []groupvit.ExplainedRule   `json:"rules"`
	Stages    [][]groupvit.ExplainedPart `json:"stages"`
	Places    []groupvit.ExplainedPart   `json:"places"`
	Report    groupvit.Report            `json:"report"`
	RareWords []groupvit.RareWord        `json:"rare_words,omitempty"`
}

func newExplainJSON(photo, picture string, m *groupvit.Model, x *groupvit.Explanation) explainJSON {
	s := x.Segmentation
	j := explainJSON{
		Photo: photo, Picture: picture, Width: s.Map.Width, Height: s.Map.Height, Model: m.Info(), Threshold: x.Threshold,
		Segments: s.Segments, Labels: x.Labels, Rules: x.Rules, Places: x.Places.Parts, Report: s.Report, RareWords: s.RareWords,
		Stages: [][]groupvit.ExplainedPart{},
	}
	for _, stage := range x.Stages {
		j.Stages = append(j.Stages, stage.Parts)
	}
	return j
}
