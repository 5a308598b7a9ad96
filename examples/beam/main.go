// Command beam segments a list of photos as an Apache Beam pipeline:
//
//	cd examples/beam
//	go run . --manifest photos.txt --labels "dog,grass" --output masks
//
// It shows what a pipeline needs of groupvit, and no more:
//
//   - The model is opened once a worker, in Setup, and used by all of its bundles:
//     a Model is safe for concurrent use, and opening costs more than a photo.
//   - An element is a path. Photos are read where they are segmented, so that the
//     pipeline moves names, not pictures.
//   - A bad photo goes to a second output and ends as a line of failed.txt; the
//     pipeline goes on. Only what no photo can help (no model, no room) is an error,
//     which Beam tries again.
//   - Masks are written under a temporary name and renamed: a bundle that Beam runs
//     twice writes the same bytes over the same file.
//
// Masks are those of "groupvit segment --manifest", byte for byte (main_test.go).
// The Prism runner is Beam's own, in this process; other runners of the Go SDK (Flink,
// Spark, Dataflow) need their import and a folder that all workers see.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/textio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/groupvit/groupvit"
)

// segmentFn writes the mask of a photo. Its exported fields travel to the workers.
type segmentFn struct {
	Model   string
	Labels  []string
	Quality string
	Output  string

	model *groupvit.Model
}

func init() {
	register.DoFn4x1[context.Context, string, func(string), func(string), error](&segmentFn{})
	register.Emitter1[string]()
}

// Setup opens the model, once for each copy that a worker makes.
func (f *segmentFn) Setup(ctx context.Context) (err error) {
	f.model, err = groupvit.Open(ctx, f.Model, nil)
	return err
}

// Teardown lets the model go.
func (f *segmentFn) Teardown() error { return f.model.Close() }

// ProcessElement segments one photo: what was found goes to the first output, why a
// photo failed to the second.
func (f *segmentFn) ProcessElement(ctx context.Context, photo string, done, failed func(string)) error {
	found, err := f.segment(ctx, photo)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		failed(fmt.Sprintf("%s: %v", photo, err))
		return nil
	}
	var b strings.Builder
	for _, s := range found.Segments {
		fmt.Fprintf(&b, "\t%s %.1f%%", s.Label, 100*s.Area)
	}
	if err := f.store(photo, found); err != nil {
		return err
	}
	done(photo + b.String())
	return nil
}

func (f *segmentFn) segment(ctx context.Context, path string) (*groupvit.Segmentation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	photo, err := groupvit.Decode(file, path)
	if err != nil {
		return nil, err
	}
	return f.model.Segment(ctx, photo, f.Labels, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Quality: groupvit.Quality(f.Quality)}})
}

// store writes the mask below the output, in the photo's own folders.
func (f *segmentFn) store(photo string, found *groupvit.Segmentation) (err error) {
	name := filepath.Join(f.Output, strings.TrimSuffix(filepath.Clean("/"+photo), filepath.Ext(photo))+".mask.png")
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".mask-*")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.Remove(file.Name()); err == nil && !errors.Is(removed, fs.ErrNotExist) {
			err = removed
		}
	}()
	err = errors.Join(found.Map.EncodePNG(file, nil), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

// build adds the pipeline's steps.
func build(s beam.Scope, photos []string, fn *segmentFn) {
	// Without the reshuffle a runner may do all photos of one Create in one bundle.
	list := beam.Reshuffle(s, beam.CreateList(s, photos))
	done, failed := beam.ParDo2(s, fn, list)
	textio.Write(s, filepath.Join(fn.Output, "done.txt"), done)
	textio.Write(s, filepath.Join(fn.Output, "failed.txt"), failed)
}

func readList(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var photos []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if lines.Text() != "" {
			photos = append(photos, lines.Text())
		}
	}
	return photos, lines.Err()
}

func run(ctx context.Context, manifest string, fn *segmentFn) error {
	photos, err := readList(manifest)
	if err != nil {
		return err
	}
	if len(photos) == 0 {
		return fmt.Errorf("%s names no photos", manifest)
	}
	if err := os.MkdirAll(fn.Output, 0o777); err != nil {
		return err
	}
	p, s := beam.NewPipelineWithRoot()
	build(s, photos, fn)
	_, err = prism.Execute(ctx, p)
	return err
}

func main() {
	manifest := flag.String("manifest", "", "file with the path of a photo on each line")
	labels := flag.String("labels", "", `words, as "dog,grass"`)
	model := flag.String("model", groupvit.DefaultModel, "the model: the embedded one, a folder, or a name")
	quality := flag.String("quality", "", "fast, balanced or best (default: best)")
	output := flag.String("output", "masks", "folder for the masks")
	flag.Parse()
	beam.Init() // a worker process of another runner goes no further than this
	fn := &segmentFn{Model: *model, Labels: strings.Split(*labels, ","), Quality: *quality, Output: *output}
	if err := run(context.Background(), *manifest, fn); err != nil {
		log.Fatal(err)
	}
}
