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
)

// PresenceReport tells what single words are answered with: each class of a dataset
// is asked alone of every photo.
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
	// Halves are the same figures of photos with even and odd numbers (from 0).
	Halves  [2]PresenceHalf `json:"halves"`
	Classes []string        `json:"classes"`
	Images  int             `json:"images"`
	About
	Command string `json:"command"`
}

// PresenceHalf are the medians of half of the photos.
type PresenceHalf struct {
	AbsentCover *float64 `json:"absent_cover"`
	PresentIoU  *float64 `json:"present_iou"`
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
	info := m.Info()
	r.Model, r.Engine = Model{Name: info.Name, SHA256: info.SHA256}, m.Engine()
	return r, nil
}

func (r *PresenceReport) fill(absent, present [2][]float64) {
	for half := range r.Halves {
		r.Halves[half] = PresenceHalf{percent(median(absent[half])), percent(median(present[half]))}
	}
	all, found := slices.Concat(absent[0], absent[1]), slices.Concat(present[0], present[1])
	r.AbsentCover, r.PresentIoU = percent(median(all)), percent(median(found))
	r.Absent, r.Present = len(all), len(found)
	for _, v := range all {
		if v == 0 {
			r.AbsentSilent++
		}
	}
	for _, v := range found {
		if v > 0 {
			r.PresentFound++
		}
	}
}

// median of values; NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// answer is what one word got in one photo: the true share of the photo, what the
// model covers, and the intersection over union.
type presenceAnswer struct{ share, cover, iou float64 }

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
		answers = append(answers, score(truth.Labels, s.Map.Labels, uint8(c)))
	}
	return answers, report, nil
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
	return presenceAnswer{actual / max(counted, 1), predicted / max(counted, 1), both / max(either, 1)}
}

// WriteText writes the report for people.
func (r *PresenceReport) WriteText(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("a word that is absent covers %s %% of the photo in the median (%d questions, %d answered with nothing)", number(r.AbsentCover), r.Absent, r.AbsentSilent),
		fmt.Sprintf("a word that covers more than a tenth has IoU %s in the median (%d questions, %d found)", number(r.PresentIoU), r.Present, r.PresentFound),
		fmt.Sprintf("even photos: %s and %s, odd photos: %s and %s", number(r.Halves[0].AbsentCover), number(r.Halves[0].PresentIoU), number(r.Halves[1].AbsentCover), number(r.Halves[1].PresentIoU)),
		fmt.Sprintf("protocol %s, background %s, techniques %s, %d photos, model %s (sha256 %.12s)", r.Protocol, r.About.Background, r.About.Techniques, r.Images, r.Model.Name, r.Model.SHA256),
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
