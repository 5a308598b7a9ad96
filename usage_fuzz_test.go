package groupvit

import (
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// FuzzEvalFile: whatever an eval.json holds, it is an error or a rule that encodes
// any photo in windows of bounded size.
func FuzzEvalFile(f *testing.F) {
	for _, seed := range []string{
		`{"short_side": 144, "window": 144, "stride": 72, "background_threshold": 0.3, "templates": ["a {}"], "background_words": ["sky"]}`,
		`{"short_side": 16, "squash": true, "templates": "tcl"}`, `{"short_side": -1}`, `{"window": 99999999999999999999}`, `{"stride": 0, "window": 32}`,
		`{"long_side": 1}`, `{"background_threshold": 1e999}`, `{"templates": [""]}`, `{"templates": {}}`, `[]`, `nul`,
	} {
		f.Add([]byte(seed))
	}
	config := network.Default()
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := readUsage(&weights.Model{Config: config, Extra: map[string][]byte{modelfile.EvalName: b}})
		if err != nil {
			return
		}
		for _, photo := range [][2]int{{1, 1}, {1, limits.ImageSide}, {4000, 3000}} {
			w, h := e.rule.Size(photo[0], photo[1])
			if w < 1 || h < 1 || max(w, h) > 8*limits.SeenSide {
				t.Fatalf("%s: a photo of %v is seen as %d×%d", b, photo, w, h)
			}
			if e.rule.Count(w, h) > limits.Windows {
				continue // refused
			}
			windows := e.rule.Windows(w, h)
			if len(windows) != e.rule.Count(w, h) {
				t.Fatalf("%s: %d windows, counted %d", b, len(windows), e.rule.Count(w, h))
			}
			for _, r := range windows {
				if r.X < 0 || r.Y < 0 || r.X+r.Width > w || r.Y+r.Height > h || r.Width < 1 || r.Height < 1 {
					t.Fatalf("%s: window %+v of %d×%d", b, r, w, h)
				}
			}
		}
	})
}
