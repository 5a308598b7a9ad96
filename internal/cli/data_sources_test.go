package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/cli/datasets"
)

// captioned writes a folder of pictures and a table of their captions, of which
// one names nothing, and returns the table.
func captioned(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	rows := "filepath,title\n"
	for _, name := range []string{"a", "b", "c"} {
		photo := writePhoto(t, dir, name+".png")
		rows += filepath.Base(photo) + ",\"a photo, of " + name + "\"\n"
	}
	return writeBytes(t, dir, "captions.csv", []byte(rows+"gone.png,nothing\n"))
}

// What pack writes is whole for validate, described by stats, and measured by
// speed.
func TestDataCommands(t *testing.T) {
	table := captioned(t)
	shards := filepath.Join(t.TempDir(), "shards")
	r := runProgram(t, nil, "data", "pack", table, "--output", shards, "--shard-size", "2", "--short-side", "32", "--json")
	var packed datasets.PackJSON
	if err := json.Unmarshal([]byte(r.out), &packed); err != nil || r.code != exitPartial || packed.Samples != 3 || packed.Shards != 2 || packed.Skipped["no picture"] != 1 {
		t.Fatalf("%+v", r)
	}
	r = runProgram(t, nil, "data", "validate", shards, "--json")
	var summary struct {
		Samples, Good int
	}
	if err := json.Unmarshal([]byte(r.out), &summary); err != nil || r.code != exitDone || summary.Samples != 3 || summary.Good != 3 {
		t.Errorf("%+v", r)
	}
	r = runProgram(t, nil, "data", "validate", table)
	if r.code != exitPartial || !strings.Contains(r.out, "gone: no picture") || !strings.Contains(r.errors, "bad: 1 no picture") {
		t.Errorf("%+v", r)
	}
	r = runProgram(t, nil, "data", "stats", shards, "--json")
	var stats struct {
		Samples    int
		Vocabulary int
		Height     struct{ Max float64 }
	}
	if err := json.Unmarshal([]byte(r.out), &stats); err != nil || r.code != exitDone || stats.Samples != 3 || stats.Vocabulary != 5 || stats.Height.Max != 32 {
		t.Errorf("%+v", r)
	}
	if r := runProgram(t, nil, "data", "stats", shards); r.code != exitDone || !strings.Contains(r.out, "3 distinct") {
		t.Errorf("%+v", r)
	}
	r = runProgram(t, nil, "data", "speed", shards, "--config", smokeRecipe, "--seconds", "0.1", "--json")
	var speed datasets.SpeedJSON
	if err := json.Unmarshal([]byte(r.out), &speed); err != nil || r.code != exitDone || speed.PicturesPerSecond <= 0 || speed.ImageSize != 32 || speed.MeanHeight != 32 {
		t.Errorf("%+v", r)
	}
	again := filepath.Join(t.TempDir(), "again")
	r = runProgram(t, nil, "data", "convert", "--from", "img2dataset", shards, "--output", again, "--json")
	if err := json.Unmarshal([]byte(r.out), &packed); err != nil || r.code != exitDone || packed.Layout != "webdataset" || packed.Samples != 3 {
		t.Errorf("%+v", r)
	}
	// A table is trained on as it is.
	run := filepath.Join(t.TempDir(), "run")
	code, _, said := runTraining("train", "--config", smokeRecipe, "--train-data", table+"::"+again, "--train-data-upsampling-factors", "1::2", "--dataset-resampled",
		"--output", run, "--steps", "2", "--batch", "4")
	if code != exitDone || !strings.Contains(said, "skipped 1: 1 no picture") {
		t.Errorf("code %d: %s", code, said)
	}
}

func TestDataBadInput(t *testing.T) {
	table := captioned(t)
	full := filepath.Dir(table)
	missing := filepath.Join(full, "none.tar")
	into := filepath.Join(t.TempDir(), "new")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"pack nothing", []string{"pack", "--output", into}, exitUsage, "name shards"},
		{"pack nowhere", []string{"pack", table}, exitUsage, "--output"},
		{"pack over something", []string{"pack", table, "--output", full}, exitFailed, "not empty"},
		{"pack what is missing", []string{"pack", missing, "--output", into}, exitFailed, "none.tar"},
		{"a bad quality", []string{"pack", table, "--output", into, "--short-side", "9", "--quality", "0"}, exitUsage, "quality"},
		{"no samples a shard", []string{"pack", table, "--output", into, "--shard-size", "0"}, exitUsage, "samples a shard"},
		{"another column", []string{"validate", table, "--csv-img-key", "photo"}, exitFailed, `"photo"`},
		{"a bad context", []string{"validate", table, "--context", "-1"}, exitUsage, "--context"},
		{"validate nothing", []string{"validate"}, exitUsage, "name shards"},
		{"stats of nothing", []string{"stats"}, exitUsage, "name shards"},
		{"a bad list", []string{"stats", table, "--top", "-1"}, exitUsage, "--top"},
		{"convert from nothing", []string{"convert", full, "--output", into}, exitUsage, "img2dataset"},
		{"convert what it is not", []string{"convert", "--from", "img2dataset", full, "--output", into}, exitFailed, "img2dataset"},
		{"speed of nothing", []string{"speed", "--config", "../../recipes/photos.yaml"}, exitUsage, "--train-data"},
		{"speed in no time", []string{"speed", table, "--seconds", "0"}, exitUsage, "--seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, append([]string{"data"}, c.args...)...)
			if r.code != c.code || !strings.Contains(r.errors, c.want) || r.out != "" {
				t.Errorf("exit code %d, want %d, and %q in: %s\nstdout %s", r.code, c.code, c.want, r.errors, r.out)
			}
		})
	}
	if _, err := os.Stat(into); err == nil {
		t.Error("a refused command has left a folder")
	}
}
