package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/groupvit/groupvit"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// TestSameMasks: the pipeline writes the masks that the command writes, and tells of a
// bad photo without stopping. GROUPVIT names the program; without it, it is built.
func TestSameMasks(t *testing.T) {
	dir := t.TempDir()
	program := os.Getenv("GROUPVIT")
	if program == "" {
		program = filepath.Join(dir, "groupvit")
		build := exec.Command("go", "build", "-o", program, "./cmd/groupvit")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	photos, err := filepath.Glob("../photos/*.jpg")
	if err != nil || len(photos) == 0 {
		t.Fatal(photos, err)
	}
	for i, p := range photos {
		if photos[i], err = filepath.Abs(p); err != nil {
			t.Fatal(err)
		}
	}
	bad := filepath.Join(dir, "bad.jpg")
	if err := os.WriteFile(bad, []byte("no photo"), 0o666); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte(strings.Join(append(photos, bad), "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	plain, beamed := filepath.Join(dir, "plain"), filepath.Join(dir, "beam")
	out, err := exec.Command(program, "segment", "--manifest", list, "--labels", "cat,sky,cup", "--format", "mask", "-o", plain).CombinedOutput()
	if code := exitCode(err); code != 3 {
		t.Fatalf("code %d: %s", code, out)
	}
	fn := &segmentFn{Model: groupvit.DefaultModel, Labels: []string{"cat", "sky", "cup"}, Output: beamed}
	if err := run(t.Context(), list, fn); err != nil {
		t.Fatal(err)
	}
	for _, p := range photos {
		name := strings.TrimSuffix(p, ".jpg") + ".mask.png"
		want, err1 := os.ReadFile(filepath.Join(plain, name))
		got, err2 := os.ReadFile(filepath.Join(beamed, name))
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: another mask: %v, %v", p, err1, err2)
		}
	}
	failed, err := os.ReadFile(filepath.Join(beamed, "failed.txt"))
	if err != nil || strings.Count(string(failed), "\n") != 1 || !strings.Contains(string(failed), "bad.jpg") {
		t.Errorf("%q, %v", failed, err)
	}
}

func exitCode(err error) int {
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return 0
}
