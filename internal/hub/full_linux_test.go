package hub

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/groupvit/groupvit/internal/hub/hubtest"
)

func init() {
	// A process that may write no long file stands in for a full disk.
	if os.Getenv("HUB_TEST_FULL") != "" {
		limit := syscall.Rlimit{Cur: 100_000, Max: 100_000}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
}

// TestMain is also the other process of TestFullDisk.
func TestMain(m *testing.M) {
	if os.Getenv("HUB_TEST_FULL") == "" {
		os.Exit(m.Run())
	}
	c, err := FromEnvironment()
	if err == nil {
		r, _ := Parse("nvidia/tiny")
		_, err = c.Pull(context.Background(), r)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

// A full disk ends the pull with an error that says so; with room, the next
// one goes on.
func TestFullDisk(t *testing.T) {
	h := hubtest.New(t)
	c := client(t, h)
	cmd := exec.Command(os.Args[0])
	var said bytes.Buffer
	cmd.Env, cmd.Stderr = append(os.Environ(), "HUB_TEST_FULL=1", "HF_ENDPOINT="+h.URL, "HF_HUB_CACHE="+c.Cache.Dir), &said
	if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "free some room") {
		t.Errorf("%v, it said %s", err, said.String())
	}
	m, err := pull(t, c)
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, h, m)
	if len(h.Ranges) != 1 || h.Ranges[0] != "model.safetensors bytes=100000-" {
		t.Errorf("asked for %v", h.Ranges)
	}
}
