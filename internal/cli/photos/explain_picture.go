package photos

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// mostExplained is how many labels have a map on the picture, notedParts how many parts
// of a photo are named below it.
const (
	mostExplained = 24
	notedParts    = 8
)

// explaining draws one explanation.
type explaining struct {
	photo *imaging.Image
	small *image.RGBA // at the size of the panels' pictures
	x     *groupvit.Explanation
	size  image.Point
}

// explainPicture draws an explanation.
func explainPicture(name string, photo *imaging.Image, m *groupvit.Model, x *groupvit.Explanation) (*image.RGBA, error) {
	p := &explaining{photo: photo, x: x}
	if err := p.shrink(); err != nil {
		return nil, err
	}
	report := x.Segmentation.Report
	b := render.Board{
		Title:    name + ": " + strings.Join(x.Segmentation.Labels, ", "),
		Subtitle: fmt.Sprintf("model %s, techniques %s, background %s", m.Info().Name, orNone(report.Techniques), report.Background),
	}
	for _, row := range []func() (render.BoardRow, error){p.answer, p.parts, p.labels} {
		r, err := row()
		if err != nil {
			return nil, err
		}
		b.Rows = append(b.Rows, r)
	}
	return b.Draw()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// shrink makes the photo at most 680 pixels wide and high: twice a panel, so that
// outlines stay fine.
func (p *explaining) shrink() error {
	const most = 680
	f := min(1, most/float64(max(p.photo.Width, p.photo.Height)))
	p.size = image.Pt(max(1, int(math.Round(f*float64(p.photo.Width)))), max(1, int(math.Round(f*float64(p.photo.Height)))))
	small, err := imaging.ResizePIL(p.photo, p.size.X, p.size.Y, imaging.Bilinear)
	if err == nil {
		p.small = small.RGBA()
	}
	return err
}

// at is a map at the panels' size.
func (p *explaining) at(m *mask.Map) *mask.Map {
	out := &mask.Map{Width: p.size.X, Height: p.size.Y, Labels: make([]uint16, 0, p.size.X*p.size.Y)}
	for y := range p.size.Y {
		for x := range p.size.X {
			out.Labels = append(out.Labels, m.At((2*x+1)*m.Width/(2*p.size.X), (2*y+1)*m.Height/(2*p.size.Y)))
		}
	}
	return out
}

func (p *explaining) regions(m *mask.Map, o *render.Options) (*image.RGBA, error) {
	return render.Regions(p.small, p.at(m), o)
}

func percentOf(share float64) string {
	if share > 0 && share < 0.001 {
		return "< 0.1 %"
	}
	if share > 0 && share < 0.0995 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// answer is the row of what came out.
func (p *explaining) answer() (render.BoardRow, error) {
	x := p.x
	r := render.BoardRow{Title: "The answer", Subtitle: "what each pixel is, how probable, what comes next, and why"}
	found, err := p.regions(x.Segmentation.Map, nil)
	if err != nil {
		return r, err
	}
	answer := render.BoardPanel{Title: "labels", Image: found}
	for _, l := range x.Labels {
		if l.Area > 0 {
			answer.Notes = append(answer.Notes, render.Note{Color: render.Color(labelNumber(x, l.Label)), Text: l.Label, Faint: percentOf(l.Area)})
		}
	}
	answer.Notes = shortened(answer.Notes, "and %d labels more")
	if len(answer.Notes) == 0 {
		answer.Notes = []render.Note{{Text: "nothing found"}}
	}
	r.Panels = append(r.Panels, answer)
	for _, make := range []func() (render.BoardPanel, error){p.confidence, p.runnerUp, p.why} {
		panel, err := make()
		if err != nil {
			return r, err
		}
		r.Panels = append(r.Panels, panel)
	}
	return r, nil
}

func labelNumber(x *groupvit.Explanation, label string) int {
	for i, l := range x.Segmentation.Labels {
		if l == label {
			return i + 1
		}
	}
	return 0
}

// shortened keeps [notedParts] notes and says how many there are beside them.
func shortened(notes []render.Note, more string) []render.Note {
	if len(notes) <= notedParts+1 {
		return notes
	}
	return append(notes[:notedParts:notedParts], render.Note{Faint: fmt.Sprintf(more, len(notes)-notedParts)})
}

// confidence shows the most probable label's probability.
func (p *explaining) confidence() (render.BoardPanel, error) {
	c, panel := p.x.Confidence, render.BoardPanel{Title: "probability of the most probable label"}
	width, height := c.Likely.Width, c.Likely.Height
	values := make([]float32, len(c.Value))
	low, high := 1.0, 0.0
	for i, v := range c.Value {
		values[i] = max(v, -v) // negative where a background word is more probable
		low, high = min(low, float64(values[i])), max(high, float64(values[i]))
	}
	var err error
	panel.Image, err = render.Heat(values, width, height, p.size.X, p.size.Y, low, high)
	panel.Notes = scale(low, high)
	switch {
	case p.x.Threshold > 0:
		panel.Notes = append(panel.Notes, render.Note{Color: render.HeatColor((p.x.Threshold - low) / max(high-low, 1e-9)), Text: short(p.x.Threshold), Faint: "the threshold: background is below it"})
	default:
		panel.Notes = append(panel.Notes, render.Note{Faint: "no threshold"})
	}
	return panel, err
}

// scale are the notes of a heat map.
func scale(low, high float64) []render.Note {
	return []render.Note{
		{Color: render.HeatColor(1), Text: short(high), Faint: "most probable place"},
		{Color: render.HeatColor(0), Text: short(low), Faint: "least probable place"},
	}
}

// short writes a probability.
func short(v float64) string {
	if v < 0.001 {
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", v)
}

// runnerUp shows the label that comes next.
func (p *explaining) runnerUp() (render.BoardPanel, error) {
	panel := render.BoardPanel{Title: "the label that comes next"}
	var err error
	panel.Image, err = p.regions(p.x.Confidence.RunnerUp, nil)
	for _, s := range p.x.Confidence.RunnerUp.Stats(len(p.x.Labels))[1:] {
		if s.Pixels > 0 {
			panel.Notes = append(panel.Notes, render.Note{Color: render.Color(int(s.Label)), Text: p.x.Labels[s.Label-1].Label, Faint: percentOf(s.Area)})
		}
	}
	panel.Notes = shortened(panel.Notes, "and %d labels more")
	if len(panel.Notes) == 0 {
		panel.Notes = []render.Note{{Faint: "one label was asked: there is no other"}}
	}
	return panel, err
}

// whyColors are those of the rules: a label is clear, background is in shades that
// have nothing in common with labels' colours.
var whyColors = []color.RGBA{
	{255, 255, 255, 255}, {38, 70, 83, 255}, {69, 123, 157, 255}, {168, 178, 189, 255}, {92, 64, 51, 255},
}

// why shows the rule of every pixel.
func (p *explaining) why() (render.BoardPanel, error) {
	panel := render.BoardPanel{Title: "which rule decided"}
	pick := func(rule int) color.RGBA {
		if rule == 0 {
			return color.RGBA{}
		}
		return whyColors[rule-1]
	}
	var err error
	panel.Image, err = p.regions(p.x.Why, &render.Options{Opacity: 0.72, Color: pick})
	for i, rule := range p.x.Rules {
		if rule.Area > 0 {
			c := whyColors[i]
			if i == 0 {
				c = color.RGBA{225, 225, 225, 255} // white is not seen on paper
			}
			panel.Notes = append(panel.Notes, render.Note{Color: c, Text: percentOf(rule.Area), Faint: rule.Name})
		}
	}
	return panel, err
}

// parts is the row of the photo and its groups.
func (p *explaining) parts() (render.BoardRow, error) {
	r := render.BoardRow{Title: "The groups", Subtitle: "of the photo seen whole, with the words that fit best (cosine); words in brackets compete and name nothing"}
	if len(p.x.Stages) == 0 {
		r.Title, r.Subtitle = "The patches", "this model has no groups: its patches by the word that fits best (score); words in brackets compete and name nothing"
	}
	r.Panels = append(r.Panels, render.BoardPanel{Title: "photo", Image: p.small, Notes: []render.Note{
		{Faint: fmt.Sprintf("%d × %d, looked at %d × %d", p.photo.Width, p.photo.Height, p.x.Segmentation.Report.SeenWidth, p.x.Segmentation.Report.SeenHeight)},
	}})
	for i, stage := range p.x.Stages {
		groups := "groups"
		if len(stage.Parts) == 1 {
			groups = "group"
		}
		if err := p.addParts(&r, fmt.Sprintf("stage %d: %d %s", i+1, len(stage.Parts), groups), stage); err != nil {
			return r, err
		}
	}
	title := "places of the answer by best word"
	if len(p.x.Stages) == 0 {
		title = "patches by best word"
	}
	return r, p.addParts(&r, title, p.x.Places)
}

// addParts adds a panel of parts, the largest named.
func (p *explaining) addParts(r *render.BoardRow, title string, stage groupvit.ExplainedStage) error {
	rank := map[int]int{} // by ID, from 1: the largest have the clearest colours
	for i, part := range stage.Parts {
		rank[part.ID] = i + 1
	}
	pick := func(id int) color.RGBA { return render.Color(rank[id]) }
	panel := render.BoardPanel{Title: title}
	var err error
	if panel.Image, err = p.regions(stage.Map, &render.Options{Color: pick}); err != nil {
		return err
	}
	for _, part := range stage.Parts {
		var next []string
		for _, w := range part.Words[1:] {
			next = append(next, fmt.Sprintf("%s %.2f", bracketed(w.Word, w.Label), w.Score))
		}
		first := part.Words[0]
		panel.Notes = append(panel.Notes, render.Note{
			Color: pick(part.ID), Text: fmt.Sprintf("%s %.2f", bracketed(first.Word, first.Label), first.Score),
			Faint: strings.Join(append([]string{percentOf(part.Area)}, next...), ", "),
		})
	}
	panel.Notes = shortened(panel.Notes, "and %d more")
	r.Panels = append(r.Panels, panel)
	return nil
}

// bracketed marks background words.
func bracketed(word string, label int) string {
	if label == 0 {
		return "(" + word + ")"
	}
	return word
}

// labels is the row of the labels' maps.
func (p *explaining) labels() (render.BoardRow, error) {
	r := render.BoardRow{Title: "The labels", Subtitle: "how probable each is, with the outline of what it got, and the words that fit best beside it where it leads"}
	if n := len(p.x.Labels); n > mostExplained {
		r.Subtitle += fmt.Sprintf("; the first %d of %d", mostExplained, n)
	}
	for i, l := range p.x.Labels[:min(mostExplained, len(p.x.Labels))] {
		panel, err := p.label(i+1, l)
		if err != nil {
			return r, err
		}
		r.Panels = append(r.Panels, panel)
	}
	return r, nil
}

func (p *explaining) label(number int, l groupvit.ExplainedLabel) (render.BoardPanel, error) {
	panel := render.BoardPanel{Title: l.Label}
	if len(l.Words) != 1 || l.Words[0] != l.Label {
		panel.Title += " (asked as " + strings.Join(l.Words, ", ") + ")"
	}
	heat, err := render.Heat(l.Probability, l.Width, l.Height, p.size.X, p.size.Y, l.Least, l.Most)
	if err != nil {
		return panel, err
	}
	own := p.at(p.x.Segmentation.Map)
	for i, v := range own.Labels {
		own.Labels[i] = 0
		if int(v) == number {
			own.Labels[i] = 1
		}
	}
	white := func(label int) color.RGBA {
		if label == 0 {
			return color.RGBA{}
		}
		return color.RGBA{255, 255, 255, 255}
	}
	if panel.Image, err = render.Regions(heat, own, &render.Options{Opacity: 1e-6, Color: white, KeepColors: true, Exact: true}); err != nil {
		return panel, err
	}
	got := fmt.Sprintf("got %s of the photo, leads in %s", percentOf(l.Area), percentOf(l.Leads))
	if l.Leads == 0 {
		got = "leads nowhere; its rivals in all of the photo:"
	}
	panel.Notes = append([]render.Note{{Color: render.Color(number), Text: got}}, scale(l.Least, l.Most)...)
	for _, rival := range l.Rivals {
		faint := "first rival in " + percentOf(rival.Share)
		if rival.Ahead > 0 {
			faint += ", fits better in " + percentOf(rival.Ahead)
		}
		panel.Notes = append(panel.Notes, render.Note{Text: bracketed(rival.Word, rival.Label), Faint: faint})
	}
	return panel, nil
}
