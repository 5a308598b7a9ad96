package tower

import (
	"slices"
	"testing"
)

// TestManyShapes: more sizes of windows than graphs are kept compiled; the first
// gives the same again after it was dropped.
func TestManyShapes(t *testing.T) {
	m := tiny(t, "go")
	var first Image
	for round := range 2 {
		for i := range runnerShapes + 3 {
			out, err := m.Image(t.Context(), wave(1, 40, 40+16*i), 40, 40+16*i)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case i > 0:
			case round == 0:
				first = out
			case !slices.Equal(out.Embedding, first.Embedding) || !slices.Equal(out.Stages[0], first.Stages[0]):
				t.Error("a graph compiled again gives something else")
			}
		}
	}
	if n := len(m.image.compiled); n != runnerShapes {
		t.Errorf("%d graphs are kept, want %d", n, runnerShapes)
	}
}
