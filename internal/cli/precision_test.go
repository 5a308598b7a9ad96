package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
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
		"unknown":            {"embed", "--text", "cat", "--model", model, "--precision", "fp8"},
		"auto without model": {"bench", "--precision", "auto"},
		"auto of training":   {"train", "--config", smokeRecipe, "--train-data", "synth:8", "--output", filepath.Join(t.TempDir(), "auto"), "--precision", "auto"},
		"unknown of bench":   {"bench", "--precision", "float32,fp8"},
		"of another engine":  {"embed", "--text", "cat", "--model", model, "--precision", "bf16", "--engine", "go"},
		"of training":        {"train", "--config", smokeRecipe, "--train-data", "synth:8", "--output", filepath.Join(t.TempDir(), "out"), "--precision", "bf16", "--engine", "go"},
	} {
		if r := runProgram(t, nil, args...); r.code != exitUsage || !strings.Contains(r.errors, "float32") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// --precision auto, and the environment: doctor, bench and results say what computes, and the two ways agree.
func TestAutoPrecision(t *testing.T) {
	if _, err := groupvit.DefaultFiles(); err != nil {
		t.Skip(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	doctor := runProgram(t, nil, "doctor", "--precision", "auto")
	_, says, found := strings.Cut(doctor.out, "auto: ")
	if doctor.code != 0 || !found {
		t.Fatalf("doctor says %s %s", doctor.out, doctor.errors)
	}
	chosen, _, _ := strings.Cut(strings.Fields(says)[0], ";")
	engineName := "engine simd"
	if chosen != engine.Float32 {
		engineName += "/" + chosen
	}
	if slices.Contains(engine.Available(), engine.SIMD) && !strings.Contains(doctor.out, engineName) {
		t.Errorf("auto is %s, but doctor says %s", chosen, doctor.out)
	}
	bench := runProgram(t, nil, "bench", "--model", "default", "--precision", "auto", "--image-size", "64", "--repeat", "1", "--json")
	if bench.code != 0 || !strings.Contains(bench.out, `"precision":"`+chosen+`"`) {
		t.Errorf("bench says %s %s", bench.out, bench.errors)
	}
	t.Setenv(engine.EnvPrecision, engine.AutoPrecision)
	env := runProgram(t, nil, "embed", "--text", "a cat", "--json")
	t.Setenv(engine.EnvPrecision, "")
	flag := runProgram(t, nil, "embed", "--text", "a cat", "--json", "--precision", chosen)
	if env.code != 0 || env.out != flag.out {
		t.Errorf("the environment gives another embedding than --precision %s: %s %s", chosen, env.out, env.errors)
	}
}
