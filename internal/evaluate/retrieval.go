package evaluate

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/parallel"
)

// Embedder puts pictures and texts into one space as unit vectors. It must be
// safe for concurrent use; *groupvit.Model is one.
type Embedder interface {
	EmbedImage(ctx context.Context, photo image.Image) ([]float32, error)
	EmbedTexts(ctx context.Context, texts []string) ([][]float32, error)
}

// RetrievalOptions say how to measure.
type RetrievalOptions struct {
	// Workers is how many pictures are worked on at once; 0 is one a processor.
	Workers int
	// Limit uses so many samples, at even steps; 0 is all.
	Limit int
	// Progress, if set, is called from one goroutine at a time with the number
	// of pictures done.
	Progress func(done int)
}

// Retrieval is what a measurement of retrieval found.
type Retrieval struct {
	// FirstCaption searches among one caption a picture, the first. AllCaptions
	// searches among all, where any picture has more than one: a picture has
	// found its text where any of its captions is found, each caption looks for
	// its picture (the usual form on Flickr8k and COCO, with five).
	FirstCaption Directions  `json:"first_caption"`
	AllCaptions  *Directions `json:"all_captions"`
	Model        Model       `json:"model"`
	Engine       string      `json:"engine"`
	Threads      int         `json:"threads"`
	// Data names the sources; Images is the number of pictures used, Skipped
	// that of samples which could not be used, by reason, FirstSkipped one of them.
	Data            string         `json:"data"`
	Images          int            `json:"images"`
	Skipped         map[string]int `json:"skipped"`
	FirstSkipped    string         `json:"first_skipped,omitempty"`
	Seconds         float64        `json:"seconds"`
	ImagesPerSecond float64        `json:"images_per_second"`
	// Command made the report.
	Command string `json:"command"`
}

// Directions are both directions of a search.
type Directions struct {
	// Captions is the number of captions in it.
	Captions    int    `json:"captions"`
	ImageToText Recall `json:"image_to_text"`
	TextToImage Recall `json:"text_to_image"`
}

// ErrNoPairs says that fewer than two samples can be used.
var ErrNoPairs = errors.New("nothing to search in")

// MeasureRetrieval searches the captions of a set for its pictures, and the
// other way round. Samples that cannot be read are left out and counted.
func MeasureRetrieval(ctx context.Context, x *pairs.Index, m Embedder, o RetrievalOptions) (*Retrieval, error) {
	if o.Limit < 0 || o.Workers < 0 {
		return nil, fmt.Errorf("%w: limit %d, workers %d: 0 or more", ErrOptions, o.Limit, o.Workers)
	}
	n := x.Len()
	if o.Limit > 0 {
		n = min(n, o.Limit)
	}
	start := time.Now()
	e := &embedding{index: x, embedder: m, options: o, samples: make([]embedded, n)}
	err := parallel.For(ctx, len(e.samples), o.Workers, e.one)
	if err != nil {
		return nil, err
	}
	r := &Retrieval{Skipped: map[string]int{}}
	for _, p := range x.Problems() {
		r.skip(p)
	}
	var pictures, captions [][]float32
	var owner []int
	first := []int{} // number of each picture's first caption
	for _, s := range e.samples {
		if s.problem != nil {
			r.skip(*s.problem)
			continue
		}
		first = append(first, len(captions))
		for _, c := range s.captions {
			captions, owner = append(captions, c), append(owner, len(pictures))
		}
		pictures = append(pictures, s.picture)
	}
	if len(pictures) < 2 {
		return nil, fmt.Errorf("%w: %d of %d samples can be used, two are needed", ErrNoPairs, len(pictures), n)
	}
	r.Images = len(pictures)
	firsts := make([][]float32, len(first))
	for i, c := range first {
		firsts[i] = captions[c]
	}
	r.FirstCaption, err = bothWays(ctx, pictures, firsts, func(picture, caption int) bool { return picture == caption })
	if err == nil && len(captions) > len(pictures) {
		r.AllCaptions = new(Directions)
		*r.AllCaptions, err = bothWays(ctx, pictures, captions, func(picture, caption int) bool { return owner[caption] == picture })
	}
	if err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	r.Seconds, r.ImagesPerSecond = round(seconds, 3), round(float64(r.Images)/seconds, 3)
	return r, nil
}

func (r *Retrieval) skip(p pairs.Problem) {
	r.Skipped[p.Reason()]++
	if r.FirstSkipped == "" {
		r.FirstSkipped = p.String()
	}
}

// bothWays searches in both directions.
func bothWays(ctx context.Context, pictures, captions [][]float32, belong func(picture, caption int) bool) (Directions, error) {
	d := Directions{Captions: len(captions)}
	places, right, err := search(ctx, pictures, captions, belong)
	if err != nil {
		return d, err
	}
	d.ImageToText = recall(places, right, len(captions))
	places, right, err = search(ctx, captions, pictures, func(caption, picture int) bool { return belong(picture, caption) })
	if err != nil {
		return d, err
	}
	d.TextToImage = recall(places, right, len(pictures))
	return d, nil
}

// embedding is the vectors of a set being made.
type embedding struct {
	index    *pairs.Index
	embedder Embedder
	options  RetrievalOptions
	samples  []embedded
	mutex    sync.Mutex
	done     int
}

// embedded is a sample as vectors, or why it cannot be used.
type embedded struct {
	picture  []float32
	captions [][]float32
	problem  *pairs.Problem
}

// one embeds a sample. What is wrong with the sample itself is kept beside it.
func (e *embedding) one(ctx context.Context, i int) error {
	at := i * e.index.Len() / len(e.samples)
	sample, err := e.index.Sample(at)
	var picture *pairs.Image
	if err == nil {
		picture, err = sample.Decode()
	}
	s := &e.samples[i]
	if err != nil {
		s.problem = &pairs.Problem{Key: e.index.Key(at), Source: e.index.Source(at), Err: err}
	} else {
		if s.picture, err = e.embedder.EmbedImage(ctx, picture); err == nil {
			s.captions, err = e.embedder.EmbedTexts(ctx, sample.Captions)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.index.Key(at), err)
		}
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.done++
	if e.options.Progress != nil {
		e.options.Progress(e.done)
	}
	return nil
}

// WriteText writes the report as a table for people.
func (r *Retrieval) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "search\tR@1\tR@5\tR@10\tmedian rank\tchance@1\tchance@5\tchance@10\t")
	row := func(name string, c Recall) {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t%g\t%.2f\t%.2f\t%.2f\t\n", name, c.At1, c.At5, c.At10, c.MedianRank, c.Chance1, c.Chance5, c.Chance10)
	}
	row("image to first caption", r.FirstCaption.ImageToText)
	row("first caption to image", r.FirstCaption.TextToImage)
	lines := []string{fmt.Sprintf("%d pictures, %d captions", r.Images, r.FirstCaption.Captions)}
	if a := r.AllCaptions; a != nil {
		row("image to any caption", a.ImageToText)
		row("each caption to image", a.TextToImage)
		lines[0] = fmt.Sprintf("%d pictures, %d captions", r.Images, a.Captions)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	skipped := 0
	for _, n := range r.Skipped {
		skipped += n
	}
	if skipped > 0 {
		lines[0] += fmt.Sprintf("; %d samples were left out, the first: %s", skipped, r.FirstSkipped)
	}
	lines = append(lines,
		fmt.Sprintf("data %s, %.2f pictures/s", r.Data, r.ImagesPerSecond),
		fmt.Sprintf("model %s (sha256 %.12s), engine %s", r.Model.Name, r.Model.SHA256, r.Engine))
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
