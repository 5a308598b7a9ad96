package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestManual(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"man/groupvit.1": "labels", "man/groupvit-segment.1": "labels", "man/groupvit-model-pull.1": "HF_TOKEN",
		"completions/groupvit.bash": "groupvit", "completions/_groupvit": "compdef", "completions/groupvit.fish": "complete", "completions/groupvit.ps1": "Register",
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}
