package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/mask"
)

// Explanation tells how protocol best came to its answer: what the model groups, what
// it finds in each group, which words competed, and which rule decided each pixel.
type Explanation struct {
	// Segmentation is the answer itself, Confidence what was weighed before any
	// threshold.
	Segmentation *Segmentation
	Confidence   *Confidence
	// Threshold is the least probability of a label; 0 is none.
	Threshold float64
	// Stages are the groups of each grouping stage, of the photo seen whole in one
	// pass; none for a model that reads patches.
	Stages []ExplainedStage
	// Places are the parts of the photo with the same best word, as the answer is read
	// from them.
	Places ExplainedStage
	// Labels are told in the order of the question.
	Labels []ExplainedLabel
	// Why is, by pixel, the rule that decided it: i is Rules[i-1].
	Why   *mask.Map
	Rules []ExplainedRule
}

// ExplainedStage is a photo in parts.
type ExplainedStage struct {
	// Map says which part each pixel belongs to, by the parts' ID.
	Map *mask.Map
	// Parts are those with any pixel, the largest first.
	Parts []ExplainedPart
}

// ExplainedPart is a group, or the places of a word.
type ExplainedPart struct {
	ID int `json:"id"`
	// Area is the share of the photo, 0 to 1.
	Area float64 `json:"area"`
	// Words are those that fit best, the best first: their mean scores.
	Words []WordScore `json:"words"`
}

// WordScore is how well a word fits.
type WordScore struct {
	// Word is the label's, or a background word's.
	Word string `json:"word"`
	// Label is the word's label; 0 for a background word, which competes and names
	// nothing.
	Label int `json:"label,omitempty"`
	// Score is the cosine.
	Score float64 `json:"score"`
}

// ExplainedLabel tells of one label.
type ExplainedLabel struct {
	Label string `json:"label"`
	// Words are those asked for the label.
	Words []string `json:"words"`
	// Area is the share of the photo that has the label, Leads that where it is the
	// most probable label, before rules for background.
	Area  float64 `json:"area"`
	Leads float64 `json:"leads"`
	// Least and Most are the ends of its probability.
	Least float64 `json:"least_probability"`
	Most  float64 `json:"most_probability"`
	// Rivals are the words that fit best, beside its own, where it is the most
	// probable label (or in all of the photo where it is nowhere), at most four.
	Rivals []Rival `json:"rivals"`
	// Probability [Height·Width] is its map.
	Probability   []float32 `json:"-"`
	Width, Height int       `json:"-"`
}

// Rival is a word that competes with a label.
type Rival struct {
	Word  string `json:"word"`
	Label int    `json:"label,omitempty"`
	// Share of the label's places where the word is its first rival, Ahead that where
	// the word fits better than the label.
	Share float64 `json:"share"`
	Ahead float64 `json:"ahead"`
}

// ExplainedRule is a reason for a pixel's label.
type ExplainedRule struct {
	Name string  `json:"name"`
	Area float64 `json:"area"`
}

// The rules, in the order of [Explanation.Why].
const (
	ruleLabel = iota
	ruleBackgroundWord
	ruleThresholdBackgroundWord
	ruleThreshold
	ruleDropped
)

var ruleNames = []string{
	"its most probable label",
	"background: a background word is more probable",
	"below threshold, a background word fits best",
	"below threshold, though a label fits best",
	"background: a technique dropped the label",
}

// Explain answers as [Model.Segment] does under protocol best, and explains why. Other
// protocols are an [ErrOption].
func (m *Model) Explain(ctx context.Context, photo image.Image, labels []string, o *SegmentOptions) (*Explanation, error) {
	if o == nil {
		o = &SegmentOptions{}
	}
	q, err := newQuery(labels, &o.QueryOptions) // before the photo is encoded
	if err != nil {
		return nil, err
	}
	options := o.EncodeOptions
	options.Protocol = cmp.Or(options.Protocol, Best)
	im, err := toImage(photo)
	if err != nil {
		return nil, err
	}
	e, err := m.Encode(ctx, im, &options)
	if err != nil {
		return nil, err
	}
	scored, report, err := e.score(ctx, q)
	if err != nil {
		return nil, err
	}
	s, ok := scored.(*bestScores)
	if !ok {
		return nil, fmt.Errorf("%w: protocol %s cannot be explained: use protocol best", ErrOption, e.protocol)
	}
	x := &Explanation{}
	if x.Segmentation, err = e.answer(ctx, q, s, report); err != nil {
		return nil, err
	}
	if x.Confidence, err = x.Segmentation.Confidence(ctx); err != nil {
		return nil, err
	}
	if s.threshold > 0 {
		x.Threshold = s.threshold
	}
	if m.config.HasGroups() {
		if x.Stages, err = m.explainStages(ctx, im, s, q.classes); err != nil {
			return nil, err
		}
	}
	x.fill(s, q.classes)
	return x, nil
}
