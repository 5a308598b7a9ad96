package cli

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// killing is a run of the real program that a test interrupts.
type killing struct {
	dir  string
	args []string
}

func newKilling(t *testing.T, dir, data string) killing {
	t.Helper()
	return killing{dir, []string{
		"train", "--config", smokeRecipe, "--train-data", data, "--output", dir, "--resume", "--threads", "1", "--steps", "120", "--batch", "4",
		"--eval-every", "40", "--eval-pictures", "1",
		"--set", "output.checkpoint_every=4", "--set", "output.log_every=1", "--set", "data.workers=1",
	}}
}

func (k killing) start(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c := exec.Command(program, k.args...)
	said := &bytes.Buffer{}
	c.Stderr = said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, said
}

// finish lets the run come to its end.
func (k killing) finish(t *testing.T) {
	t.Helper()
	c, said := k.start(t)
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

// losses reads the log: the loss of each step, as its text.
func (k killing) losses(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var entry struct {
			Step int
			Loss json.Number
		}
		if err := json.Unmarshal([]byte(l), &entry); err != nil || entry.Step != i+1 {
			t.Fatalf("line %d of the log: %s (%v)", i+1, l, err)
		}
		all = append(all, entry.Loss.String())
	}
	return all
}

// compare holds a run that was interrupted against one that was not: all losses
// and the trained model, to the bit.
func (k killing) compare(t *testing.T, whole killing) {
	t.Helper()
	got, want := k.losses(t), whole.losses(t)
	if len(got) != len(want) {
		t.Fatalf("%d steps, uninterrupted %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("step %d: loss %s, uninterrupted %s", i+1, got[i], want[i])
		}
	}
	a, err := os.ReadFile(filepath.Join(k.dir, "final", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(whole.dir, "final", "model.safetensors")); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the trained models differ, %v", err)
	}
	for _, folder := range []string{k.dir, filepath.Join(k.dir, "checkpoints")} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("left behind: %s", filepath.Join(folder, e.Name()))
			}
		}
	}
}

// uninterrupted trains to the end, once for all tests, beside the program.
func uninterrupted(t *testing.T) (whole killing, data string) {
	t.Helper()
	dir := filepath.Dir(program)
	data = filepath.Join(dir, "scenes", "train")
	whole = newKilling(t, filepath.Join(dir, "whole"), data)
	once.Do(func() {
		r := runProgram(t, nil, "data", "synth", "--scenes", "60", "--test-scenes", "0", "--size", "32", "--radius", "5-9", "--output", filepath.Dir(data))
		if r.code != exitDone {
			t.Fatal(r.errors)
		}
		whole.finish(t)
	})
	return whole, data
}

var once sync.Once

// lines is the number of steps that a run has logged.
func (k killing) lines() int {
	text, _ := os.ReadFile(filepath.Join(k.dir, "log.jsonl"))
	return bytes.Count(text, []byte("\n"))
}

// await returns when the run has logged more steps than before, or has ended.
func (k killing) await(before int, ended <-chan struct{}) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		select {
		case <-ended:
			return
		case <-time.After(2 * time.Millisecond):
			if k.lines() > before {
				return
			}
		}
	}
}

// end is closed when a run has ended, by itself or not: a quick machine may be
// through before it is killed.
func end(c *exec.Cmd) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		_ = c.Wait() // being killed is no error here
		close(ended)
	}()
	return ended
}

// Killed at twenty random moments, a run ends as if it never had been: while it
// starts, reads a checkpoint, trains, logs, measures and writes.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	whole, data := uninterrupted(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	k := newKilling(t, filepath.Join(t.TempDir(), "killed"), data)
	var at []int
	for round := range 20 {
		c, said := k.start(t)
		ended := end(c)
		if round%5 > 0 { // else while it starts
			before := k.lines()
			if before > 0 {
				before += random.IntN(8) // and what was logged after the checkpoint comes again
			}
			k.await(before, ended)
		}
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		_ = c.Process.Kill()
		<-ended
		if strings.Contains(said.String(), "not whole") || strings.Contains(said.String(), "groupvit:") {
			t.Fatalf("seed %d: a killed run left what is not whole: %s", seed, said)
		}
		at = append(at, k.lines())
	}
	t.Logf("steps that were logged when it was killed: %v", at)
	k.finish(t)
	k.compare(t, whole)
}

// SIGTERM ends a run after the step, with a checkpoint of just that step.
func TestTerminated(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no SIGTERM")
	}
	whole, data := uninterrupted(t)
	k := newKilling(t, filepath.Join(t.TempDir(), "terminated"), data)
	for range 3 {
		c, said := k.start(t)
		ended := end(c)
		k.await(k.lines()+2, ended)
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ended
		if c.ProcessState.ExitCode() != exitFailed || !strings.Contains(said.String(), "continue with --resume") {
			t.Fatalf("exit code %d: %s", c.ProcessState.ExitCode(), said)
		}
		if checkpoint := filepath.Join(k.dir, "checkpoints", strconv.Itoa(k.lines())); !isFolder(checkpoint) {
			t.Errorf("no checkpoint of the last step, %s", checkpoint)
		}
	}
	k.finish(t)
	k.compare(t, whole)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
