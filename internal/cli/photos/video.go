package photos

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/internal/video"
	"github.com/groupvit/groupvit/mask"
)

type videoFlags struct {
	segment     segmentFlags
	size, shows string
	every       int
	smooth      float64
}

// shown are the kinds of frames that video writes.
var shown = map[string]func(frame *imaging.Image, m *mask.Map, to []byte) ([]byte, error){
	"overlay": overlayFrame, "mask": maskFrame, "labels": labelsFrame,
}

func NewVideoCommand(env *command.Environment) *cobra.Command {
	f := &videoFlags{}
	cmd := &cobra.Command{
		Use:   "video",
		Short: "Cut the frames of a video into regions: raw frames in, raw frames out",
		Long: `Cut the frames of a video into regions named by words. Frames come on stdin and go
to stdout as ffmpeg's rawvideo: no header, rows of red, green, blue, a byte each
(rgb24), all of the size that --size names. ffmpeg on both sides reads and writes any
video.

--show says what comes out:

  overlay   the frame with coloured regions, rgb24
  mask      the colours alone, background black, rgb24
  labels    one byte a pixel, gray: 0 is background, i the i-th label

A label has the same colour in every frame and every video. --every k looks at every
k-th frame alone; the regions stay in between. --smooth averages class scores over
the frames that are looked at, exponentially: at 0.7, 0.7 of what was and 0.3 of what
is new; regions flicker less and follow a cut later.

Input that ends within a frame is an error, after the frames before it.`,
		Example: `  # Read with one ffmpeg, write with another
  ffmpeg -v error -i in.mp4 -vf scale=640:360 -f rawvideo -pix_fmt rgb24 - |
    groupvit video --size 640x360 --labels "dog,grass" --quality fast --smooth 0.7 --every 2 |
    ffmpeg -v error -f rawvideo -pix_fmt rgb24 -video_size 640x360 -framerate 25 -i - -pix_fmt yuv420p out.mp4

  # Masks without loss, for a program
  ffmpeg -v error -i in.mp4 -f rawvideo -pix_fmt rgb24 - |
    groupvit video --size 1280x720 --labels dog --show labels |
    ffmpeg -v error -f rawvideo -pix_fmt gray -video_size 1280x720 -framerate 25 -i - -c:v ffv1 masks.mkv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	f.segment.labels.Add(cmd)
	command.ModelFlag(cmd, &f.segment.model)
	flags := cmd.Flags()
	flags.StringVar(&f.size, "size", "", "width and height of the frames, as 640x360 (needed)")
	flags.StringVar(&f.shows, "show", "overlay", "what to write: overlay, mask or labels")
	flags.IntVar(&f.every, "every", 1, "segment every k-th frame")
	flags.Float64Var(&f.smooth, "smooth", 0, "share of the past in the class scores, from 0 to 0.99")
	flags.StringVar(&f.segment.protocol, "protocol", "", "paper, hf, tcl, sclip or best (default: paper for the paper's network, else best)")
	flags.StringVar(&f.segment.background, "background", "auto", "what is background: auto, off, or a threshold from 0 to 1")
	flags.IntVar(&f.segment.shortSide, "short-side", 0, "input resolution: the short side in pixels (default: the protocol's)")
	f.segment.techniques.Add(cmd)
	return cmd
}

// videoJob is what a call of video does to each frame.
type videoJob struct {
	env            *command.Environment
	model          *groupvit.Model
	labels         []string
	options        groupvit.SegmentOptions
	size           video.Size
	show           func(frame *imaging.Image, m *mask.Map, to []byte) ([]byte, error)
	every          int
	smoother       video.Smoother
	frames, looked int
}

func (f *videoFlags) run(cmd *cobra.Command, env *command.Environment) error {
	job, err := f.job(env)
	if err != nil {
		return err
	}
	if job.model, err = env.OpenWith(cmd, f.segment.model, f.segment.techniques.Calibration); err != nil {
		return err
	}
	defer job.model.Close()
	begun := time.Now()
	err = job.all(cmd.Context())
	env.ClearLine()
	env.Warn("%d frames, %d looked at, %.1f frames a second", job.frames, job.looked, float64(job.frames)/time.Since(begun).Seconds())
	return err
}

// job reads the flags.
func (f *videoFlags) job(env *command.Environment) (*videoJob, error) {
	job := &videoJob{env: env, every: f.every, smoother: video.Smoother{Keep: f.smooth}, show: shown[f.shows]}
	var err error
	if job.labels, err = f.segment.labels.Read(env); err != nil {
		return nil, err
	}
	if job.options, err = f.segment.options(); err != nil {
		return nil, err
	}
	if job.size, err = video.ParseSize(f.size); err != nil {
		return nil, command.Usagef("--size: %w", err)
	}
	switch {
	case job.show == nil:
		return nil, command.Usagef("--show %q, there are overlay, mask and labels", f.shows)
	case f.shows == "labels" && len(job.labels) > 255:
		return nil, command.Usagef("--show labels has a byte a pixel: name at most 255 labels, not %d", len(job.labels))
	case f.every < 1:
		return nil, command.Usagef("--every %d: give 1 or more", f.every)
	case !(f.smooth >= 0 && f.smooth <= 0.99):
		return nil, command.Usagef("--smooth %g: give a share from 0 to 0.99", f.smooth)
	}
	job.options.Scores = f.smooth > 0
	return job, nil
}

// frame is what the reader hands over.
type frame struct {
	picture *imaging.Image
	err     error
}

// all does frames until the input ends.
func (j *videoJob) all(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frames := make(chan frame, 1) // the next one is read meanwhile
	go func() {
		for {
			picture, err := j.size.Read(j.env.Stdin)
			select {
			case frames <- frame{picture, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var labels *mask.Map
	var out []byte
	for {
		var f frame
		select {
		case f = <-frames:
		case <-ctx.Done():
			return fmt.Errorf("interrupted after %d frames: %w", j.frames, ctx.Err())
		}
		if errors.Is(f.err, io.EOF) {
			return nil
		}
		if f.err != nil {
			return fmt.Errorf("stdin, after %d frames: %w", j.frames, f.err)
		}
		var err error
		if j.frames%j.every == 0 {
			if labels, err = j.look(ctx, f.picture); err != nil {
				return err
			}
		}
		if out, err = j.show(f.picture, labels, out[:0]); err != nil {
			return err
		}
		if _, err := j.env.Stdout.Write(out); err != nil {
			return fmt.Errorf("stdout: %w", err)
		}
		j.frames++
	}
}

// look asks the model about a frame.
func (j *videoJob) look(ctx context.Context, picture *imaging.Image) (*mask.Map, error) {
	s, err := j.model.Segment(ctx, picture, j.labels, &j.options)
	if isOption(err) {
		return nil, command.Usagef("%w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", j.frames, err)
	}
	j.looked++
	return j.smoother.Add(s.Map, s.Scores), nil
}

func overlayFrame(frame *imaging.Image, m *mask.Map, to []byte) ([]byte, error) {
	picture, err := render.Regions(frame, m, nil)
	if err != nil {
		return nil, err
	}
	return appendRGB(to, picture), nil
}

// appendRGB leaves alpha out.
func appendRGB(to []byte, picture *image.RGBA) []byte {
	for i := 0; i < len(picture.Pix); i += 4 {
		to = append(to, picture.Pix[i], picture.Pix[i+1], picture.Pix[i+2])
	}
	return to
}

func maskFrame(_ *imaging.Image, m *mask.Map, to []byte) ([]byte, error) {
	colors := make([][3]byte, int(m.Max())+1)
	for i := range colors[1:] {
		c := render.Color(i + 1)
		colors[i+1] = [3]byte{c.R, c.G, c.B}
	}
	for _, l := range m.Labels {
		c := colors[l]
		to = append(to, c[0], c[1], c[2])
	}
	return to, nil
}

func labelsFrame(_ *imaging.Image, m *mask.Map, to []byte) ([]byte, error) {
	for _, l := range m.Labels {
		to = append(to, uint8(l))
	}
	return to, nil
}
