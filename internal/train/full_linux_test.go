package train

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/groupvit/groupvit/internal/train/traintest"
	"github.com/groupvit/groupvit/internal/weights"
)

func init() {
	// A process that may write no long file stands in for a full disk.
	if os.Getenv("TRAIN_TEST_FULL") != "" {
		limit := syscall.Rlimit{Cur: 20_000, Max: 20_000}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
}

// A disk that fills up ends the run with an error and leaves the last
// checkpoint whole.
func TestDiskFull(t *testing.T) {
	data, dir := traintest.Scenes(t, 20), filepath.Join(t.TempDir(), "run")
	l := traintest.Load(t, "steps=2", "batch=4", "data.train="+data)
	if _, _, err := watched(t, context.Background(), Options{Loaded: l, Output: dir}); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	var said bytes.Buffer
	c.Env, c.Stderr = append(os.Environ(), "TRAIN_TEST_OUTPUT="+dir, "TRAIN_TEST_DATA="+data, "TRAIN_TEST_FULL=1"), &said
	if err := c.Run(); err == nil || !strings.Contains(said.String(), "earlier checkpoints are untouched") {
		t.Errorf("%v, it said %s", err, said.String())
	}
	steps, err := checkpoints(dir)
	if err != nil || len(steps) != 1 || steps[0] != 2 {
		t.Errorf("checkpoints %v, %v", steps, err)
	}
	if _, err := weights.Open(filepath.Join(dir, checkpointsDir, "2")); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, checkpointsDir))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
