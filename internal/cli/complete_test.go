package cli

import (
	"strings"
	"testing"
)

// The shell is offered models and labels.
func TestCompletion(t *testing.T) {
	tinyHub(t)
	if r := runProgram(t, nil, "model", "pull", "nvidia/tiny"); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	for _, c := range []struct {
		want, not string
		args      []string
	}{
		{"nvidia/tiny", "default", []string{"segment", "--model", "nv"}},
		{"default", "nvidia", []string{"segment", "--model", "d"}},
		{"cat,dog", "cat,horse", []string{"segment", "--labels", "cat,do"}},
		{"nvidia/tiny", "default", []string{"model", "rm", ""}},
		{"default", "pull", []string{"model", "show", ""}},
		{"segment", "eval", []string{"seg"}},
	} {
		r := runProgram(t, nil, append([]string{"__complete"}, c.args...)...)
		if r.code != exitDone || !strings.Contains(r.out, c.want) || strings.Contains(r.out, c.not) {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := runProgram(t, nil, "completion", shell); r.code != exitDone || !strings.Contains(r.out, "groupvit") {
			t.Errorf("%s: %d, %d bytes", shell, r.code, len(r.out))
		}
	}
}
