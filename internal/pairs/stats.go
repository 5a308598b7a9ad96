package pairs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/shards"
)

// Stats describe a data set.
type Stats struct {
	// Samples can be used, Skipped cannot, by reason.
	Samples int            `json:"samples"`
	Skipped map[string]int `json:"skipped"`
	// LeftOut counts files that are no part of any sample.
	LeftOut *shards.LeftOut `json:"left_out"`
	// Bytes is the size of the encoded pictures.
	Bytes int64 `json:"bytes"`
	// Width, Height and Aspect (width over height) are of upright pictures.
	Width  Spread `json:"width"`
	Height Spread `json:"height"`
	Aspect Spread `json:"aspect"`
	// Captions is the number of captions, Distinct of different ones, CaptionsEach
	// how many a sample has, Words how many words a caption has.
	Captions     int    `json:"captions"`
	Distinct     int    `json:"distinct_captions"`
	CaptionsEach Spread `json:"captions_each"`
	Words        Spread `json:"words"`
	// Vocabulary is the number of different words, Vocabulary3 and Vocabulary5 of
	// those that come at least so often.
	Vocabulary  int `json:"vocabulary"`
	Vocabulary3 int `json:"vocabulary_3"`
	Vocabulary5 int `json:"vocabulary_5"`
	// TopWords, TopNouns and TopTags come most often; of nouns (of the built-in
	// list, synonyms merged) and tags samples are counted, of words all places.
	TopWords []Count `json:"top_words"`
	TopNouns []Count `json:"top_nouns"`
	TopTags  []Count `json:"top_tags"`
	// TopCaptions are captions of several samples.
	TopCaptions []Count `json:"top_captions"`
	// SameBytes is the number of pictures whose bytes another before them has;
	// LookAlike of those that look the same without that: equal 16×16 brightness
	// steps. Examples are pairs of keys.
	SameBytes int         `json:"same_bytes"`
	LookAlike int         `json:"look_alike"`
	Examples  [][2]string `json:"duplicates"`
}

// Spread describes numbers.
type Spread struct {
	Least  float64 `json:"min"`
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	Most   float64 `json:"max"`
}

// Count is how often a text comes.
type Count struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

// StatsOptions say how much [Describe] looks at.
type StatsOptions struct {
	// Top is the length of the lists.
	Top int
	// Workers decode; 0 is one a CPU.
	Workers int
	// Progress, if set, is called with the number of samples done.
	Progress func(done int)
}

// seen is what is wanted of one sample.
type seen struct {
	sample        *Sample
	problem       *Problem
	bytes         int
	width, height int
	sum           [16]byte
	look          [32]byte
	nouns         []string
}

// Describe reads all samples, each once.
func Describe(ctx context.Context, x *Index, o StatsOptions) (Stats, error) {
	list, err := nouns.List(nouns.Builtin())
	if err != nil {
		return Stats{}, err
	}
	c := &census{finder: nouns.Memo(list, 1<<16), stats: Stats{Skipped: map[string]int{}, LeftOut: x.LeftOut()},
		words: map[string]int{}, nouns: map[string]int{}, tags: map[string]int{}, captions: map[string]int{},
		sums: map[[16]byte]string{}, looks: map[[32]byte]string{}}
	for _, p := range x.Problems() {
		c.stats.Skipped[p.Reason()]++
	}
	places := func(yield func(int) bool) {
		for i := range x.Len() {
			if x.first(i) == i && !yield(i) {
				return
			}
		}
	}
	done := 0
	err = pipeline(ctx, places, o.Workers, func(i int) seen { return c.look(x, i) }, func(s seen) error {
		c.add(s)
		if done++; o.Progress != nil {
			o.Progress(done)
		}
		return nil
	})
	return c.result(o.Top), err
}

type census struct {
	finder                       nouns.Finder
	stats                        Stats
	words, nouns, tags, captions map[string]int
	widths, heights, aspects     []float64
	each, lengths                []float64
	sums                         map[[16]byte]string
	looks                        map[[32]byte]string
}

func (c *census) look(x *Index, i int) seen {
	s, err := x.Sample(i)
	var im *Image
	if err == nil {
		im, err = s.Decode()
	}
	if err != nil {
		return seen{problem: &Problem{x.Key(i), x.Source(i), err}}
	}
	sum := sha256.Sum256(s.Picture)
	out := seen{sample: s, bytes: len(s.Picture), width: im.Width, height: im.Height, sum: [16]byte(sum[:16]), look: differences(im)}
	for _, caption := range s.Captions {
		for _, n := range c.finder.Nouns(caption) {
			if !slices.Contains(out.nouns, n) {
				out.nouns = append(out.nouns, n)
			}
		}
	}
	s.Picture = nil
	return out
}

// differences is a picture's difference hash: 256 bits, each whether a place of a
// 17×16 grid is brighter than the one to its right. Pictures that were squashed or
// compressed again have nearly the same.
func differences(im *Image) (out [32]byte) {
	small, err := imaging.ResizePIL(im, 17, 16, imaging.Bilinear)
	if err != nil {
		return out
	}
	bit := 0
	for y := range 16 {
		row := small.Row(y)
		bright := func(x int) int { return 299*int(row[3*x]) + 587*int(row[3*x+1]) + 114*int(row[3*x+2]) }
		for x := range 16 {
			if bright(x) > bright(x+1) {
				out[bit/8] |= 1 << (bit % 8)
			}
			bit++
		}
	}
	return out
}

// mostExamples bounds the list of duplicates.
const mostExamples = 20

func (c *census) add(s seen) {
	st := &c.stats
	if s.problem != nil {
		st.Skipped[s.problem.Reason()]++
		return
	}
	st.Samples++
	st.Bytes += int64(s.bytes)
	c.widths, c.heights = append(c.widths, float64(s.width)), append(c.heights, float64(s.height))
	c.aspects = append(c.aspects, float64(s.width)/float64(s.height))
	c.each = append(c.each, float64(len(s.sample.Captions)))
	for _, caption := range s.sample.Captions {
		st.Captions++
		c.captions[caption]++
		words := splitText(caption)
		c.lengths = append(c.lengths, float64(len(words)))
		for _, w := range words {
			c.words[w]++
		}
	}
	for _, n := range s.nouns {
		c.nouns[n]++
	}
	for _, t := range s.sample.Tags {
		c.tags[t]++
	}
	if first, ok := c.sums[s.sum]; ok {
		st.SameBytes++
		c.example(first, s.sample.Key)
		return
	}
	c.sums[s.sum] = s.sample.Key
	// A picture of one colour has no steps and would look like any other such.
	if s.look == ([32]byte{}) {
		return
	}
	if first, ok := c.looks[s.look]; ok {
		st.LookAlike++
		c.example(first, s.sample.Key)
		return
	}
	c.looks[s.look] = s.sample.Key
}

func (c *census) example(a, b string) {
	if len(c.stats.Examples) < mostExamples {
		c.stats.Examples = append(c.stats.Examples, [2]string{a, b})
	}
}

// splitText splits a caption into words: runs of letters, digits and apostrophes,
// in lower case.
func splitText(caption string) []string {
	return strings.FieldsFunc(strings.ToLower(caption), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '\''
	})
}

func (c *census) result(top int) Stats {
	s := c.stats
	s.Width, s.Height, s.Aspect = spread(c.widths), spread(c.heights), spread(c.aspects)
	s.CaptionsEach, s.Words = spread(c.each), spread(c.lengths)
	s.Distinct, s.Vocabulary = len(c.captions), len(c.words)
	for _, n := range c.words {
		if n >= 3 {
			s.Vocabulary3++
		}
		if n >= 5 {
			s.Vocabulary5++
		}
	}
	maps.DeleteFunc(c.captions, func(_ string, n int) bool { return n < 2 })
	s.TopWords, s.TopNouns, s.TopTags, s.TopCaptions = most(c.words, top), most(c.nouns, top), most(c.tags, top), most(c.captions, top)
	return s
}

// most lists the texts that come most often.
func most(counts map[string]int, n int) []Count {
	all := make([]Count, 0, len(counts))
	for text, count := range counts {
		all = append(all, Count{text, count})
	}
	slices.SortFunc(all, func(a, b Count) int { return cmp.Or(b.N-a.N, strings.Compare(a.Text, b.Text)) })
	return slices.Clip(all[:min(n, len(all))])
}

func spread(x []float64) Spread {
	if len(x) == 0 {
		return Spread{}
	}
	slices.Sort(x)
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	n := len(x)
	rounded := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	return Spread{rounded(x[0]), rounded(sum / float64(n)), rounded((x[n/2] + x[(n-1)/2]) / 2), rounded(x[n-1])}
}
