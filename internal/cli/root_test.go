package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command says what it does, what may follow it and how it is called, and
// its flags say what they mean.
func TestHelpTeaches(t *testing.T) {
	root := newRootCommand(&environment{})
	n := 0
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		n++
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help is %q", c.CommandPath(), c.Short)
		}
		if c.Example == "" && c.Name() != "version" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
			if len([]rune(line)) > 110 {
				t.Errorf("%s: a line of the help is too long: %q", c.CommandPath(), line)
			}
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "groupvit ") {
				if found, _, err := root.Find(strings.Fields(line)[1:]); err != nil || found == root {
					t.Errorf("%s: the example %q calls no command: %v", c.CommandPath(), line, err)
				}
			}
		}
		if c.Parent() == root && c.GroupID == "" {
			t.Errorf("%s stands in no group of the help", c.Name())
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(root)
	if n < 15 {
		t.Errorf("%d commands", n)
	}
	r := runProgram(t, nil, "--help")
	for _, want := range []string{"With photos:", "To train and to measure:", "Exit codes", "segment", "eval", "data synth"} {
		if r.code != exitDone || !strings.Contains(r.out, want) {
			t.Errorf("--help does not say %q:\n%s", want, r.out)
		}
	}
	for _, args := range [][]string{{"eval", "lunch"}, {"data", "lunch"}, {"model", "lunch"}, {"config", "lunch"}} {
		if r := runProgram(t, nil, args...); r.code != exitUsage || !strings.Contains(r.errors, "lunch") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
