package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runTraining(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Main(context.Background(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

const smokeRecipe = "../../recipes/smoke.yaml"

func TestTrainCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--config", smokeRecipe, "--output", dir, "--train-data", "synth:40", "--steps", "3", "--set", "output.log_every=1"}
	code, out, said := runTraining(args...)
	if code != exitDone || out != filepath.Join(dir, "final")+"\n" {
		t.Fatalf("code %d, stdout %q, stderr %s", code, out, said)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
	if err != nil || strings.Count(string(log), "\n") != 3 {
		t.Errorf("%v, log\n%s", err, log)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(log)), "\n") {
		var entry map[string]float64
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"step", "loss", "loss_image_text", "loss_nouns", "lr", "images_per_second", "groups_used", "assignment_entropy", "gradient_norm"} {
			if _, ok := entry[key]; !ok {
				t.Errorf("a line of the log lacks %q", key)
			}
		}
	}
	if code, _, said := runTraining(args...); code != exitFailed || !strings.Contains(said, "--resume") {
		t.Errorf("again: code %d, stderr %s", code, said)
	}
	code, out, said = runTraining(append(args, "--resume", "--json")...)
	var result struct {
		Final string
		Steps int
	}
	if err := json.Unmarshal([]byte(out), &result); code != exitDone || err != nil || result.Steps != 3 {
		t.Errorf("code %d, stdout %q, stderr %s", code, out, said)
	}
}

// A run that has ended is not continued with a learning rate that rises again; nor is
// any with fewer steps than are done.
func TestTrainOtherSteps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--config", smokeRecipe, "--output", dir, "--train-data", "synth:40", "--steps", "3", "--set", "schedule.warmup_steps=1"}
	if code, _, said := runTraining(args...); code != exitDone {
		t.Fatalf("code %d, stderr %s", code, said)
	}
	before := contents(t, dir)
	for steps, want := range map[string]string{"6": "would rise again, from ", "2": "3 steps are done, more than the 2"} {
		if code, _, said := runTraining(append(args, "--resume", "--steps", steps)...); code != exitFailed || !strings.Contains(said, want) {
			t.Errorf("%s steps: code %d, stderr %s", steps, code, said)
		}
	}
	sameFiles(t, contents(t, dir), before)
	constant := filepath.Join(t.TempDir(), "constant")
	args = append(args, "--output", constant, "--set", "schedule.name=const")
	if code, _, said := runTraining(args...); code != exitDone {
		t.Fatalf("code %d, stderr %s", code, said)
	}
	if code, _, said := runTraining(append(args, "--resume", "--steps", "5")...); code != exitDone || !strings.Contains(said, "5 steps instead of 3") {
		t.Errorf("code %d, stderr %s", code, said)
	}
}

func TestTrainUsage(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"no output", "--output", []string{"train", "--config", smokeRecipe}},
		{"missing recipe", "nowhere.yaml", []string{"train", "--config", "nowhere.yaml", "--output", "x"}},
		{"unknown key", `did you mean "batch"?`, []string{"train", "--config", smokeRecipe, "--output", "x", "--set", "bath=3"}},
		{"set without value", "KEY=VALUE", []string{"config", "show", "--set", "batch"}},
		{"steps and epochs", "give one", []string{"config", "show", "--steps", "3", "--epochs", "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, out, said := runTraining(c.args...); code != exitUsage || out != "" || !strings.Contains(said, c.want) {
				t.Errorf("code %d, stdout %q, stderr %s", code, out, said)
			}
		})
	}
}

func TestConfigShow(t *testing.T) {
	t.Setenv("GROUPVIT_OPTIMIZER_CLIP", "2")
	code, out, said := runTraining("config", "show", "--config", smokeRecipe, "--batch", "8", "--threads", "1")
	for _, want := range []string{"batch: 8 # --batch", "threads: 1 # --threads", "clip: 2 # $GROUPVIT_OPTIMIZER_CLIP", "smoke.yaml:", "# default"} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("code %d, no %q in\n%s%s", code, want, out, said)
		}
	}
	code, out, _ = runTraining("config", "show", "--json", "--epochs", "2")
	if code != exitDone || !strings.Contains(out, `{"key":"epochs","value":2,"origin":"--epochs"}`) {
		t.Errorf("code %d\n%s", code, out)
	}
}
