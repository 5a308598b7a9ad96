package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/cli/datasets"
)

// What synth draws is what train and eval read.
func TestSynthFeedsTrainAndEval(t *testing.T) {
	dir := t.TempDir()
	scenes, again, run := filepath.Join(dir, "scenes"), filepath.Join(dir, "again"), filepath.Join(dir, "run")
	args := []string{"data", "synth", "--scenes", "30", "--test-scenes", "4", "--seed", "5", "--size", "32", "--radius", "5-9", "--shard-size", "20", "--json"}
	r := runProgram(t, nil, append(args, "--output", scenes)...)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != exitDone || len(lines) != 2 {
		t.Fatalf("%+v", r)
	}
	for i, want := range []datasets.SynthJSON{{Folder: filepath.Join(scenes, "train"), Layout: "shards", Scenes: 30}, {Folder: filepath.Join(scenes, "test"), Layout: "scenes", Scenes: 4}} {
		var got datasets.SynthJSON
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		if got.Folder != want.Folder || got.Layout != want.Layout || got.Scenes != want.Scenes || got.Seed != 5 || got.Size != 32 || len(got.Classes) != 12 {
			t.Errorf("%s", lines[i])
		}
	}
	if r := runProgram(t, nil, append(args, "--output", again)...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	for _, name := range []string{"train/scenes-000000.tar", "train/scenes-000001.tar", "test/JPEGImages/scene-0000003.png", "test/SegmentationClass/scene-0000003.png", "test/classes.txt"} {
		a, err := os.ReadFile(filepath.Join(scenes, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %v, or the same seed gives other bytes", name, err)
		}
	}
	shard, _ := os.ReadFile(filepath.Join(scenes, "train/scenes-000000.tar"))
	photo, _ := os.ReadFile(filepath.Join(scenes, "test/JPEGImages/scene-0000000.png"))
	if len(photo) == 0 || bytes.Contains(shard, photo) {
		t.Error("the first test scene is among the training scenes")
	}
	code, _, said := runTraining("train", "--config", smokeRecipe, "--train-data", filepath.Join(scenes, "train"), "--output", run, "--steps", "2")
	if code != exitDone {
		t.Fatal(said)
	}
	r = runProgram(t, nil, "eval", "segmentation", "--dataset", "scenes", "--root", filepath.Join(scenes, "test"), "--model", filepath.Join(run, "final"), "--short-side", "32", "--json")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	if report := parseReport(t, []byte(r.out)); report.Images != 4 || len(report.PerClass) != 12 || report.MIoU == nil {
		t.Errorf("%s", r.out)
	}
}

func TestSynthBadInput(t *testing.T) {
	dir := t.TempDir()
	full, file := filepath.Join(dir, "full"), writeBytes(t, dir, "file", nil)
	writeBytes(t, full, "train/a", nil)
	run := func(more ...string) []string {
		return slices.Concat([]string{"data", "synth", "--scenes", "3", "--test-scenes", "2"}, more)
	}
	into := func(more ...string) []string { return run(append(more, "--output", filepath.Join(dir, "new"))...) }
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no output", run(), exitUsage, "--output"},
		{"nothing", []string{"data", "synth", "--output", dir, "--scenes", "0", "--test-scenes", "0"}, exitUsage, "at least one"},
		{"negative", into("--scenes", "-1"), exitUsage, "--scenes"},
		{"too many", into("--scenes", "100000000"), exitUsage, "10,000,000"},
		{"size", into("--size", "8"), exitUsage, "size 8"},
		{"objects", into("--objects", "4-1"), exitUsage, "--objects"},
		{"half an object", into("--objects", "1.5"), exitUsage, "--objects"},
		{"radius", into("--radius", "0x"), exitUsage, "--radius"},
		{"huge radius", into("--radius", "10-90"), exitUsage, "radius"},
		{"too many distinct", into("--distinct", "--objects", "9"), exitUsage, "8 kinds"},
		{"shards of none", into("--shard-size", "-2"), exitUsage, "shard"},
		{"seed", into("--seed", "-1"), exitUsage, "seed"},
		{"folder in use", run("--output", full), exitFailed, "not empty"},
		{"under a file", run("--output", filepath.Join(file, "x")), exitFailed, "file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, c.args...)
			if r.code != c.code || !strings.Contains(r.errors, c.want) || r.out != "" {
				t.Errorf("exit code %d, want %d, and %q in: %s\nstdout %s", r.code, c.code, c.want, r.errors, r.out)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("a refused set has left a folder")
	}
}
