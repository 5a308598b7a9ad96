package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/tune"
)

// tune makes a model that segment takes, of photos with masks beside them; a broken
// photo is left out and told, and a folder with a run is not written over.
func TestTune(t *testing.T) {
	photos, out := maskedPhotos(t, "a", "b", "c"), filepath.Join(t.TempDir(), "tuned")
	args := []string{"tune", "--masks", photos, "--output", out, "--steps", "3", "--batch", "2", "--threads", "1", "--set", "model.image_size=32", "--json"}
	r := runProgram(t, nil, args...)
	var got tune.Result
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitDone {
		t.Fatalf("%+v: %v", r, err)
	}
	if got.Learn != 2 || got.HeldOut != 1 || got.Before == nil || got.After == nil || got.Final != filepath.Join(out, "final") {
		t.Errorf("%s", r.out)
	}
	if gained := got.After.MIoU > got.Before.MIoU; got.Gained != gained || gained == strings.Contains(r.errors, "nothing was gained") {
		t.Errorf("gained %v: %+v", got.Gained, r)
	}
	labels := filepath.Join(t.TempDir(), "map.png")
	if r := runProgram(t, nil, "segment", filepath.Join(photos, "a.png"), "--model", got.Final, "--labels", "sea, lawn", "-o", labels); r.code != exitDone {
		t.Errorf("%+v", r)
	} else if _, err := os.Stat(labels); err != nil {
		t.Error(err)
	}
	if r := runProgram(t, nil, args...); r.code != 1 || !strings.Contains(r.errors, "--resume") {
		t.Errorf("%+v", r)
	}

	writeBytes(t, photos, "d.png", []byte("no picture"))
	r = runProgram(t, nil, "tune", "--masks", photos, "--output", out+"-2", "--steps", "1", "--batch", "2", "--hold-out", "0", "--set", "model.image_size=32")
	if r.code != exitPartial || !strings.Contains(r.errors, "1 photo left out") || !strings.Contains(r.errors, "not measured") {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--output", out + "-3"}, "--masks"},
		{[]string{"--masks", photos}, "--output"},
		{[]string{"--masks", photos, "--output", out + "-3", "--hold-out", "2"}, "hold-out 2"},
		{[]string{"--masks", photos, "--output", out + "-3", "--set", "loss"}, "KEY=VALUE"},
		{[]string{"--masks", photos, "--output", out + "-3", "--layout", "none"}, "none"},
	} {
		if r := runProgram(t, nil, append([]string{"tune"}, c.args...)...); r.code != exitUsage || !strings.Contains(r.errors, c.want) {
			t.Errorf("%q: %+v", c.args, r)
		}
	}
}
