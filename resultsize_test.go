package groupvit_test

import (
	"testing"

	"github.com/groupvit/groupvit"
)

// TestResultSide: a smaller result has the photo's proportions and finds the
// same; one that is smaller already stays.
func TestResultSide(t *testing.T) {
	m := openModel(t, paperConfig())
	e, err := m.Encode(t.Context(), photo(200, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Bytes() < 1000 || e.Bytes() > 1<<20 {
		t.Errorf("it says that it needs %d bytes", e.Bytes())
	}
	labels := []string{"dog", "grass"}
	full, err := e.Segment(t.Context(), labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ side, width, height int }{{0, 200, 100}, {50, 50, 25}, {1, 1, 1}, {900, 200, 100}} {
		s, err := e.Segment(t.Context(), labels, &groupvit.QueryOptions{ResultSide: c.side, Scores: true})
		if err != nil {
			t.Fatal(err)
		}
		if s.Map.Width != c.width || s.Map.Height != c.height || len(s.Scores) != 2*c.width*c.height {
			t.Errorf("side %d: %d×%d pixels, %d scores", c.side, s.Map.Width, s.Map.Height, len(s.Scores))
			continue
		}
		same := 0
		for y := range c.height {
			for x := range c.width {
				if s.Map.At(x, y) == full.Map.At((2*x+1)*200/(2*c.width), (2*y+1)*100/(2*c.height)) {
					same++
				}
			}
		}
		if same*10 < 8*c.width*c.height {
			t.Errorf("side %d: %d of %d pixels as in the full result", c.side, same, c.width*c.height)
		}
	}
}
