package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
)

func TestBenchRoofline(t *testing.T) {
	config := filepath.Join(model, "config.json")
	for _, args := range [][]string{{"--engine", "go"}, {"--work", "product", "--shape", "8x8x8"}} {
		r := runProgram(t, nil, append([]string{"bench", "--roofline", "--config", config}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.errors, "roofline") || r.out != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if engine.Available()[0] != engine.SIMD {
		t.Skip("no engine simd here")
	}
	args := []string{"bench", "--roofline", "--config", config, "--work", "image,train", "--batch", "2", "--repeat", "2"}
	r := runProgram(t, nil, append(args, "--json")...)
	var list []map[string]any
	if err := json.Unmarshal([]byte(r.out), &list); err != nil || r.code != exitDone || len(list) != 2 || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%v: %+v", err, r)
	}
	help := runProgram(t, nil, "bench", "--help").out
	told := func(object map[string]any) {
		for key := range object {
			if !strings.Contains(help, key) {
				t.Errorf("the help says nothing about %s", key)
			}
		}
	}
	for _, one := range list {
		told(one)
		operations, _ := one["operations"].([]any)
		if len(operations) < 3 {
			t.Fatalf("%v", one)
		}
		for _, o := range operations {
			told(o.(map[string]any))
		}
	}
	r = runProgram(t, nil, args...)
	for _, want := range []string{"image 32 px, batch 2", "train 32 px, batch 2", "own product of 1024³", "attention gradient", "product"} {
		if r.code != exitDone || !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s%s", want, r.out, r.errors)
		}
	}
}

// A training step in bf16 has products in bf16, one in float32 has none.
func TestBenchTrainPrecision(t *testing.T) {
	recipe := filepath.Join("..", "..", "recipes", "photos.yaml")
	if !slices.Contains(engine.Precisions(), engine.BF16) {
		t.Skip("no bf16 on this machine")
	}
	args := []string{"bench", "--roofline", "--config", recipe, "--work", "train", "--batch", "8", "--repeat", "1", "--json", "--precision"}
	for precision, want := range map[string]bool{engine.Float32: false, engine.BF16: true} {
		r := runProgram(t, nil, append(args, precision)...)
		if has := strings.Contains(r.out, " "+engine.BF16+`"`); r.code != exitDone || has != want {
			t.Errorf("%s: exit code %d, products in bf16: %v, want %v: %s", precision, r.code, has, want, r.errors)
		}
	}
	if r := runProgram(t, nil, append(args, engine.Int8)...); r.code != exitUsage || !strings.Contains(r.errors, "float32 or bf16") {
		t.Errorf("int8: %+v", r)
	}
}
