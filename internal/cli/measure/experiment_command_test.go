package measure

import (
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// The command in a report can be typed again: names of rows hold commas.
func TestExperimentCommand(t *testing.T) {
	cmd := NewExperimentCommand(&command.Environment{})
	if err := cmd.ParseFlags([]string{"--row", "hard, nouns", "--row", "soft", "--seeds", "0,2", "--scale=small"}); err != nil {
		t.Fatal(err)
	}
	want := "experiment table1 --row='hard, nouns' --row=soft --scale=small --seeds="
	if got := experimentCommand(cmd, "table1"); !strings.HasPrefix(got, want) || !strings.Contains(got, "0,2") {
		t.Errorf("%s", got)
	}
}
