package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
)

func TestBench(t *testing.T) {
	config := filepath.Join(model, "config.json")
	r := runProgram(t, nil, "bench", "--config", config, "--work", "image,text,product,train", "--batch", "2", "--shape", "20x30x40", "--repeat", "2", "--json")
	if r.code != exitDone || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%+v", r)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(r.out), &list); err != nil || len(list) != 4 {
		t.Fatalf("%v: %s", err, r.out)
	}
	for i, work := range []string{"image", "text", "product", "train"} {
		for _, key := range []string{"engine", "work", "image_size", "batch", "threads", "ms_median", "ms_min", "gflops", "sgemm_share", "windows_per_second", "peak_rss_mb"} {
			if _, ok := list[i][key]; !ok {
				t.Errorf("%s has no key %s", work, key)
			}
		}
		if list[i]["work"] != work || list[i]["engine"] != engine.Available()[0] || list[i]["threads"] != 1.0 || list[i]["ms_median"].(float64) <= 0 {
			t.Errorf("%v", list[i])
		}
		if picture := work == "image" || work == "train"; picture != (list[i]["image_size"] == 32.0) || picture != (list[i]["windows_per_second"] != nil) {
			t.Errorf("%v", list[i])
		}
	}
	for name, args := range map[string][]string{
		"recipe":  {"--config", smokeRecipe, "--work", "train"},
		"model":   {"--model", model, "--image-size", "48"},
		"compare": {"--compare", strings.Join(engine.Available(), ","), "--work", "product", "--shape", "8x8x8"},
		"engine":  {"--engine", "go", "--config", config},
	} {
		r := runProgram(t, nil, slices.Concat([]string{"bench", "--repeat", "1"}, args)...)
		if r.code != exitDone || !strings.Contains(r.out, "GFLOP/s") {
			t.Errorf("%s: %+v", name, r)
		}
		if name == "compare" && strings.Count(r.out, "8x8x8") != len(engine.Available()) {
			t.Errorf("%s", r.out)
		}
	}
}

func TestBenchBadInput(t *testing.T) {
	wrong := writeBytes(t, t.TempDir(), "config.json", []byte(`{"model_type": "groupvit", "vision_config": {"patch_size": 0}}`))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"work", []string{"--work", "lunch"}, exitUsage, "image, text, product"},
		{"shape", []string{"--work", "product", "--shape", "3x4"}, exitUsage, "MxKxN"},
		{"engine and compare", []string{"--engine", "go", "--compare", "go"}, exitUsage, "give one"},
		{"model and config", []string{"--model", model, "--config", wrong}, exitUsage, "give one"},
		{"threads", []string{"--threads", "0"}, exitUsage, "threads"},
		{"batch", []string{"--batch", "0"}, exitUsage, "batch"},
		{"image size", []string{"--image-size", "3"}, exitUsage, "3 pixels"},
		{"seconds", []string{"--seconds", "0"}, exitUsage, "--seconds"},
		{"repeat", []string{"--repeat", "-1"}, exitUsage, "--repeat"},
		{"unknown engine", []string{"--compare", "go,abacus", "--work", "product", "--shape", "8x8x8"}, exitFailed, "abacus"},
		{"missing config", []string{"--config", "none.json"}, exitFailed, "none.json"},
		{"missing recipe", []string{"--config", "none.yaml"}, exitFailed, "none.yaml"},
		{"wrong config", []string{"--config", wrong}, exitFailed, "patch"},
		{"missing model", []string{"--model", "no/model"}, exitFailed, "no/model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, append([]string{"bench"}, c.args...)...)
			if r.code != c.code || !strings.Contains(r.errors, c.want) || r.out != "" {
				t.Errorf("exit code %d, want %d, and %q in: %s\nstdout %s", r.code, c.code, c.want, r.errors, r.out)
			}
		})
	}
}
