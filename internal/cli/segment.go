package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// formats are the files that segment can write.
var formats = []string{"overlay", "mask", "json", "npy"}

type segmentFlags struct {
	labels                                  labelFlags
	model, protocol, background, out, files string
	templates                               string
	shortSide                               int
}

func newSegmentCommand(env *environment) *cobra.Command {
	f := &segmentFlags{}
	cmd := &cobra.Command{
		Use:   "segment PATH…",
		Short: "Cut photographs into regions named by words",
		Long: `Cut photographs into regions named by words. PATH is a photo, a folder (with all
photos below it), a pattern, or - for one photo on stdin.

For NAME.jpg it writes NAME.overlay.png (the photo with coloured regions and a
legend), NAME.mask.png (indexed; 0 is background, i the i-th label), NAME.json
and, on demand, NAME.npy (float32 class scores [labels, height, width]).

Exit code 3 says that some photos failed; the others are done.`,
		Example: `  # A picture to look at, in the folder out
  groupvit segment dog.jpg --labels "dog,grass" -o out

  # A folder: one JSON object a photo, no files
  groupvit segment photos/ --labels-file words.txt --json --format "" > found.jsonl

  # Synonyms, every pixel named, scores for further work
  groupvit segment dog.jpg --labels "dog|puppy,lawn|grass" --background off --format npy

  # From another program
  curl -s https://example.org/dog.jpg | groupvit segment - --labels dog --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	f.labels.add(cmd)
	modelFlag(cmd, &f.model)
	flags := cmd.Flags()
	flags.StringVar(&f.protocol, "protocol", "", "paper, hf or best (default: paper for the paper's network, else best)")
	flags.StringVar(&f.background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.StringVarP(&f.out, "output", "o", ".", "folder for the results; made if missing")
	flags.StringVar(&f.files, "format", "overlay,mask,json", "files to write: "+strings.Join(formats, ", "))
	flags.StringVar(&f.templates, "templates", "", "prompts by name, as simple, subset, short, tcl (default: the protocol's)")
	flags.IntVar(&f.shortSide, "short-side", 0, "size to look at, in pixels of the short side (default: the protocol's)")
	return cmd
}

// segmentJSON is NAME.json, and the line of --json.
type segmentJSON struct {
	Photo      string             `json:"photo"`
	Width      int                `json:"width"`
	Height     int                `json:"height"`
	Model      groupvit.Info      `json:"model"`
	Protocol   groupvit.Protocol  `json:"protocol"`
	Background string             `json:"background"`
	Segments   []groupvit.Segment `json:"segments"`
	Seconds    float64            `json:"seconds"`
	Labels     []string           `json:"labels"`
	Report     groupvit.Report    `json:"report"`
}

func (f *segmentFlags) run(cmd *cobra.Command, env *environment, args []string) error {
	labels, err := f.labels.read()
	if err != nil {
		return err
	}
	o := &groupvit.SegmentOptions{Templates: f.templates, ShortSide: f.shortSide}
	if o.Protocol, err = groupvit.ParseProtocol(f.protocol); err != nil {
		return usagef("--protocol: %w", err)
	}
	if o.Background, err = groupvit.ParseBackground(f.background); err != nil {
		return usagef("--background: %w", err)
	}
	wanted, err := parseFormats(f.files)
	if err != nil {
		return err
	}
	o.Scores = wanted["npy"]
	photos, err := findPhotos(args)
	if err != nil {
		return err
	}
	names := outputNames(photos)
	if len(wanted) > 0 {
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return fmt.Errorf("output folder: %w", err)
		}
	}
	model, err := env.open(cmd, f.model)
	if err != nil {
		return err
	}
	defer model.Close()
	failed := 0
	for i, path := range photos {
		err := f.one(cmd, env, model, path, filepath.Join(f.out, names[i]), labels, o, wanted)
		if ctxErr := cmd.Context().Err(); ctxErr != nil {
			return fmt.Errorf("interrupted after %d of %d photos: %w", i, len(photos), ctxErr)
		}
		if errors.Is(err, groupvit.ErrOption) || errors.Is(err, groupvit.ErrLabels) {
			return usagef("%w", err)
		}
		if err != nil {
			if len(photos) == 1 {
				return err
			}
			failed++
			env.warn("%s: %v", path, err)
		} else if len(photos) > 1 && env.terminal {
			env.warn("%d/%d %s", i+1, len(photos), path)
		}
	}
	switch {
	case failed == 0:
		return nil
	case failed == len(photos):
		return fmt.Errorf("all %d photos failed", failed)
	}
	return fmt.Errorf("%d of %d photos failed: %w", failed, len(photos), errPartial)
}

// parseFormats reads the list of files to write; empty is none.
func parseFormats(list string) (map[string]bool, error) {
	wanted := map[string]bool{}
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.Contains(formats, name) {
			return nil, usagef("--format %q, there are %s", name, strings.Join(formats, ", "))
		}
		wanted[name] = true
	}
	return wanted, nil
}

// outputNames returns a name for each photo's results: its own without the
// ending; with a number where an earlier photo has it already.
func outputNames(photos []string) []string {
	taken := map[string]bool{}
	names := make([]string, len(photos))
	for i, p := range photos {
		base := filepath.Base(p)
		if p == stdinName {
			base = "stdin"
		}
		base = strings.TrimSuffix(base, filepath.Ext(base))
		name := base
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[strings.ToLower(name)] = true
		names[i] = name
	}
	return names
}

// one segments a photo and writes its results to files that begin with base.
func (f *segmentFlags) one(cmd *cobra.Command, env *environment, model *groupvit.Model, path, base string, labels []string, o *groupvit.SegmentOptions, wanted map[string]bool) error {
	photo, err := env.readPhoto(path)
	if err != nil {
		return err
	}
	start := time.Now()
	s, err := model.Segment(cmd.Context(), photo, labels, o)
	if err != nil {
		return err
	}
	result := segmentJSON{
		Photo: path, Width: photo.Width, Height: photo.Height, Model: model.Info(), Protocol: s.Report.Protocol,
		Background: s.Report.Background, Segments: s.Segments, Labels: s.Labels, Report: s.Report,
		Seconds: float64(time.Since(start).Milliseconds()) / 1000,
	}
	if err := writeResults(base, photo, s, result, wanted); err != nil {
		return err
	}
	if env.json {
		return env.print(result)
	}
	return env.tell(path, s.Segments)
}

func writeResults(base string, photo *imaging.Image, s *groupvit.Segmentation, result segmentJSON, wanted map[string]bool) error {
	for _, name := range formats {
		if !wanted[name] {
			continue
		}
		var err error
		switch name {
		case "overlay":
			picture, drawErr := render.Overlay(photo, s.Map, s.Labels, nil)
			if drawErr != nil {
				return drawErr
			}
			err = writeFile(base+".overlay.png", func(w io.Writer) error { return png.Encode(w, picture) })
		case "mask":
			err = writeFile(base+".mask.png", func(w io.Writer) error { return s.Map.EncodePNG(w, mask.VOCPalette()) })
		case "json":
			err = writeFile(base+".json", func(w io.Writer) error {
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				return e.Encode(result)
			})
		case "npy":
			err = writeFile(base+".npy", func(w io.Writer) error {
				b := bufio.NewWriter(w)
				if err := mask.WriteNPY(b, s.Scores, len(s.Labels), s.Map.Height, s.Map.Width); err != nil {
					return err
				}
				return b.Flush()
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell writes what was found as a line of text.
func (e *environment) tell(path string, segments []groupvit.Segment) error {
	var found []string
	for _, s := range segments {
		found = append(found, fmt.Sprintf("%s %.1f%%", s.Label, 100*s.Area))
	}
	if len(found) == 0 {
		found = []string{"nothing found"}
	}
	_, err := fmt.Fprintf(e.stdout, "%s: %s\n", path, strings.Join(found, ", "))
	return err
}
