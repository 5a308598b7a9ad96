package selftrain

import (
	"maps"
	"slices"

	"github.com/groupvit/groupvit/internal/pairs"
)

// Summary says what masks hold; collapse is seen in it.
type Summary struct {
	// Photos is the number of photos written, Labelled that of those with a mask.
	// The others name no word of the vocabulary.
	Photos   int `json:"photos"`
	Labelled int `json:"labelled"`
	// Broken counts samples that could not be used, by reason.
	Broken map[string]int `json:"broken,omitempty"`
	// Foreground, Stuff (written with its word), Background (unnamed) and Ignored
	// are numbers of places of all masks.
	Foreground int64 `json:"foreground"`
	Stuff      int64 `json:"stuff"`
	Background int64 `json:"background"`
	Ignored    int64 `json:"ignored"`
	// Words says of each word how often masks show it.
	Words map[string]WordCount `json:"words"`
}

// WordCount counts one word.
type WordCount struct {
	// Named is the number of photos whose masks may show the word, Found that of
	// those that do.
	Named int `json:"named"`
	Found int `json:"found"`
	// Places is the number of places that show it, Of that of all places of the
	// photos that name it.
	Places int64 `json:"places"`
	Of     int64 `json:"of"`
}

// add counts a mask; nil is a photo without one.
func (s *Summary) add(m *Mask) {
	s.Photos++
	if m == nil {
		return
	}
	s.Labelled++
	var counts [256]int64
	for _, v := range m.Pix {
		counts[v]++
	}
	s.Background += counts[pairs.LabelBackground]
	s.Ignored += counts[pairs.LabelUnknown]
	if s.Words == nil {
		s.Words = map[string]WordCount{}
	}
	for i, name := range m.Words {
		n := counts[i+1]
		c := s.Words[name]
		c.Named++
		if n > 0 {
			c.Found++
		}
		c.Places += n
		c.Of += int64(len(m.Pix))
		s.Words[name] = c
		if i < m.Things {
			s.Foreground += n
		} else {
			s.Stuff += n
		}
	}
}

// merge adds another summary.
func (s *Summary) merge(o Summary) {
	s.Photos, s.Labelled = s.Photos+o.Photos, s.Labelled+o.Labelled
	s.Foreground, s.Stuff = s.Foreground+o.Foreground, s.Stuff+o.Stuff
	s.Background, s.Ignored = s.Background+o.Background, s.Ignored+o.Ignored
	if s.Broken == nil {
		s.Broken = map[string]int{}
	}
	for reason, n := range o.Broken {
		s.Broken[reason] += n
	}
	if s.Words == nil {
		s.Words = map[string]WordCount{}
	}
	for name, c := range o.Words {
		w := s.Words[name]
		s.Words[name] = WordCount{w.Named + c.Named, w.Found + c.Found, w.Places + c.Places, w.Of + c.Of}
	}
}

// Shares returns the shares of all places: of things, of named stuff, of background
// without a word, and of what is ignored.
func (s *Summary) Shares() (foreground, stuff, background, ignored float64) {
	all := float64(max(s.Foreground+s.Stuff+s.Background+s.Ignored, 1))
	return float64(s.Foreground) / all, float64(s.Stuff) / all, float64(s.Background) / all, float64(s.Ignored) / all
}

// ByNaming lists the words, those that most photos name first.
func (s *Summary) ByNaming() []string {
	return slices.SortedFunc(maps.Keys(s.Words), func(a, b string) int {
		if d := s.Words[b].Named - s.Words[a].Named; d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
}
