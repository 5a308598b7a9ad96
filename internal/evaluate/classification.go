package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
)

// Classifier scores labels for a whole photo, best first. It must be safe for
// concurrent use; *groupvit.Model is one.
type Classifier interface {
	Classify(ctx context.Context, photo image.Image, labels []string) ([]groupvit.Classification, error)
}

// Classification is what a measurement of zero-shot classification found, in
// percent.
type Classification struct {
	// Top1 and Top5 are the shares of photos whose class is the best, or among
	// the five best; Chance1 and Chance5 what guessing gives.
	Top1    float64 `json:"top1"`
	Top5    float64 `json:"top5"`
	Chance1 float64 `json:"chance_top1"`
	Chance5 float64 `json:"chance_top5"`
	// MeanPerClass is the mean of PerClass, each class's Top1; null is a class
	// without a photo.
	MeanPerClass float64             `json:"mean_per_class"`
	PerClass     map[string]*float64 `json:"per_class"`
	Classes      []string            `json:"classes"`
	// Templates names the prompts.
	Templates       string  `json:"templates"`
	Model           Model   `json:"model"`
	Engine          string  `json:"engine"`
	Threads         int     `json:"threads"`
	Root            string  `json:"root"`
	Images          int     `json:"images"`
	Seconds         float64 `json:"seconds"`
	ImagesPerSecond float64 `json:"images_per_second"`
	// Command made the report.
	Command string `json:"command"`
}

// ClassificationOptions say how to measure.
type ClassificationOptions struct {
	// Workers is how many photos are worked on at once; 0 is one a processor.
	Workers int
	// Progress, if set, is called from one goroutine at a time with the number
	// of photos done.
	Progress func(done int)
}

// MeasureClassification asks a classifier for the class of every photo. The
// first photo that fails ends it with an error that names the photo.
func MeasureClassification(ctx context.Context, f *bench.Folders, m Classifier, o ClassificationOptions) (*Classification, error) {
	start := time.Now()
	c := &classifying{folders: f, classifier: m, progress: o.Progress, hits: make([][2]int, len(f.Classes)), photos: make([]int, len(f.Classes))}
	for _, class := range f.Classes {
		c.labels = append(c.labels, strings.Join(class.Names(), "|"))
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if err := c.all(ctx, workers); err != nil {
		return nil, err
	}
	n := len(f.Classes)
	r := &Classification{
		PerClass: map[string]*float64{}, Templates: "subset", Root: f.Root, Images: len(f.Photos),
		Chance1: round(100/float64(n), 2), Chance5: round(100*float64(min(5, n))/float64(n), 2),
	}
	var top1, top5 int
	var perClass mean
	for i, class := range f.Classes {
		r.Classes = append(r.Classes, class.Name)
		share := float64(c.hits[i][0]) / float64(c.photos[i])
		r.PerClass[class.Name] = percent(share)
		if !math.IsNaN(share) {
			perClass.add(share)
		}
		top1, top5 = top1+c.hits[i][0], top5+c.hits[i][1]
	}
	photos := float64(len(f.Photos))
	r.Top1, r.Top5, r.MeanPerClass = round(100*float64(top1)/photos, 2), round(100*float64(top5)/photos, 2), round(100*perClass.value(), 2)
	seconds := time.Since(start).Seconds()
	r.Seconds, r.ImagesPerSecond = round(seconds, 3), round(photos/seconds, 3)
	return r, nil
}

// classifying is a measurement under way.
type classifying struct {
	folders    *bench.Folders
	classifier Classifier
	progress   func(done int)
	labels     []string

	mutex  sync.Mutex
	done   int
	photos []int    // by class
	hits   [][2]int // by class: right as the best, right among the five best
}

func (c *classifying) all(ctx context.Context, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(c.folders.Photos) && ctx.Err() == nil; i += workers {
				if err := c.one(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

func (c *classifying) one(ctx context.Context, i int) error {
	photo, err := c.folders.Load(i)
	if err != nil {
		return err
	}
	ranking, err := c.classifier.Classify(ctx, photo, c.labels)
	if err != nil {
		return fmt.Errorf("%s: %w", c.folders.Photos[i].Path, err)
	}
	class := c.folders.Photos[i].Class
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.photos[class]++
	for place, answer := range ranking[:min(5, len(ranking))] {
		if answer.Label != c.folders.Classes[class].Name {
			continue
		}
		c.hits[class][1]++
		if place == 0 {
			c.hits[class][0]++
		}
	}
	c.done++
	if c.progress != nil {
		c.progress(c.done)
	}
	return nil
}

// WriteText writes the report as a table for people.
func (r *Classification) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "class\ttop 1\t")
	for _, name := range r.Classes {
		fmt.Fprintf(t, "%s\t%s\t\n", name, number(r.PerClass[name]))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `top 1 %.2f %% (chance %.2f), top 5 %.2f %% (chance %.2f), mean of the classes %.2f %%
model %s (sha256 %.12s), engine %s, templates %s
root %s, %d photos, %d classes, %.2f photos/s
`, r.Top1, r.Chance1, r.Top5, r.Chance5, r.MeanPerClass, r.Model.Name, cmp.Or(r.Model.SHA256, "unknown"), r.Engine, r.Templates,
		r.Root, r.Images, len(r.Classes), r.ImagesPerSecond)
	return err
}
