package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
)

// TestSegmentAuto: without labels the model names what it sees; the output remembers how
// many words it may; what numbers labels over all photos is refused.
func TestSegmentAuto(t *testing.T) {
	if _, err := groupvit.DefaultFiles(); err != nil {
		t.Skip(err)
	}
	cat := filepath.Join("..", "..", "examples", "photos", "cat.jpg")
	var first []string
	for _, args := range [][]string{nil, {"--labels", "auto"}, {"--top", "1"}} {
		r := runProgram(t, nil, slices.Concat([]string{"segment", cat, "--format", "", "--json"}, args)...)
		var found groupvit.Record
		if err := json.Unmarshal([]byte(r.out), &found); err != nil || r.code != exitDone || len(found.Labels) == 0 || len(found.Proposed) != len(found.Labels) {
			t.Fatalf("%v: exit %d, %v, labels %q, proposed %+v; %s", args, r.code, err, found.Labels, found.Proposed, r.errors)
		}
		switch {
		case args == nil:
			first = found.Labels
		case args[0] == "--top" && !slices.Equal(found.Labels, first[:1]), args[0] == "--labels" && !slices.Equal(found.Labels, first):
			t.Errorf("%v: labels %q, without %q", args, found.Labels, first)
		}
	}
	for want, args := range map[string][]string{
		"--labels":             {"--format", "yolo"},
		"leave --labels out":   {"--labels", "cat", "--top", "3"},
		"0 to 1":               {"--least", "1.5"},
		"1 to 100 words":       {"--top", "200"},
		"--labels and --label": {"--labels", "auto", "--labels-file", "x.txt"},
	} {
		r := runProgram(t, nil, slices.Concat([]string{"segment", cat, "-o", t.TempDir()}, args)...)
		if r.code != exitUsage || !strings.Contains(r.errors, want) {
			t.Errorf("%v: exit %d, %q, want %q", args, r.code, r.errors, want)
		}
	}
	r := runProgram(t, nil, "model", "show", "--words")
	if r.code != exitDone || !strings.Contains(r.out, "person") || strings.Count(r.out, "\n") < 100 {
		t.Errorf("exit %d, %.300s", r.code, r.out)
	}
}
