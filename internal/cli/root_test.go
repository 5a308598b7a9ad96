package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// Every command says what it does, what may follow it and how it is called, and
// its flags say what they mean.
func TestHelpTeaches(t *testing.T) {
	root := newRootCommand(&command.Environment{})
	n := 0
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if c.Name() == "completion" {
			return // cobra's own
		}
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
}

// Wrong arguments are answered with how the command is called.
func TestWrongArguments(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"lunch"}, `unknown command "lunch"`},
		{[]string{"eval", "lunch"}, `"lunch" for "groupvit eval"; it has segmentation, classification`},
		{[]string{"data", "lunch"}, `it has synth, pack`},
		{[]string{"model", "lunch"}, `it has list`},
		{[]string{"config", "lunch"}, `it has show`},
		{[]string{"completion", "tcsh"}, `it has bash, zsh, fish`},
		{[]string{"segment"}, "no argument was given, where the command is: groupvit segment PATH…"},
		{[]string{"segment", "cat.jpg", "--manifest", "photos.txt", "--labels", "cat"}, `leave ["cat.jpg"] out`},
		{[]string{"model", "convert", "a"}, `["a"] were given, where the command is: groupvit model convert MODEL OUT`},
		{[]string{"serve", "lunch"}, `["lunch"] were given, where the command is: groupvit serve`},
		{[]string{"serve", "--lunch"}, "see groupvit serve --help"},
	} {
		if r := runProgram(t, nil, c.args...); r.code != exitUsage || r.out != "" || !strings.Contains(r.errors, c.says) {
			t.Errorf("%v: exit code %d, %s, it does not say %q", c.args, r.code, r.errors, c.says)
		}
	}
}
