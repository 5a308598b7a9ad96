package evaluate

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/parallel"
	"github.com/groupvit/groupvit/internal/vocab"
)

// PresenceReport says what single words are answered with (each class of a dataset is a
// query of its own for every photo), and whether adding words moves regions.
type PresenceReport struct {
	// AbsentCover is the median share of a photo that a word covers which is not in
	// it, PresentIoU the median intersection over union of words that cover more than
	// a tenth of it; both in percent.
	AbsentCover *float64 `json:"absent_cover"`
	PresentIoU  *float64 `json:"present_iou"`
	// Absent and Present count the questions, PresentFound those with any pixel right.
	Absent       int `json:"absent"`
	Present      int `json:"present"`
	PresentFound int `json:"present_found"`
	// AbsentSilent counts absent words that were answered with nothing at all.
	AbsentSilent int `json:"absent_silent"`
	// Stability is by number of absent words that are added to a query for a word that
	// covers more than a tenth and is found.
	Stability []Stability `json:"stability"`
	// Halves are the same figures of photos with even and odd numbers (from 0).
	Halves  [2]PresenceHalf `json:"halves"`
	Classes []string        `json:"classes"`
	Images  int             `json:"images"`
	About
	Command string `json:"command"`
}

// Stability says how far regions move where absent words are added to the query.
type Stability struct {
	// Added is the number of absent words: classes that are not in the photo, then words
	// of [AbsentWords].
	Added int `json:"added"`
	// IoU is the median intersection over union, in percent, of the region that a
	// present word has alone and the one it has beside the added words.
	IoU *float64 `json:"iou"`
	// Regions is how many were compared.
	Regions int `json:"regions"`
}

// addedWords are the numbers of absent words that are added.
var addedWords = []int{1, 3, 10}

// AbsentWords returns words for things that photos of everyday life hardly show.
func AbsentWords() []string {
	return []string{"zebra", "violin", "submarine", "piano", "castle", "penguin", "rocket", "guitar", "volcano", "tractor"}
}

// PresenceHalf are the figures of half of the photos.
type PresenceHalf struct {
	AbsentCover *float64 `json:"absent_cover"`
	PresentIoU  *float64 `json:"present_iou"`
	// Counts as in the report.
	Absent       int `json:"absent"`
	AbsentSilent int `json:"absent_silent"`
	Present      int `json:"present"`
	PresentFound int `json:"present_found"`
}

// presentShare is the share of a photo above which a word counts as present.
const presentShare = 0.1

// Presence asks every class alone. Progress, if set, is told the photos done.
func Presence(ctx context.Context, m *groupvit.Model, d *bench.Dataset, o groupvit.SegmentOptions, workers int, progress func(int)) (*PresenceReport, error) {
	if d.Background < 0 {
		return nil, fmt.Errorf("%w: whether a word is absent is asked of datasets with a background; %s has none", ErrOptions, d.Name)
	}
	r := &PresenceReport{Classes: d.Names(), Images: len(d.Samples)}
	var mutex sync.Mutex
	var absent, present [2][]float64
	stable := make([][]float64, len(addedWords))
	done := 0
	err := parallel.For(ctx, len(d.Samples), workers, func(ctx context.Context, i int) error {
		answers, report, err := presenceOf(ctx, m, d, i, o)
		if err != nil {
			return fmt.Errorf("photo %s: %w", d.Samples[i].ID, err)
		}
		mutex.Lock()
		defer mutex.Unlock()
		for _, a := range answers {
			switch {
			case a.share == 0:
				absent[i%2] = append(absent[i%2], a.cover)
			case a.share > presentShare:
				present[i%2] = append(present[i%2], a.iou)
			}
			for k, iou := range a.stable {
				stable[k] = append(stable[k], iou)
			}
		}
		r.About.Background, r.About.Techniques, r.About.Templates = report.Background, report.Techniques, report.Templates
		r.About.Protocol = string(report.Protocol)
		if done++; progress != nil {
			progress(done)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.fill(absent, present)
	for k, values := range stable {
		r.Stability = append(r.Stability, Stability{addedWords[k], percent(median(values)), len(values)})
	}
	info := m.Info()
	r.Model, r.Engine = Model{Name: info.Name, SHA256: info.SHA256}, m.Engine()
	return r, nil
}

func (r *PresenceReport) fill(absent, present [2][]float64) {
	for half := range r.Halves {
		r.Halves[half] = presenceHalf(absent[half], present[half])
	}
	all := presenceHalf(slices.Concat(absent[0], absent[1]), slices.Concat(present[0], present[1]))
	r.AbsentCover, r.PresentIoU = all.AbsentCover, all.PresentIoU
	r.Absent, r.AbsentSilent, r.Present, r.PresentFound = all.Absent, all.AbsentSilent, all.Present, all.PresentFound
}

// presenceHalf are the figures of absent words' covers and present words' IoUs.
func presenceHalf(absent, present []float64) PresenceHalf {
	h := PresenceHalf{AbsentCover: percent(median(absent)), PresentIoU: percent(median(present)), Absent: len(absent), Present: len(present)}
	for _, v := range absent {
		if v == 0 {
			h.AbsentSilent++
		}
	}
	for _, v := range present {
		if v > 0 {
			h.PresentFound++
		}
	}
	return h
}

// median of values; NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// presenceAnswer is what one word got in one photo: the true share of the photo, what
// the model covers, and the intersection over union. stable, of a present word that
// was found, is by addedWords how much its region is the same beside absent words.
type presenceAnswer struct {
	share, cover, iou float64
	stable            []float64
}

func presenceOf(ctx context.Context, m *groupvit.Model, d *bench.Dataset, i int, o groupvit.SegmentOptions) ([]presenceAnswer, groupvit.Report, error) {
	var report groupvit.Report
	photo, truth, err := d.Load(i)
	if err != nil {
		return nil, report, err
	}
	e, err := m.Encode(ctx, photo, &o.EncodeOptions)
	if err != nil {
		return nil, report, err
	}
	var answers []presenceAnswer
	for c := range d.Classes {
		if c == d.Background {
			continue
		}
		s, err := e.Segment(ctx, []string{strings.Join(d.Classes[c].Names(), "|")}, &o.QueryOptions)
		if err != nil {
			return nil, report, err
		}
		report = s.Report
		a := score(truth.Labels, s.Map.Labels, uint8(c))
		if a.share > presentShare && len(s.Segments) > 0 {
			if a.stable, err = stability(ctx, e, d, c, s.Map.Labels, absentWords(d, truth.Labels), &o.QueryOptions); err != nil {
				return nil, report, err
			}
		}
		answers = append(answers, a)
	}
	return answers, report, nil
}

// absentWords are labels of what is not in a photo: classes, then [AbsentWords].
func absentWords(d *bench.Dataset, truth []uint8) []string {
	var words []string
	for c := range d.Classes {
		if c != d.Background && !slices.Contains(truth, uint8(c)) {
			words = append(words, strings.Join(d.Classes[c].Names(), "|"))
		}
	}
	for _, w := range AbsentWords() {
		if !slices.ContainsFunc(d.Classes, func(c vocab.Class) bool { return slices.Contains(c.Names(), w) }) {
			words = append(words, w)
		}
	}
	return words
}

// stability compares the region of a class alone with that beside absent words, which
// begin at another one for each class.
func stability(ctx context.Context, e *groupvit.Encoded, d *bench.Dataset, c int, alone []uint16, absent []string, o *groupvit.QueryOptions) ([]float64, error) {
	var out []float64
	for _, n := range addedWords {
		labels := []string{strings.Join(d.Classes[c].Names(), "|")}
		for k := range min(n, len(absent)) {
			labels = append(labels, absent[(c+k)%len(absent)])
		}
		s, err := e.Segment(ctx, labels, o)
		if err != nil {
			return nil, err
		}
		var both, either float64
		for i, l := range s.Map.Labels {
			if alone[i] == 1 && l == 1 {
				both++
			}
			if alone[i] == 1 || l == 1 {
				either++
			}
		}
		out = append(out, both/max(either, 1))
	}
	return out, nil
}

// score compares the pixels of a class with those of the only label.
func score(truth []uint8, found []uint16, class uint8) presenceAnswer {
	var counted, actual, predicted, both, either float64
	for i, t := range truth {
		if t == bench.Ignore {
			continue
		}
		counted++
		is, says := t == class, found[i] > 0
		if is {
			actual++
		}
		if says {
			predicted++
		}
		if is && says {
			both++
		}
		if is || says {
			either++
		}
	}
	return presenceAnswer{share: actual / max(counted, 1), cover: predicted / max(counted, 1), iou: both / max(either, 1)}
}

// WriteText writes the report for people.
func (r *PresenceReport) WriteText(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("a word that is absent covers %s %% of the photo in the median (%d questions, %d answered with nothing)", number(r.AbsentCover), r.Absent, r.AbsentSilent),
		fmt.Sprintf("a word that covers more than a tenth has IoU %s in the median (%d questions, %d found)", number(r.PresentIoU), r.Present, r.PresentFound),
		"beside absent words, a present word's region is the same as alone: " + r.stabilityText(),
		fmt.Sprintf("even photos: %s and %s, odd photos: %s and %s", number(r.Halves[0].AbsentCover), number(r.Halves[0].PresentIoU), number(r.Halves[1].AbsentCover), number(r.Halves[1].PresentIoU)),
		fmt.Sprintf("protocol %s, background %s, techniques %s, %d photos, model %s (sha256 %.12s)", r.Protocol, r.About.Background, r.About.Techniques, r.Images, r.Model.Name, r.Model.SHA256),
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

func (r *PresenceReport) stabilityText() string {
	var parts []string
	for _, s := range r.Stability {
		parts = append(parts, fmt.Sprintf("IoU %s beside %d", number(s.IoU), s.Added))
	}
	return strings.Join(parts, ", ") + " (medians)"
}
