package photos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/output"
)

// segmentJob is what a call of segment does to each photo.
type segmentJob struct {
	env    *command.Environment
	model  *groupvit.Model
	labels []string
	// proposed says that the model names what it sees, without labels.
	proposed *groupvit.ProposeOptions
	options  groupvit.SegmentOptions
	files    []output.Format
	// ids are the numbers of the labels where a format asks for them.
	ids []uint8
	// places says what photos are called in the results.
	places places
	// keepSpecks says that the user has named a smallest area, instances that each
	// connected part is a region.
	keepSpecks, instances bool
	// unplaced counts photos without a known coordinate system, for format geojson.
	unplaced unplaced
	// turns has a place for each photo that may be computed at a time.
	turns chan struct{}
}

// computedAtOnce is how many photos are computed side by side: where one works on a
// single thread (resizing, deciding), the other has the rest of the machine.
const computedAtOnce = 2

// isOption reports whether what was asked for is wrong, for any photo.
func isOption(err error) bool {
	return errors.Is(err, groupvit.ErrOption) || errors.Is(err, groupvit.ErrLabels)
}

// do reads and segments a photo. Its errors name the photo. data is the photo's file.
func (j *segmentJob) do(ctx context.Context, item batch.Item) (a *output.Answer, data []byte, err error) {
	if data, err = item.Read(); err != nil {
		return nil, nil, err
	}
	photo, err := j.env.Decode(data, item.Photo)
	if err != nil {
		return nil, nil, err
	}
	place, err := j.placeOf(item.Photo, bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	found, seconds, err := j.compute(ctx, photo)
	if isOption(err) { // the photo does not matter
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", item.Photo, err)
	}
	a = &output.Answer{
		Photo: photo, Found: found, IDs: j.ids, Place: place, KeepSpecks: j.keepSpecks,
		Record:   j.model.Record(item.Photo, photo.Width, photo.Height, found, seconds),
		FileName: j.places.fileName(item), ImagePath: j.places.imagePath(item),
	}
	if j.instances {
		if a.Parts, err = found.Instances(ctx); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", item.Photo, err)
		}
		a.Record.Instances = a.Parts.List
	}
	return a, data, nil
}

// compute asks the model, and says how long it took, beside another photo or not.
func (j *segmentJob) compute(ctx context.Context, photo *imaging.Image) (*groupvit.Segmentation, float64, error) {
	j.turns <- struct{}{}
	defer func() { <-j.turns }()
	start := time.Now()
	s, err := j.ask(ctx, photo)
	return s, float64(time.Since(start).Milliseconds()) / 1000, err
}

func (j *segmentJob) ask(ctx context.Context, photo *imaging.Image) (*groupvit.Segmentation, error) {
	if j.proposed != nil {
		return j.model.SegmentAuto(ctx, photo, j.proposed, &j.options)
	}
	return j.model.Segment(ctx, photo, j.labels, &j.options)
}

// numbered are formats that number labels over all photos, which proposed labels cannot be.
var numbered = []string{"coco", "coco-polygons", "yolo", "cityscapes"}

// checkAuto refuses what does not go with words that the model proposes, and flags of
// theirs without them.
func (j *segmentJob) checkAuto(cmd *cobra.Command) error {
	for _, name := range []string{"top", "least"} {
		if j.proposed == nil && cmd.Flags().Changed(name) {
			return command.Usagef("--%s is for words that the model proposes: leave --labels out", name)
		}
	}
	if j.proposed == nil {
		return nil
	}
	for _, name := range numbered {
		if j.asks(name) {
			return command.Usagef("format %s numbers the labels over all photos: name them with --labels", name)
		}
	}
	return nil
}

// encode makes the files of a format in memory; Data is nil where the photo has no such
// file.
func encode(ctx context.Context, f output.Format, a *output.Answer, name string) ([]batch.File, error) {
	var list []batch.File
	for _, file := range f.Files(ctx, a, name) {
		made := batch.File{Name: file.Path}
		if file.Write != nil {
			b := bytes.NewBuffer([]byte{}) // not nil where nothing is written
			if err := file.Write(b); err != nil {
				return nil, err
			}
			made.Data = b.Bytes()
		}
		list = append(list, made)
	}
	return list, nil
}

// mostAtOnce is how many photos are worked on side by side: while one is computed,
// others are read and written. Each takes memory.
const mostAtOnce = 4

// atOnce is how many photos of a run are worked on side by side.
func (j *segmentJob) atOnce() int {
	if j.options.Scores { // up to a gigabyte each
		return 1
	}
	return min(mostAtOnce, runtime.GOMAXPROCS(0)+1) // one is read while the others are computed
}

// tell writes what was found as a line of text.
func tell(e *command.Environment, r groupvit.Record) error {
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
	_, err := fmt.Fprintf(e.Stdout, "%s: %s\n", r.Photo, strings.Join(found, ", "))
	return err
}

// result prints what was found, as a line of JSON or of text.
func (j *segmentJob) result(r groupvit.Record) error {
	if j.env.JSON {
		return j.env.Print(r)
	}
	return tell(j.env, r)
}

// noteOnce says what the first answer of a run says about all of them.
func (j *segmentJob) noteOnce(r groupvit.Record) {
	j.env.ClearLine()
	if note := r.Report.Note; note != "" {
		j.env.Say("note: %s", note)
	}
	j.env.WarnRare(r.RareWords)
}
