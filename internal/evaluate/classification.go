package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/parallel"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Classifier puts photos and names of classes into one space as unit vectors. It
// must be safe for concurrent use; *groupvit.Model is one.
type Classifier interface {
	EmbedImage(ctx context.Context, photo image.Image) ([]float32, error)
	// ClassVectors returns a vector a name, averaged over templates, and what these
	// are called; "" is the classifier's own.
	ClassVectors(ctx context.Context, names []string, templates string) ([][]float32, string, error)
}

// Labelled are photos with one class each; *[bench.Folders] and
// *[bench.ClassShards] are such.
type Labelled interface {
	List() []vocab.Class
	Len() int
	// Photo reads photo i and returns the number of its class; id names it.
	Photo(i int) (photo *imaging.Image, class int, id string, err error)
}

var (
	_ Labelled = (*bench.Folders)(nil)
	_ Labelled = (*bench.ClassShards)(nil)
)

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
	// without a photo. A name that two classes have is followed by the class's
	// number.
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
	// Templates names the prompts; "" is the classifier's own.
	Templates string
	// Progress, if set, is called from one goroutine at a time with the number
	// of photos done.
	Progress func(done int)
}

// MeasureClassification asks a classifier for the class of every photo; of a
// class's names the best one counts. The first photo that fails ends it with an
// error that names the photo.
func MeasureClassification(ctx context.Context, photos Labelled, m Classifier, o ClassificationOptions) (*Classification, error) {
	start := time.Now()
	classes := photos.List()
	c := &classifying{data: photos, classifier: m, progress: o.Progress, hits: make([][2]int, len(classes)), photos: make([]int, len(classes))}
	var names []string
	for i, class := range classes {
		for _, n := range class.Names() {
			names, c.owner = append(names, n), append(c.owner, i)
		}
	}
	r := &Classification{PerClass: map[string]*float64{}, Classes: distinctNames(classes), Images: photos.Len()}
	var err error
	if c.vectors, r.Templates, err = m.ClassVectors(ctx, names, o.Templates); err != nil {
		return nil, err
	}
	if err := parallel.For(ctx, photos.Len(), o.Workers, c.one); err != nil {
		return nil, err
	}
	n := len(classes)
	r.Chance1, r.Chance5 = round(100/float64(n), 2), round(100*float64(min(5, n))/float64(n), 2)
	var top1, top5 int
	var perClass mean
	for i, name := range r.Classes {
		share := float64(c.hits[i][0]) / float64(c.photos[i])
		r.PerClass[name] = percent(share)
		if !math.IsNaN(share) {
			perClass.add(share)
		}
		top1, top5 = top1+c.hits[i][0], top5+c.hits[i][1]
	}
	all := float64(r.Images)
	r.Top1, r.Top5, r.MeanPerClass = round(100*float64(top1)/all, 2), round(100*float64(top5)/all, 2), round(100*perClass.value(), 2)
	seconds := time.Since(start).Seconds()
	r.Seconds, r.ImagesPerSecond = round(seconds, 3), round(all/seconds, 3)
	return r, nil
}

// distinctNames are the classes' names, with a number where another has the same.
func distinctNames(classes []vocab.Class) []string {
	count := map[string]int{}
	for _, c := range classes {
		count[c.Name]++
	}
	names := make([]string, len(classes))
	for i, c := range classes {
		if names[i] = c.Name; count[c.Name] > 1 {
			names[i] = fmt.Sprintf("%s (%d)", c.Name, i)
		}
	}
	return names
}

// classifying is a measurement under way.
type classifying struct {
	data       Labelled
	classifier Classifier
	progress   func(done int)
	vectors    [][]float32 // a name each
	owner      []int       // by name, its class

	mutex  sync.Mutex
	done   int
	photos []int    // by class
	hits   [][2]int // by class: right as the best, right among the five best
}

func (c *classifying) one(ctx context.Context, i int) error {
	photo, class, id, err := c.data.Photo(i)
	if err != nil {
		return err
	}
	v, err := c.classifier.EmbedImage(ctx, photo)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	better := c.rank(v, class)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.photos[class]++
	if better < 5 {
		c.hits[class][1]++
	}
	if better == 0 {
		c.hits[class][0]++
	}
	c.done++
	if c.progress != nil {
		c.progress(c.done)
	}
	return nil
}

// rank is the number of classes that come before one: that score more, or the same
// and have a smaller number.
func (c *classifying) rank(photo []float32, class int) int {
	scores := slices.Repeat([]float32{float32(math.Inf(-1))}, len(c.photos))
	for n, v := range c.vectors {
		scores[c.owner[n]] = max(scores[c.owner[n]], dot(photo, v))
	}
	better := 0
	for other, s := range scores {
		if s > scores[class] || s == scores[class] && other < class {
			better++
		}
	}
	return better
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
