package train

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// watch computes a few steps that change nothing of a network whose weights a
// test has spoiled, and returns which signs of collapse the monitor sees and what
// it says.
func watch(t *testing.T, l *settings.Loaded, spoil func(map[string][]float32)) (shown []string, said string) {
	t.Helper()
	weights := network.Initialize(l.Settings.Model, 1)
	if spoil != nil {
		spoil(weights)
	}
	s, err := stepper.New(enginetest.New(t, engine.Auto, 0), l.Settings, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	loader, err := pairs.Open(context.Background(), traintest.LoaderOptions(t, l.Settings))
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	m := newMonitor(l.Settings)
	var news []string
	for step := range l.Settings.Safety.CollapseWindow {
		batch, err := loader.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		metrics, ok, err := s.Step(batch, step, 1e-12)
		if err != nil || !ok {
			t.Fatalf("step %d: %v, %v", step, ok, err)
		}
		metrics[metricChance] = chance(batch)
		news = append(news, m.add(metrics)...)
	}
	t.Log(m.state.Means)
	return m.state.Shown, strings.Join(news, "\n")
}

// small is the network for scenes, whose new groups share a picture between them.
func small(t *testing.T, changes ...string) *settings.Loaded {
	t.Helper()
	return traintest.LoadRecipe(t, "scenes-soft", append([]string{
		"batch=8", "steps=10", "safety.collapse_window=3", "data.train=" + traintest.Scenes(t, 24),
	}, changes...)...)
}

// equalRows sets all rows of a tensor to its first.
func equalRows(values []float32, width int) {
	for i := width; i < len(values); i += width {
		copy(values[i:i+width], values[:width])
	}
}

// Each sign is produced by what it stands for, and is not seen without.
func TestSignsOfCollapse(t *testing.T) {
	fresh, _ := watch(t, small(t), nil)
	for _, sign := range []string{"one group", "undecided", "equal groups", "equal masks"} {
		if slices.Contains(fresh, sign) {
			t.Errorf("a fresh network shows %q", sign)
		}
	}
	for _, c := range []struct {
		sign  string
		load  *settings.Loaded
		spoil func(l *settings.Loaded, weights map[string][]float32)
	}{
		{"nothing learnt", small(t), func(*settings.Loaded, map[string][]float32) {}},
		{"equal groups", small(t), func(l *settings.Loaded, weights map[string][]float32) {
			// Every group starts from the same token, so that all stay the same.
			for name, values := range weights {
				if strings.HasSuffix(name, ".group_token") {
					equalRows(values, l.Settings.Model.Width)
				}
			}
		}},
		{"undecided", small(t), func(l *settings.Loaded, weights map[string][]float32) {
			for name, values := range weights {
				if strings.HasSuffix(name, ".group_token") {
					equalRows(values, l.Settings.Model.Width)
				}
			}
		}},
		{"equal masks", small(t), func(_ *settings.Loaded, weights map[string][]float32) {
			// Positions drown what the picture shows.
			for name, values := range weights {
				if strings.HasSuffix(name, "position_embeddings") {
					for i := range values {
						values[i] *= 3000
					}
				}
			}
		}},
		// The paper's block as small as in the smoke recipe: its groups are too alike
		// to share a picture.
		{"one group", traintest.Load(t, "safety.collapse_window=3", "data.train="+traintest.Scenes(t, 40)), func(l *settings.Loaded, weights map[string][]float32) {
			for name, values := range weights {
				if strings.HasSuffix(name, "stages.1.group_token") {
					equalRows(values, l.Settings.Model.Width)
				}
			}
		}},
	} {
		t.Run(c.sign, func(t *testing.T) {
			shown, said := watch(t, c.load, func(w map[string][]float32) { c.spoil(c.load, w) })
			if !slices.Contains(shown, c.sign) || strings.Count(said, "warning") != len(shown) {
				t.Errorf("signs %q, said %s", shown, said)
			}
		})
	}
}

// A sign that goes away is told, and one that was told is not told again, also
// not by a run that continues.
func TestMonitorTellsOnce(t *testing.T) {
	s := settings.Settings{Safety: settings.Safety{CollapseWindow: 4}, Model: network.Default()}
	bad, good := map[string]float64{"groups_used": 1}, map[string]float64{"groups_used": 6}
	m := newMonitor(s)
	count := func(metrics map[string]float64, n int) (news []string) {
		for range n {
			news = append(news, m.add(metrics)...)
		}
		return news
	}
	if news := count(bad, 3); len(news) != 0 {
		t.Errorf("before the window is full: %q", news)
	}
	if news := count(bad, 5); len(news) != 1 || !strings.Contains(news[0], "one group takes whole pictures: groups_used 1.00") {
		t.Errorf("%q", news)
	}
	state := m.state
	m = newMonitor(s)
	m.restore(state)
	if news := count(bad, 5); len(news) != 0 {
		t.Errorf("after a restart: %q", news)
	}
	if news := count(good, 9); len(news) != 1 || news[0] != "no longer so: one group" {
		t.Errorf("%q", news)
	}
	if m.shown() != "" {
		t.Errorf("shown: %q", m.shown())
	}
}
