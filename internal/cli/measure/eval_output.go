package measure

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/evaluate/plot"
)

// segmentationOutput is where eval segmentation keeps what it found, beside stdout
// and --json.
type segmentationOutput struct {
	folder   string
	pictures int
	plot     string
}

// sweepPicture is the plot in the folder.
const sweepPicture = "sweep.png"

func (o *segmentationOutput) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.folder, "output", "o", "", "folder for report, predictions and a page of pictures; goes on there if it was stopped")
	flags.IntVar(&o.pictures, "pictures", 40, "photos on the page, the worst ones; 0 makes no page")
	flags.StringVar(&o.plot, "plot", "", "write a plot of --sweep as PNG to this file (default, with --output: sweep.png in it)")
}

// check notices mistakes before hours of work.
func (o *segmentationOutput) check(f *evalSegmentationFlags) error {
	switch {
	case o.pictures < 0:
		return command.Usagef("--pictures %d: it must be 0 (no page) or more", o.pictures)
	case o.plot != "" && f.sweep == "":
		return command.Usagef("--plot draws a sweep: add --sweep background")
	}
	if f.choose && o.folder != "" {
		o.pictures = 0 // no single map is the prediction
	}
	if o.folder == "" {
		return nil
	}
	return command.MakeFolder(o.folder)
}

// write writes everything but stdout and --json.
func (o *segmentationOutput) write(ctx context.Context, env *command.Environment, d *bench.Dataset, r *evaluate.Report) error {
	picture := o.plot
	if picture == "" && o.folder != "" && len(r.Sweep) > 0 {
		picture = filepath.Join(o.folder, sweepPicture)
	}
	if picture != "" {
		drawn, err := plot.Sweep(r)
		if err != nil {
			return err
		}
		if err := writeContent(picture, drawn); err != nil {
			return err
		}
	}
	if o.folder == "" {
		return nil
	}
	text, err := r.Encode()
	if err != nil {
		return err
	}
	if err := writeContent(filepath.Join(o.folder, "report.json"), text); err != nil {
		return err
	}
	var table bytes.Buffer
	if err := r.WriteText(&table); err != nil {
		return err
	}
	if err := writeContent(filepath.Join(o.folder, "report.txt"), table.Bytes()); err != nil {
		return err
	}
	if o.pictures == 0 {
		return nil
	}
	if err := r.WritePage(ctx, d, o.folder, o.pictures); err != nil {
		return fmt.Errorf("page of pictures: %w", err)
	}
	env.Warn("pictures: %s", filepath.Join(o.folder, "index.html"))
	return nil
}
