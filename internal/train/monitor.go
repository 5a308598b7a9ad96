package train

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
)

// metricChance is the image–text loss of a model that tells no two pictures of
// the batch apart: ln of the number of captions.
const metricChance = "chance_image_text"

// chance returns metricChance of a batch, 0 where fewer than two of its captions
// count.
func chance(b *pairs.Batch) float64 {
	sum := 0.0
	for _, w := range b.CaptionWeight {
		sum += float64(w)
	}
	if sum < 2 {
		return 0
	}
	return math.Log(sum)
}

// sign is a sign of collapse, read from means over many steps.
type sign struct {
	name string
	// metrics are what it is read from; a run without them cannot show it.
	metrics []string
	// shown says whether the means show it.
	shown func(m monitorState) bool
	// says it with numbers.
	says string
}

// The thresholds are where the runs of docs/training.md that had collapsed
// stand, and none that learnt.
var signs = []sign{
	{"nothing learnt", []string{stepper.MetricImageText, metricChance},
		func(m monitorState) bool {
			return m.Means[metricChance] > 0 && m.Means[stepper.MetricImageText] >= 0.98*m.Means[metricChance]
		},
		"nothing is learnt: loss_image_text %.2f, and chance is %.2f (the logarithm of the number of captions)"},
	{"one group", []string{"groups_used"},
		func(m monitorState) bool { return m.Groups > 1 && m.Means["groups_used"] < 1.2 },
		"one group takes whole pictures: groups_used %.2f"},
	{"undecided", []string{"assignment_entropy"},
		func(m monitorState) bool { return m.Groups > 1 && m.Means["assignment_entropy"] > 0.98 },
		"every place belongs to all groups alike: assignment_entropy %.3f"},
	{"equal groups", []string{"group_similarity"},
		func(m monitorState) bool { return m.Groups > 1 && m.Means["group_similarity"] > 0.95 },
		"the groups of a picture say the same: group_similarity %.3f (mean cosine)"},
	{"equal masks", []string{"mask_agreement"},
		func(m monitorState) bool { return m.Means["mask_agreement"] > 0.9 },
		"all pictures have the same masks: mask_agreement %.3f"},
}

// monitor watches for signs of collapse.
type monitor struct {
	window int
	state  monitorState
}

// monitorState is what a checkpoint holds of the monitor.
type monitorState struct {
	// Groups is the network's number of groups.
	Groups int `json:"groups"`
	// Steps that Means were taken over, at most the window; after that they are
	// exponential means of that length.
	Steps int                `json:"steps"`
	Means map[string]float64 `json:"means"`
	// Shown are the signs that the means show.
	Shown []string `json:"shown"`
}

func newMonitor(s settings.Settings) *monitor {
	return &monitor{window: s.Safety.CollapseWindow, state: monitorState{Groups: s.Model.Groups(), Means: map[string]float64{}}}
}

// add takes in a good step. It returns what there is to tell a person: signs
// that are new, and signs that have gone.
func (m *monitor) add(metrics map[string]float64) (news []string) {
	if m.window == 0 {
		return nil
	}
	s := &m.state
	s.Steps = min(s.Steps+1, m.window)
	for _, sign := range signs {
		for _, name := range sign.metrics {
			if v, ok := metrics[name]; ok && stepper.Finite(v) {
				s.Means[name] += (v - s.Means[name]) / float64(s.Steps)
			}
		}
	}
	if s.Steps < m.window {
		return nil
	}
	var shown []string
	for _, sign := range signs {
		_, known := s.Means[sign.metrics[0]]
		was := slices.Contains(s.Shown, sign.name)
		switch now := known && sign.shown(*s); {
		case now:
			shown = append(shown, sign.name)
			if !was {
				news = append(news, "warning: "+sign.tell(*s)+fmt.Sprintf(", mean over %d steps; see docs/training.md, signs of collapse", m.window))
			}
		case was:
			news = append(news, "no longer so: "+sign.name)
		}
	}
	s.Shown = shown
	return news
}

func (s sign) tell(m monitorState) string {
	var values []any
	for _, name := range s.metrics {
		values = append(values, m.Means[name])
	}
	return fmt.Sprintf(s.says, values...)
}

// shown names the signs in one text, "" for none.
func (m *monitor) shown() string { return strings.Join(m.state.Shown, ", ") }

// restore takes over a checkpoint's state.
func (m *monitor) restore(s monitorState) {
	groups := m.state.Groups
	m.state = s
	m.state.Groups, m.state.Means = groups, maps.Clone(s.Means)
	if m.state.Means == nil {
		m.state.Means = map[string]float64{}
	}
	m.state.Steps = min(m.state.Steps, m.window)
}
