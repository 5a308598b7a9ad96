package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// saying is what a program that runs has said so far.
type saying struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (s *saying) Write(b []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.Write(b)
}

func (s *saying) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}

// A watched folder: what is there is done, what appears too, also in new folders and in
// halves; Ctrl-C is the end, and the next run goes on.
func TestSegmentWatch(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent Ctrl-C there")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.MkdirAll(in, 0o777); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(writePhoto(t, dir, "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(in, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	write("first.png", data)
	args := []string{"segment", in, "--labels", "dog", "--model", model, "--format", "mask", "-o", out, "--watch", "--json", "--threads", "1"}
	start := func() (*exec.Cmd, *saying, *saying) {
		t.Helper()
		c := exec.Command(program, args...)
		printed, said := &saying{}, &saying{}
		c.Stdout, c.Stderr = printed, said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill() })
		return c, printed, said
	}
	c, printed, said := start()
	until := func(what string, true func() bool) {
		t.Helper()
		for begun := time.Now(); !true(); time.Sleep(50 * time.Millisecond) {
			if time.Since(begun) > time.Minute {
				t.Fatalf("%s: not after a minute; it printed %s and said %s", what, printed, said)
			}
		}
	}
	has := func(name string) func() bool {
		return func() bool {
			_, err := os.Stat(filepath.Join(out, name+".mask.png"))
			return err == nil
		}
	}
	until("a photo that is there", has("first"))
	until("watching", func() bool { return strings.Contains(said.String(), "until Ctrl-C") })

	// A half is not taken for a photo while more of it comes.
	write("half.png", data[:len(data)/2])
	time.Sleep(300 * time.Millisecond)
	write("half.png", data)
	write("new/below/second.png", data)
	write("notes.txt", []byte("no photo"))
	until("a photo written in halves", has("half"))
	until("a photo in a new folder", has("new/below/second"))
	// One that is bad fails; written anew it is no failure any more.
	write("bad.png", []byte("hello"))
	until("a bad photo", func() bool { return strings.Contains(said.String(), "bad.png") })
	write("bad.png", data)
	until("the photo written anew", has("bad"))
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v; it said %s", err, said)
	}
	if n := strings.Count(printed.String(), `"photo"`); n != 4 {
		t.Errorf("%d results, want 4: %s", n, printed)
	}
	if !strings.Contains(said.String(), "1 .txt") {
		t.Errorf("nothing of the file that is no photo: %s", said)
	}

	// The next run does what has come since, and nothing twice.
	write("later.png", data)
	c, printed, said = start()
	until("a photo of the time between", has("later"))
	until("watching", func() bool { return strings.Contains(said.String(), "until Ctrl-C") })
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("SIGTERM: %v; it said %s", err, said)
	}
	summary, err := os.ReadFile(filepath.Join(out, ".summary.json"))
	var counts struct {
		Done    int `json:"photos_done"`
		Failed  int `json:"photos_failed"`
		Skipped int `json:"photos_skipped"`
	}
	if err = errors.Join(err, json.Unmarshal(summary, &counts)); err != nil || counts.Done != 1 || counts.Skipped != 4 || counts.Failed != 0 {
		t.Errorf("%v: the second run's summary is %s", err, summary)
	}
}

func TestSegmentWatchRefused(t *testing.T) {
	photo := writePhoto(t, t.TempDir(), "p.png")
	for _, args := range [][]string{{photo}, {"--manifest", photo}, {"--format", "", filepath.Dir(photo)}} {
		r := runProgram(t, nil, append([]string{"segment", "--labels", "dog", "--model", model, "-o", t.TempDir(), "--watch"}, args...)...)
		if r.code != exitUsage {
			t.Errorf("%v: code %d, %s", args, r.code, r.errors)
		}
	}
}
