package groupvit

import (
	"context"

	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// Confidence tells of every pixel what was weighed before any threshold, so that a
// client can set another without a new question.
type Confidence struct {
	// Likely is the most probable label of every pixel, RunnerUp the one that comes
	// next (0 where only one label was asked).
	Likely, RunnerUp *mask.Map
	// Value [height·width] is the probability of Likely under protocol best (its
	// class score under others). It is negative where a background word is more probable.
	Value []float32
}

// Below is the map with another threshold t from 0 to 1: pixels whose value is
// negative or below it are background. Under protocol best it is what a question
// with [BackgroundBelow](t) gives, unless technique cut judges a label as a whole.
func (c *Confidence) Below(t float64) *mask.Map {
	m := &mask.Map{Width: c.Likely.Width, Height: c.Likely.Height, Labels: make([]uint16, len(c.Value))}
	for i, v := range c.Value {
		if v >= float32(t) && v >= 0 {
			m.Labels[i] = c.Likely.Labels[i]
		}
	}
	return m
}

// Confidence computes the maps of confidence and of the runner-up, of the size of
// the Segmentation's map. It asks the model nothing.
func (s *Segmentation) Confidence(ctx context.Context) (*Confidence, error) {
	p, err := s.planes.Pixels(ctx, s.Map.Width, s.Map.Height, true)
	if err != nil {
		return nil, err
	}
	likely := func(labels []uint16) *mask.Map {
		return &mask.Map{Width: p.Width, Height: p.Height, Labels: labels}
	}
	return &Confidence{Likely: likely(p.Best), RunnerUp: likely(p.Second), Value: p.Confidence}, nil
}

// describe fills in labels and segments; means are the segments' scores by label.
func (s *Segmentation) describe(ctx context.Context, classes []vocab.Class, means []float64) error {
	s.Segments = []Segment{}
	for _, c := range classes {
		s.Labels = append(s.Labels, c.Name)
	}
	next, err := s.runnersUp(ctx, len(classes))
	if err != nil {
		return err
	}
	for _, st := range s.Map.Stats(len(classes)) {
		if st.Label == 0 || st.Pixels == 0 {
			continue
		}
		segment := Segment{
			ID: int(st.Label), Label: classes[st.Label-1].Name, Pixels: st.Pixels, Area: st.Area,
			Box: [4]int{st.Box.Min.X, st.Box.Min.Y, st.Box.Max.X, st.Box.Max.Y}, Score: means[st.Label-1],
		}
		if n := next[st.Label-1]; n > 0 {
			segment.RunnerUp = classes[n-1].Name
		}
		s.Segments = append(s.Segments, segment)
	}
	return nil
}

// runnersUp is, by label, the label that comes next in most places of its region,
// counted on a raster of at most 128 places a side.
func (s *Segmentation) runnersUp(ctx context.Context, labels int) ([]uint16, error) {
	const most = 128
	out := make([]uint16, labels)
	if labels < 2 {
		return out, nil
	}
	width, height := min(s.Map.Width, most), min(s.Map.Height, most)
	p, err := s.planes.Pixels(ctx, width, height, true)
	if err != nil {
		return nil, err
	}
	counts := make([]int, labels*(labels+1))
	for y := range height {
		for x := range width {
			l := s.Map.At((2*x+1)*s.Map.Width/(2*width), (2*y+1)*s.Map.Height/(2*height))
			i := y*width + x
			switch {
			case l == 0:
			case p.Best[i] == l:
				counts[int(l-1)*(labels+1)+int(p.Second[i])]++
			default: // a border runs between the raster's place and the pixel
				counts[int(l-1)*(labels+1)+int(p.Best[i])]++
			}
		}
	}
	for l := range out {
		row := counts[l*(labels+1):][:labels+1]
		for n := 1; n <= labels; n++ {
			if row[n] > row[out[l]] || out[l] == 0 && row[n] > 0 {
				out[l] = uint16(n)
			}
		}
	}
	return out, nil
}
