package groupvit

import (
	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/mask"
)

// Segmentation is the answer to a query about a photo.
type Segmentation struct {
	// Labels are the names asked for; label i of the map is Labels[i-1].
	Labels []string
	// Map has the photo's own size, or a smaller one where that was asked for.
	Map *mask.Map
	// Segments describes the labels that were found, in the order of Labels.
	Segments []Segment
	// Scores [labels, height, width] are the class scores before the decision;
	// nil unless asked for.
	Scores []float32
	// Threshold is the probability that a label had to reach under protocol best, 0 to
	// 1; 0 where there was no such bar. [Confidence.Below] with it gives the map again.
	Threshold float64
	// Report says how the answer was made.
	Report Report
	// RareWords are labels that are rare in the training data, in the order of
	// Labels: their regions are guesses. Nil where the model has no counts.
	RareWords []RareWord
	// Proposed are the words that the model proposed by itself, with their scores; nil
	// where labels were asked for.
	Proposed []Proposal

	planes *assign.Planes
}

// Segment is what was found of one label.
type Segment struct {
	// ID is the label's value in the map, from 1.
	ID    int    `json:"id"`
	Label string `json:"label"`
	// Pixels is their number, Area their share of the photo, 0 to 1.
	Pixels int     `json:"pixels"`
	Area   float64 `json:"area"`
	// Box is [x0, y0, x1, y1], x1 and y1 one beyond the last pixel.
	Box [4]int `json:"box"`
	// Score is the mean class score of the pixels; its scale is the protocol's.
	Score float64 `json:"score"`
	// RunnerUp is the label that most often comes next in the segment; empty where
	// there is no other.
	RunnerUp string `json:"runner_up,omitempty"`
}

// Report says how a photo was encoded and decided.
type Report struct {
	Protocol Protocol `json:"protocol"`
	// Background is the rule in force: "off", "words", a threshold, or
	// "words, 0.3".
	Background string `json:"background"`
	// Quality and Techniques say what protocol best did; Quality is empty where the
	// techniques are nobody's.
	Quality    Quality `json:"quality,omitempty"`
	Techniques string  `json:"techniques,omitempty"`
	// Templates names the prompts.
	Templates string `json:"templates"`
	// SeenWidth and SeenHeight are the size the photo was resized to.
	SeenWidth  int `json:"seen_width"`
	SeenHeight int `json:"seen_height"`
	// Rule is the rule behind that size, with window and stride; Windows the
	// number of windows.
	Rule    Rule `json:"rule"`
	Windows int  `json:"windows"`
	// Note says in which way a protocol's published sizes were departed from;
	// empty if in none.
	Note string `json:"note,omitempty"`
}

// Rule is the size at which a photo is encoded, in pixels.
type Rule struct {
	// ShortSide is what the photo's short side becomes, LongSide the most its
	// long side may become (0: no limit).
	ShortSide int `json:"short_side"`
	LongSide  int `json:"long_side,omitempty"`
	// Squash resizes to ShortSide × ShortSide, whatever the photo's shape.
	Squash bool `json:"squash,omitempty"`
	// Window and Stride are the side and the step of the sliding window; a
	// Window of 0 is the whole photo in one pass.
	Window int `json:"window,omitempty"`
	Stride int `json:"stride,omitempty"`
}

// report says how the photo was encoded.
func (e *Encoded) report() Report {
	v := e.view()
	return Report{
		Protocol: e.protocol, SeenWidth: v.SeenWidth, SeenHeight: v.SeenHeight,
		Rule: Rule(e.rule), Windows: len(v.Windows), Note: e.method.note(e.model, e.benchmark, e.rule),
	}
}

// Record is what is kept of an answer without its pixels: the JSON of the command
// and of the server.
type Record struct {
	// Photo names it; Width and Height are its own size in pixels.
	Photo      string    `json:"photo"`
	Width      int       `json:"width"`
	Height     int       `json:"height"`
	Model      Info      `json:"model"`
	Protocol   Protocol  `json:"protocol"`
	Background string    `json:"background"`
	Segments   []Segment `json:"segments"`
	// Seconds is how long the answer took.
	Seconds float64  `json:"seconds"`
	Labels  []string `json:"labels"`
	Report  Report   `json:"report"`
	// RareWords are labels that are rare in the training data.
	RareWords []RareWord `json:"rare_words,omitempty"`
	// Instances are the labels' connected parts, where they were asked for.
	Instances []Instance `json:"instances,omitempty"`
	// Proposed are the words that the model proposed by itself.
	Proposed []Proposal `json:"proposed,omitempty"`
}

// Record makes the record of an answer about a photo of width × height pixels.
func (m *Model) Record(photo string, width, height int, s *Segmentation, seconds float64) Record {
	return Record{
		Photo: photo, Width: width, Height: height, Model: m.Info(), Protocol: s.Report.Protocol,
		Background: s.Report.Background, Segments: s.Segments, Seconds: seconds, Labels: s.Labels,
		Report: s.Report, RareWords: s.RareWords, Proposed: s.Proposed,
	}
}
