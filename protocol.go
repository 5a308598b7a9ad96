package groupvit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// Protocol names the rules that turn a model's output into labels.
type Protocol string

// The protocols.
const (
	// Paper is the evaluation of the paper's code: sliding windows, soft maps,
	// at most five classes a window, background by a threshold.
	Paper Protocol = "paper"
	// HF is the raw segmentation logits of the Hugging Face port: the photo
	// squashed to the training size, no background.
	HF Protocol = "hf"
	// TCL is the unified evaluation of TCL (Cha et al., CVPR 2023): windows as in
	// the paper, nine prompts a label, background of one constant score.
	TCL Protocol = "tcl"
	// SCLIP is the evaluation of SCLIP (Wang et al., ECCV 2024): small windows,
	// 80 prompts a name, a softmax over all names, a background vocabulary and a
	// threshold for background.
	SCLIP Protocol = "sclip"
	// Best is this project's: cosine maps, several prompts a label, and a background
	// vocabulary, so that one label alone can answer "nothing here".
	Best Protocol = "best"
)

// protocols are what each protocol does, in the order in which they are listed.
var protocols = []struct {
	name Protocol
	method
}{{Paper, paper{}}, {HF, hf{}}, {TCL, tcl{}}, {SCLIP, sclip{}}, {Best, best{}}}

// A method is what a protocol does, from a photo's size to the labels of its pixels.
type method interface {
	// rule is the size at which a photo is encoded, and its windows. shortSide, if
	// positive, is what the caller wants the short side to be.
	rule(m *Model, benchmark string, shortSide int) (assign.Rule, error)
	// techniques are what the options say is done beyond reading a map.
	techniques(m *Model, o *EncodeOptions) (Techniques, error)
	// read resizes a photo as the protocol's published code does.
	read(im *imaging.Image, width, height int) (*imaging.Image, error)
	// normalization is the mean and the deviation of its pixels.
	normalization(m *Model) (mean, std [3]float32)
	// prompts are those of a query that names none.
	prompts(m *Model) (prompts, error)
	// planes is how many maps at the encoded size a query needs, for the memory cap.
	planes(e *Encoded, classes []vocab.Class) int
	// score answers a query up to the decision of pixels, and says in the report how.
	score(ctx context.Context, e *Encoded, q *query, r *Report) (scored, error)
	// note says where a rule departs from that of the published numbers; "" nowhere.
	note(m *Model, benchmark string, r assign.Rule) string
	traits() traits
}

// traits are what other packages need to know of a protocol.
type traits struct {
	// needsGroups: it reads the maps of groups, and no others.
	needsGroups bool
	// noBackground: every pixel gets a label.
	noBackground bool
	// published: there are numbers of other people's models under it.
	published bool
	// techniques: a quality and techniques change what it does.
	techniques bool
	// probabilities: labels' scores are probabilities, which thresholds are compared with.
	probabilities bool
	// naming is how it names a benchmark's classes.
	naming vocab.Naming
}

// scored is a query's answer before the pixels are decided.
type scored interface {
	// decide labels width × height pixels; keep asks for the class scores.
	decide(ctx context.Context, width, height int, keep bool) (*decided, error)
	// sweep decides at the photo's own size for each of several background thresholds.
	sweep(ctx context.Context, thresholds []float64) ([]*mask.Map, error)
}

// decided are the labels of pixels.
type decided struct {
	pixels *mask.Map
	// means are the mean scores of the pixels of each label.
	means []float64
	// scores [labels, height, width] are nil unless asked for.
	scores []float32
	// threshold is the probability a label had to reach; 0 where there was no such bar.
	threshold float64
	// planes are what the pixels were decided from.
	planes *assign.Planes
}

// Protocols returns the names of the protocols.
func Protocols() []Protocol {
	var list []Protocol
	for _, p := range protocols {
		list = append(list, p.name)
	}
	return list
}

// ParseProtocol reads a protocol's name; "" is the model's default.
func ParseProtocol(s string) (Protocol, error) {
	if s == "" {
		return "", nil
	}
	_, err := Protocol(s).method()
	return Protocol(s), err
}

func (p Protocol) method() (method, error) {
	for _, known := range protocols {
		if known.name == p {
			return known.method, nil
		}
	}
	return nil, fmt.Errorf("%w: protocol %q, there are paper, hf, tcl, sclip and best", ErrOption, string(p))
}

// traits of an unknown protocol are none.
func (p Protocol) traits() traits {
	if m, err := p.method(); err == nil {
		return m.traits()
	}
	return traits{}
}

// HasBackground reports whether pixels may be background under the protocol.
func (p Protocol) HasBackground() bool { return !p.traits().noBackground }

// NeedsGroups reports whether the protocol works only for models that group pixels;
// see [Model.HasGroups].
func (p Protocol) NeedsGroups() bool { return p.traits().needsGroups }

// HasTechniques reports whether a [Quality] and [Techniques] change what the protocol
// does; others ignore them.
func (p Protocol) HasTechniques() bool { return p.traits().techniques }

// Probabilities reports whether the values of a [Confidence] are probabilities under
// the protocol, with which its background threshold is compared.
func (p Protocol) Probabilities() bool { return p.traits().probabilities }

// Published reports whether there are published numbers of other models under the
// protocol.
func (p Protocol) Published() bool { return p.traits().published }

// Naming is how the protocol's published evaluation names the classes of a benchmark:
// "name" (one name a class), "original" (the dataset's own), "queries" (SCLIP's lists)
// or "synonyms" (all names).
func (p Protocol) Naming() string { return string(p.traits().naming) }

// Benchmarks returns the names that [EncodeOptions].Benchmark takes.
func Benchmarks() []string {
	return []string{"voc21", "voc20", "context60", "context59", "coco-object", "coco-stuff", "ade20k", "cityscapes"}
}

func checkBenchmark(name string) error {
	if name == "" || slices.Contains(Benchmarks(), name) {
		return nil
	}
	return fmt.Errorf("%w: benchmark %q, there are %s", ErrOption, name, strings.Join(Benchmarks(), ", "))
}

// publishedSize is the training size of the published models, in pixels.
const publishedSize = 224

// noteAgainst compares a rule with that of a protocol's published numbers; published
// gives it for a training size.
func noteAgainst(published func(size int) assign.Rule, size int, r assign.Rule) string {
	same := func(o assign.Rule) bool {
		return r.ShortSide == o.ShortSide && r.Window == o.Window && r.Stride == o.Stride
	}
	want := published(publishedSize)
	if same(want) {
		return ""
	}
	note := fmt.Sprintf("short side %d, windows of %d and stride %d, not %d, %d and %d",
		r.ShortSide, r.Window, r.Stride, want.ShortSide, want.Window, want.Stride)
	if same(published(size)) {
		note += fmt.Sprintf(": the same proportions for a model trained at %d pixels, not %d", size, publishedSize)
	}
	return note
}
