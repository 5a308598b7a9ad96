package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
)

func TestPrecision(t *testing.T) {
	config := filepath.Join(model, "config.json")
	all := strings.Join(engine.Precisions(), ",")
	r := runProgram(t, nil, "bench", "--config", config, "--repeat", "1", "--precision", all, "--json")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	for _, p := range engine.Precisions() {
		if !strings.Contains(r.out, `"precision":"`+p+`"`) {
			t.Errorf("%s is missing in %s", p, r.out)
		}
	}
	if r := runProgram(t, nil, "doctor", "--model", model, "--precision", engine.Precisions()[0]); !strings.Contains(r.out, engine.Instructions()) ||
		!strings.Contains(r.out, strings.Join(engine.Precisions(), ", ")) {
		t.Errorf("%+v", r)
	}
	for name, args := range map[string][]string{
		"unknown":           {"embed", "--text", "cat", "--model", model, "--precision", "fp8"},
		"unknown of bench":  {"bench", "--precision", "float32,fp8"},
		"of another engine": {"embed", "--text", "cat", "--model", model, "--precision", "bf16", "--engine", "go"},
		"of training":       {"train", "--config", smokeRecipe, "--train-data", "synth:8", "--output", filepath.Join(t.TempDir(), "out"), "--precision", "bf16", "--engine", "go"},
	} {
		if r := runProgram(t, nil, args...); r.code != exitUsage || !strings.Contains(r.errors, "float32") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
