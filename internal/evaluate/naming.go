package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/parallel"
)

// NamingPhotos is how many photos must name a word for its average precision to count.
const NamingPhotos = 20

// Namer puts photos and words into one space as unit vectors. It must be safe for
// concurrent use; *groupvit.Model is one.
type Namer interface {
	EmbedImage(ctx context.Context, photo image.Image) ([]float32, error)
	ClassVectors(ctx context.Context, names []string, templates string) ([][]float32, string, error)
}

// NamingOptions say how to measure naming.
type NamingOptions struct {
	// Words are the words that compete, Named returns which of them a sample's texts
	// name; others do not count.
	Words []string
	Named func(*pairs.Sample) []string
	// Limit uses so many photos, at even steps; 0 is all. Workers are worked on at
	// once; 0 is one a processor.
	Limit, Workers int
}

// Naming is how well a model tells which words a photo's texts name.
type Naming struct {
	// Top1 is the share of photos, in percent, whose best word is one that its texts
	// name; of photos that name one.
	Top1 float64 `json:"top1"`
	// AP is the mean over words that NamingPhotos photos or more name of their average
	// precision, in percent; nil where there is no such word.
	AP *float64 `json:"mean_ap"`
	// Words is the number of those words, Photos that of photos that name a word,
	// Skipped of photos that cannot be used, by reason.
	Words   int            `json:"words"`
	Photos  int            `json:"photos"`
	Skipped map[string]int `json:"skipped"`
}

// namedPhoto is a photo as cosines with the words, and which of them it names.
type namedPhoto struct {
	scores  []float32
	named   []bool
	problem *pairs.Problem
}

// MeasureNaming ranks words for photos, and photos for words, by the cosine of the
// photo's vector. A photo may show what its texts leave out, so that no model reaches
// 100. Samples that cannot be read are left out and counted.
func MeasureNaming(ctx context.Context, x *pairs.Index, m Namer, o NamingOptions) (*Naming, error) {
	if len(o.Words) < 2 {
		return nil, fmt.Errorf("%w: %d words: two are needed", ErrNoPairs, len(o.Words))
	}
	vectors, _, err := m.ClassVectors(ctx, o.Words, "")
	if err != nil {
		return nil, err
	}
	n := x.Len()
	if o.Limit > 0 {
		n = min(n, o.Limit)
	}
	list := make([]namedPhoto, n)
	err = parallel.For(ctx, n, o.Workers, func(ctx context.Context, i int) error {
		at := i * x.Len() / n
		sample, err := x.Sample(at)
		var photo *pairs.Image
		if err == nil {
			photo, err = sample.Decode()
		}
		if err != nil {
			list[i].problem = &pairs.Problem{Key: x.Key(at), Source: x.Source(at), Err: err}
			return nil
		}
		vector, err := m.EmbedImage(ctx, photo)
		if err != nil {
			return fmt.Errorf("%s: %w", x.Key(at), err)
		}
		list[i].named, list[i].scores = make([]bool, len(o.Words)), make([]float32, len(o.Words))
		for _, word := range o.Named(sample) {
			if w := slices.Index(o.Words, word); w >= 0 {
				list[i].named[w] = true
			}
		}
		for w, v := range vectors {
			list[i].scores[w] = dot(vector, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return naming(list, len(o.Words))
}

// naming measures photos with their scores and names.
func naming(list []namedPhoto, words int) (*Naming, error) {
	r := &Naming{Skipped: map[string]int{}}
	counts, right := make([]int, words), 0
	list = slices.DeleteFunc(list, func(p namedPhoto) bool {
		if p.problem != nil {
			r.Skipped[p.problem.Reason()]++
		}
		return p.problem != nil || !slices.Contains(p.named, true)
	})
	for _, p := range list {
		best := 0
		for w, s := range p.scores {
			if s > p.scores[best] {
				best = w
			}
			if p.named[w] {
				counts[w]++
			}
		}
		if p.named[best] {
			right++
		}
	}
	if r.Photos = len(list); r.Photos == 0 {
		return nil, fmt.Errorf("%w: no photo names a word of the list", ErrNoPairs)
	}
	r.Top1 = 100 * float64(right) / float64(r.Photos)
	sum := 0.0
	for w, count := range counts {
		if count >= NamingPhotos {
			sum += averagePrecision(list, w)
			r.Words++
		}
	}
	if r.Words > 0 {
		mean := 100 * sum / float64(r.Words)
		r.AP = &mean
	}
	return r, nil
}

// averagePrecision is the mean, over the photos that name a word, of the share of such
// photos among those with as high a score or a higher one. Photos of one score stand in
// no order among themselves.
func averagePrecision(list []namedPhoto, word int) float64 {
	order := slices.Clone(list)
	slices.SortStableFunc(order, func(a, b namedPhoto) int { return cmp.Compare(b.scores[word], a.scores[word]) })
	sum, found := 0.0, 0
	for from := 0; from < len(order); {
		to, here := from, 0
		for ; to < len(order) && order[to].scores[word] == order[from].scores[word]; to++ {
			if order[to].named[word] {
				here++
			}
		}
		found += here
		sum += float64(here) * float64(found) / float64(to)
		from = to
	}
	return sum / float64(found)
}
