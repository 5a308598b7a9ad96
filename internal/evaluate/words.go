package evaluate

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/parallel"
	"github.com/groupvit/groupvit/internal/vocab"
)

// WordsReport says how good the words are that a model proposes by itself, judged by
// the classes that photos truly show. A proposed word that names no class of the
// dataset ("grass", where only animals are drawn) is not judged.
type WordsReport struct {
	// At is by least score, the standard one first.
	At      []WordsAt `json:"at"`
	Top     int       `json:"top"`
	Classes []string  `json:"classes"`
	// Unknown are classes that no word of the model's vocabulary means: they count as
	// missed wherever a photo shows them.
	Unknown []string `json:"unknown"`
	Images  int      `json:"images"`
	Model   Model    `json:"model"`
	Command string   `json:"command"`
}

// WordsAt are the figures at a least score.
type WordsAt struct {
	Least float64 `json:"least"`
	// Right and Wrong count proposed words that name a class, Shown the classes that
	// photos show on a hundredth of their pixels or more.
	Right int `json:"right"`
	Wrong int `json:"wrong"`
	Shown int `json:"shown"`
	// Unjudged counts proposed words that name no class of the dataset.
	Unjudged int `json:"unjudged"`
	// Precision and Recall are in percent; nil of nothing.
	Precision *float64 `json:"precision"`
	Recall    *float64 `json:"recall"`
}

// shownShare is the share of a photo from which on a class must be named.
const shownShare = 0.01

// leastScores are those that a report has beside the standard.
var leastScores = []float64{0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5}

// Words lets the model propose words for every photo of a dataset. Progress, if set, is
// told the photos done.
func Words(ctx context.Context, m *groupvit.Model, d *bench.Dataset, o groupvit.EncodeOptions, p groupvit.ProposeOptions, workers int, progress func(int)) (*WordsReport, error) {
	if p.Top == 0 {
		p.Top = groupvit.DefaultTop
	}
	if p.Least == 0 {
		p.Least = groupvit.DefaultLeast
	}
	r := &WordsReport{Classes: d.Names(), Images: len(d.Samples), Top: p.Top}
	for _, least := range append([]float64{p.Least}, leastScores...) {
		r.At = append(r.At, WordsAt{Least: least})
	}
	classes := r.words(m, d)
	var mutex sync.Mutex
	done := 0
	err := parallel.For(ctx, len(d.Samples), workers, func(ctx context.Context, i int) error {
		photo, truth, err := d.Load(i)
		if err != nil {
			return fmt.Errorf("photo %s: %w", d.Samples[i].ID, err)
		}
		e, err := m.Encode(ctx, photo, &o)
		if err != nil {
			return fmt.Errorf("photo %s: %w", d.Samples[i].ID, err)
		}
		proposed, err := e.Propose(ctx, &groupvit.ProposeOptions{Top: p.Top, Least: 1e-9})
		if err != nil {
			return fmt.Errorf("photo %s: %w", d.Samples[i].ID, err)
		}
		mutex.Lock()
		defer mutex.Unlock()
		r.count(proposed, classes, shown(truth.Labels, d))
		if done++; progress != nil {
			progress(done)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range r.At {
		a := &r.At[i]
		a.Precision, a.Recall = percent(float64(a.Right)/float64(a.Right+a.Wrong)), percent(float64(a.Right)/float64(a.Shown))
	}
	info := m.Info()
	r.Model = Model{Name: info.Name, SHA256: info.SHA256}
	return r, nil
}

// words are the classes that the model's words mean, and notes those without any.
func (r *WordsReport) words(m *groupvit.Model, d *bench.Dataset) map[string]int {
	words, _ := m.Vocabulary()
	classes := map[string]int{}
	for c, class := range d.Classes {
		if c == d.Background {
			continue
		}
		before := len(classes)
		for _, w := range words {
			if len(vocab.WithoutLabels([]string{w.Name}, []vocab.Class{class})) == 0 {
				classes[w.Name] = c
			}
		}
		for _, name := range class.Names() {
			if w, ok := m.Find(name); ok {
				classes[w] = c
			}
		}
		if len(classes) == before {
			r.Unknown = append(r.Unknown, class.Name)
		}
	}
	return classes
}

// shown are the classes that a photo shows, but the background.
func shown(truth []uint8, d *bench.Dataset) map[int]bool {
	pixels, counted := map[int]int{}, 0
	for _, t := range truth {
		if t != bench.Ignore {
			pixels[int(t)]++
			counted++
		}
	}
	out := map[int]bool{}
	for c, n := range pixels {
		if c != d.Background && float64(n) >= shownShare*float64(counted) {
			out[c] = true
		}
	}
	return out
}

// count judges one photo's words, the surest first, at every least score. As in
// [groupvit.Encoded.Propose] the surest word counts in any case.
func (r *WordsReport) count(proposed []groupvit.Proposal, classes map[string]int, shown map[int]bool) {
	for i := range r.At {
		a := &r.At[i]
		a.Shown += len(shown)
		named := map[int]bool{}
		for k, p := range proposed {
			if k > 0 && p.Score < a.Least {
				break
			}
			c, judged := classes[p.Word]
			switch {
			case !judged:
				a.Unjudged++
			case named[c]: // another word for the same
			case shown[c]:
				a.Right++
			default:
				a.Wrong++
			}
			named[c] = judged
		}
	}
}

// WriteText writes the report for people.
func (r *WordsReport) WriteText(w io.Writer) error {
	lines := []string{"least score  precision  recall  right  wrong  shown  not judged"}
	for i, a := range r.At {
		mark := ""
		if i == 0 {
			mark = "  (used)"
		}
		lines = append(lines, fmt.Sprintf("%11.2f  %9s  %6s  %5d  %5d  %5d  %10d%s", a.Least, number(a.Precision), number(a.Recall), a.Right, a.Wrong, a.Shown, a.Unjudged, mark))
	}
	if len(r.Unknown) > 0 {
		lines = append(lines, "classes that no word of the model means, missed wherever shown: "+strings.Join(r.Unknown, ", "))
	}
	lines = append(lines, fmt.Sprintf("at most %d words a photo, %d photos, model %s (sha256 %.12s)", r.Top, r.Images, r.Model.Name, r.Model.SHA256))
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
